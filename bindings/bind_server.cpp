#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>

#include "bind.hpp"
#include "convert.hpp"
#include "endpoints.hpp"
#include "engine.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "quicchat/base/match.hpp"

namespace quicchat::python {
namespace {

// Events are small and nobody has to read them: above this the server drops the oldest.
constexpr std::size_t inbox_events = 4096;
constexpr std::size_t inbox_bytes = 4 * 1024 * 1024;

std::uint64_t number(ConnectionId id) { return static_cast<std::uint64_t>(id); }

py::tuple mail_tuple(const ServerMail& mail) {
    const auto text = [](const std::string& s) { return to_python(std::string_view{s}); };
    if (std::holds_alternative<ServerStopped>(mail)) {
        return py::make_tuple("stopped", py::make_tuple());
    }
    const auto tuple = [](const char* kind, py::tuple fields) -> py::tuple {
        return py::make_tuple(kind, std::move(fields));
    };
    return match(
        std::get<ServerEvent>(mail),
        [&](const PeerConnected& e) {
            return tuple("connected", py::make_tuple(number(e.connection), text(e.peer_address)));
        },
        [&](const PeerLoggedIn& e) {
            return tuple("logged_in", py::make_tuple(number(e.connection), text(e.user)));
        },
        [&](const PeerRefused& e) {
            return tuple("refused", py::make_tuple(number(e.connection), text(e.user),
                                                   text(e.peer_address), to_python(e.errc)));
        },
        [&](const PeerDisconnected& e) {
            return tuple("disconnected", py::make_tuple(number(e.connection), text(e.user),
                                                        to_python(e.reason.errc), e.reason.by_peer,
                                                        text(e.reason.text)));
        },
        [&](const ServerFailed& e) {
            return tuple("failed", py::make_tuple(to_python(e.errc), text(e.text)));
        });
}

/// Python's end of a server. Thread-safe; nothing here waits but the constructor.
class ServerHandle {
public:
    explicit ServerHandle(const ServeOptions& options)
        : engine_(live_engine()), port_(std::make_shared<ServerPort>(inbox_events, inbox_bytes)) {
        const py::gil_scoped_release other_threads_may_run;
        BoundServer bound = make_server(options, port_);
        address_ = std::move(bound.address);
        id_ = engine_->add(std::move(bound.runner));
    }
    ServerHandle(const ServerHandle&) = delete;
    ServerHandle& operator=(const ServerHandle&) = delete;
    ~ServerHandle() {
        if (engine_->is_alive()) stop();
    }

    int fileno() const { return check(), port_->inbox.fd(); }

    py::list drain(std::size_t max) {
        check();
        auto taken = port_->inbox.take(max);
        if (taken.was_full) engine_->wake(id_);
        py::list list;
        for (const ServerMail& mail : taken.mail) list.append(mail_tuple(mail));
        return list;
    }

    void shutdown() { check(), stop(); }
    const std::string& address() const { return address_; }
    std::size_t connections() const { return check(), port_->connections.load(); }

private:
    void check() const {
        if (!engine_->is_alive()) throw ForkFailure{};
    }
    void stop() {
        port_->stop_asked.store(true);
        engine_->wake(id_);
    }

    Engine* engine_;
    std::shared_ptr<ServerPort> port_;
    std::string address_;
    RunnerId id_{};
};

}  // namespace

void bind_server(py::module_& m) {
    py::class_<ServerHandle, py::smart_holder>(m, "Server",
                                               "A server on the engine thread. It listens at once.")
        .def(py::init([](std::string address, std::string certificate_pem, std::string key_pem,
                         std::vector<std::pair<std::string, std::string>> accounts,
                         std::vector<std::string> rooms, std::string alpn, std::string agent,
                         const py::dict& limits) {
                 return std::make_unique<ServerHandle>(
                     ServeOptions{std::move(address), std::move(certificate_pem),
                                  std::move(key_pem), std::move(accounts), std::move(rooms),
                                  std::move(alpn), std::move(agent), make_limits(limits)});
             }),
             py::kw_only(), py::arg("address"), py::arg("certificate_pem"), py::arg("key_pem"),
             py::arg("accounts"), py::arg("rooms"), py::arg("alpn"), py::arg("agent"),
             py::arg("limits"))
        .def("fileno", &ServerHandle::fileno, "Readable while `drain` has something to give.")
        .def("drain", &ServerHandle::drain, py::arg("max") = 256,
             "The oldest events: (kind, fields) each.")
        .def("shutdown", &ServerHandle::shutdown,
             "Tells all clients, waits for them a little, ends. An event `stopped` follows.")
        .def_property_readonly("address", &ServerHandle::address, "Where it listens: host:port.")
        .def_property_readonly("connections", &ServerHandle::connections, "Open connections.");
}

}  // namespace quicchat::python
