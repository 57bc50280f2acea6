#include <pybind11/stl.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "convert.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "quicchat/auth/known_servers.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/certificate_facts.hpp"
#include "quicchat/quic/host_name.hpp"
#include "quicchat/quic/known_servers_file.hpp"
#include "quicchat/quic/tls.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "released_gil.hpp"

// Functions that need no engine: certificates, passwords, the file of known servers.

namespace quicchat::python {
namespace {

WallTime wall_clock() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

void prepare() {
    if (!quic::initialise_tls()) throw CoreFailure{make_error_code(Errc::internal_error)};
}

void check_pair(const std::string& certificate_pem, const std::string& key_pem) {
    prepare();
    if (const auto error = quic::check_pair(certificate_pem, key_pem, wall_clock())) {
        throw CoreFailure{error};
    }
}

std::pair<std::string, std::string> make_self_signed(const std::vector<std::string>& names,
                                                     int days) {
    prepare();
    auto pair = value_or_throw(quic::make_self_signed(names, days, wall_clock()));
    return {std::move(pair.certificate_pem), std::move(pair.key_pem)};
}

std::string renew_self_signed(const std::string& certificate_pem, const std::string& key_pem,
                              const std::vector<std::string>& names, int days, int delay) {
    prepare();
    const WallTime begin = wall_clock() + std::chrono::seconds{delay};
    return value_or_throw(quic::renew_self_signed(certificate_pem, key_pem, names, days, begin));
}

bool is_self_made(const std::string& certificate_pem, const std::string& key_pem) {
    prepare();
    return quic::is_self_made(certificate_pem, key_pem);
}

quic::CertificateFacts facts_of(const std::string& certificate_pem) {
    prepare();
    const auto certificates = quic::certificates_from_pem(certificate_pem);
    const auto facts =
        certificates.empty() ? std::nullopt : quic::certificate_facts(certificates.front());
    if (!facts) throw CoreFailure{make_error_code(quic::CertificateError::not_a_certificate)};
    return *facts;
}

std::string fingerprint(const std::string& certificate_pem) {
    prepare();
    return quicchat::format_fingerprint(value_or_throw(quic::key_fingerprint(certificate_pem)));
}

std::pair<std::int64_t, std::int64_t> validity(const std::string& certificate_pem) {
    const quic::Validity found = facts_of(certificate_pem).validity;
    return {found.begin.time_since_epoch().count(), found.end.time_since_epoch().count()};
}

std::string verifier(const std::string& password, const py::bytes& salt_bytes,
                     std::uint32_t iterations) {
    const ScramSalt salt = to_salt(salt_bytes);
    const ReleasedGil other_threads_may_run;  // slow on purpose
    return format_verifier(
        value_or_throw(make_verifier<quic::WolfCrypto>(password, salt, iterations)));
}

void check_verifier(const std::string& text) { (void)value_or_throw(parse_verifier(text)); }

/// What the file knows about a server: its keys, and whether a damaged line may have said more.
std::pair<std::vector<std::string>, bool> known_keys(const std::string& path,
                                                     const std::string& address) {
    const std::string text = value_or_throw(quic::read_known_servers_file(path));
    const KnownServers known = value_or_throw(parse_known_servers(text));
    const std::string wanted = detail::lower_case(address);
    std::pair<std::vector<std::string>, bool> result;
    for (const KnownServer& server : known.servers) {
        if (server.address == wanted) {
            result.first.push_back(quicchat::format_fingerprint(server.key));
        }
    }
    for (const BadKnownServerLine& line : known.bad_lines) {
        if (line.address == wanted) result.second = true;
    }
    return result;
}

void add_known_key(const std::string& path, const std::string& address, const std::string& key,
                   const std::string& comment) {
    const KnownServer server{address, value_or_throw(quicchat::parse_fingerprint(key)), comment};
    const ReleasedGil other_threads_may_run;  // another program may hold the lock
    (void)value_or_throw(quic::add_to_known_servers_file(path, server));
}

}  // namespace

void bind_tools(py::module_& m) {
    m.def(
        "limits_problem",
        [](const py::dict& chosen) -> std::optional<std::string> {
            const char* problem = limits_problem(make_limits(chosen));
            return problem != nullptr ? std::optional<std::string>{problem} : std::nullopt;
        },
        py::arg("chosen"), "What of the limits, with these set, does not fit together; or None.");
    m.def("ascii_host", &quic::ascii_host_name, py::arg("name"),
          "A host name as name servers and certificates have it: A-labels. None if it is no name.");
    m.def("check_pair", &check_pair, py::arg("certificate_pem"), py::arg("key_pem"),
          "Raises CoreError if a server cannot use this certificate with this key, now.");
    m.def("make_self_signed", &make_self_signed, py::arg("names"), py::arg("days"),
          "A certificate for these host names or addresses and its key, in PEM form.");
    m.def("renew_self_signed", &renew_self_signed, py::arg("certificate_pem"), py::arg("key_pem"),
          py::arg("names"), py::arg("days"), py::arg("delay") = 0,
          "Another certificate for the key and the names of a self-signed one, in PEM form, as if "
          "made `delay` seconds later.");
    m.def("is_self_made", &is_self_made, py::arg("certificate_pem"), py::arg("key_pem"),
          "Whether `make_self_signed` or `renew_self_signed` has made it, as far as one can see.");
    m.def(
        "is_self_signed",
        [](const std::string& certificate_pem) { return facts_of(certificate_pem).is_self_signed; },
        py::arg("certificate_pem"), "Whether it vouches for itself.");
    m.def(
        "can_be_pinned",
        [](const std::string& certificate_pem) {
            return facts_of(certificate_pem).can_be_pinned();
        },
        py::arg("certificate_pem"), "Whether browsers take it from a page that pins it.");
    m.def("fingerprint", &fingerprint, py::arg("certificate_pem"),
          "sha256: and 64 hexadecimal digits, of the public key.");
    m.def("validity", &validity, py::arg("certificate_pem"),
          "From when until when a certificate is good: milliseconds since 1970.");
    m.def("verifier", &verifier, py::arg("password"), py::arg("salt"), py::arg("iterations"),
          "What a server keeps instead of a password (RFC 5803). Slow on purpose.");
    m.def("check_verifier", &check_verifier, py::arg("text"),
          "Raises CoreError if this is not what `verifier` makes.");
    m.def("known_keys", &known_keys, py::arg("path"), py::arg("address"),
          "The keys of a server in a known_servers file, and whether a line of it is damaged.");
    m.def("add_known_key", &add_known_key, py::arg("path"), py::arg("address"), py::arg("key"),
          py::arg("comment"), "Adds a server to a known_servers file, which is made if need be.");
}

}  // namespace quicchat::python
