#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "bind.hpp"
#include "convert.hpp"
#include "failure.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/sqlite/account_admin.hpp"
#include "released_gil.hpp"

namespace quicchat::python {
namespace {

/// What the database answers, or StorageFailure. It may wait for a lock, or for the disk: other
/// threads of Python run meanwhile.
template <class Work>
auto unlocked(Work work) {
    auto result = [&] {
        const ReleasedGil other_threads_may_run;
        return work();
    }();
    return value_or_throw(std::move(result));
}

/// The accounts in a server's database, also while the server runs. Belongs to one thread.
class Accounts {
public:
    explicit Accounts(const std::string& path)
        : admin_(
              unlocked([&] { return sqlite::AccountAdmin::open(path, quic::system_entropy()); })) {}

    bool add(const std::string& name, const std::string& verifier) {
        const Verifier parsed = value_or_throw(parse_verifier(verifier));
        return unlocked([&] { return admin_.add(name, parsed, quic::read_clock().wall); });
    }
    bool replace_verifier(const std::string& name, const std::string& verifier) {
        const Verifier parsed = value_or_throw(parse_verifier(verifier));
        return unlocked([&] { return admin_.replace_verifier(name, parsed); });
    }
    bool enable(const std::string& name) {
        return unlocked([&] { return admin_.enable(name); });
    }
    bool disable(const std::string& name) {
        return unlocked([&] { return admin_.disable(name); });
    }
    bool remove(const std::string& name) {
        return unlocked([&] { return admin_.remove(name); });
    }

    py::list list_accounts() {
        py::list rows;
        for (const sqlite::AccountInfo& a : unlocked([&] { return admin_.list_accounts(); })) {
            rows.append(py::make_tuple(to_python(std::string_view{a.name}), a.enabled,
                                       to_python(a.created), a.devices));
        }
        return rows;
    }
    py::list list_devices(const std::string& name) {
        py::list rows;
        for (const sqlite::DeviceInfo& d : unlocked([&] { return admin_.list_devices(name); })) {
            rows.append(py::make_tuple(to_hex(d.id), to_python(d.created), to_python(d.last_used)));
        }
        return rows;
    }
    bool revoke_device(const std::string& name, const py::bytes& id) {
        const DeviceId device{to_sixteen<decltype(DeviceId::bytes)>(id, "a device id")};
        return unlocked([&] { return admin_.revoke_device(name, device); });
    }
    bool revoke_devices(const std::string& name) {
        return unlocked([&] { return admin_.revoke_devices(name); });
    }

private:
    sqlite::AccountAdmin admin_;
};

}  // namespace

void bind_accounts(py::module_& m) {
    py::class_<Accounts>(m, "Accounts",
                         "The accounts in a server's database. Calls that give a bool: False means "
                         "that there is no such account or device, or that the name is taken.")
        .def(py::init<const std::string&>(), py::arg("path"))
        .def("add", &Accounts::add, py::arg("name"), py::arg("verifier"))
        .def("replace_verifier", &Accounts::replace_verifier, py::arg("name"), py::arg("verifier"))
        .def("enable", &Accounts::enable, py::arg("name"))
        .def("disable", &Accounts::disable, py::arg("name"))
        .def("remove", &Accounts::remove, py::arg("name"))
        .def("list_accounts", &Accounts::list_accounts,
             "(name, enabled, created in milliseconds since 1970, devices) each.")
        .def("list_devices", &Accounts::list_devices, py::arg("name"),
             "(id, created, last used) each, the one that was used last first.")
        .def("revoke_device", &Accounts::revoke_device, py::arg("name"), py::arg("id"))
        .def("revoke_devices", &Accounts::revoke_devices, py::arg("name"));
}

}  // namespace quicchat::python
