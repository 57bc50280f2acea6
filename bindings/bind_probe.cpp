#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "convert.hpp"
#include "options.hpp"
#include "probe.hpp"
#include "quicchat/quic/certificate_facts.hpp"
#include "released_gil.hpp"
#include "stats.hpp"

namespace quicchat::python {
namespace {

py::object certificate_dict(const std::vector<std::uint8_t>& certificate) {
    const auto facts = quic::certificate_facts(certificate);
    if (!facts) return py::none();
    py::list names;
    for (const std::string& name : facts->names) names.append(to_python(std::string_view{name}));
    py::dict all;
    all["subject"] = to_python(std::string_view{facts->subject});
    all["issuer"] = to_python(std::string_view{facts->issuer});
    all["names"] = names;
    all["self_signed"] = facts->is_self_signed;
    all["begin"] = to_python(facts->validity.begin);
    all["end"] = to_python(facts->validity.end);
    return all;
}

/// What is known by now: `error` is "" while there is no reason to have any.
py::dict facts_of(const Probe& probe) {
    py::dict all;
    const std::optional<CloseReason>& reason = probe.reason();
    const CloseReason end = reason.value_or(CloseReason{});
    all["connected"] = probe.connected().has_value();
    all["address"] = to_python(
        std::string_view{probe.connected() ? probe.connected()->peer_address : std::string{}});
    all["fingerprint"] = to_python(probe.connected() ? probe.connected()->peer_key : end.peer_key);
    all["error"] = reason ? to_python(end.errc) : to_python(std::string_view{});
    all["by_peer"] = end.by_peer;
    all["text"] = to_python(std::string_view{end.text});
    all["transport_code"] = end.transport_code;
    all["datagrams_received"] = end.datagrams_received;
    all["handshake_time"] = to_python(probe.is_over() ? probe.handshake_time() : Duration{});
    all["certificate"] = certificate_dict(probe.certificate());
    const std::optional<PathStats> path = probe.path();
    all["round_trip"] = to_python(path ? path->round_trip : Duration{});
    all["packet_bytes_max"] = path ? path->packet_bytes_max : 0;
    return all;
}

}  // namespace

void bind_probe(py::module_& m) {
    using WithoutGil = py::call_guard<ReleasedGil>;
    py::class_<Probe, py::smart_holder>(
        m, "Probe", "A QUIC connection without a login, to look at a server. No engine.")
        .def(py::init([](std::string host, std::uint16_t port, std::vector<std::string> addresses,
                         std::string trust, std::string pem, std::vector<std::string> keys,
                         std::string alpn, double timeout) {
                 return std::make_unique<Probe>(ProbeOptions{.host = std::move(host),
                                                             .port = port,
                                                             .addresses = std::move(addresses),
                                                             .trust = std::move(trust),
                                                             .pem = std::move(pem),
                                                             .keys = std::move(keys),
                                                             .alpn = std::move(alpn),
                                                             .timeout = to_duration(timeout)});
             }),
             py::kw_only(), py::arg("host"), py::arg("port"), py::arg("addresses"),
             py::arg("trust"), py::arg("pem"), py::arg("keys"), py::arg("alpn"), py::arg("timeout"))
        .def(
            "step", [](Probe& probe, double patience) { probe.step(to_duration(patience)); },
            py::arg("patience"), WithoutGil{},
            "Goes on for so many seconds at most, or until the handshake is over.")
        .def(
            "stay", [](Probe& probe, double patience) { probe.stay(to_duration(patience)); },
            py::arg("patience"), WithoutGil{}, "Keeps the connection for so many seconds.")
        .def("is_over", &Probe::is_over, "The handshake has succeeded or failed.")
        .def("facts", &facts_of, "What is known by now.");
}

}  // namespace quicchat::python
