#include <pybind11/stl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "client_handle.hpp"
#include "memory_world.hpp"
#include "options.hpp"
#include "server_handle.hpp"

namespace quicchat::python {
namespace {

memory::Dialling to_dialling(const std::string& name) {
    if (name == "answered") return memory::Dialling::answered;
    if (name == "refused") return memory::Dialling::refused;
    if (name == "unanswered") return memory::Dialling::unanswered;
    throw py::value_error(name);
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void bind_memory(py::module_& m) {
    using World = std::shared_ptr<MemoryWorld>;
    py::class_<MemoryWorld, py::smart_holder>(
        m, "World", "Clients and servers over a network in memory, on a clock of its own.")
        .def(py::init([](std::uint64_t seed, std::int64_t wall) {
                 return std::make_shared<MemoryWorld>(seed,
                                                      WallTime{std::chrono::milliseconds{wall}});
             }),
             py::kw_only(), py::arg("seed"), py::arg("wall"))
        .def(
            "serve",
            [](const World& self, std::optional<std::vector<std::string>> accounts,
               std::vector<std::string> rooms, std::vector<std::string> operators,
               bool anybody_makes_rooms, std::string speaker,
               const std::optional<double>& check_timeout, bool accepts_unchecked,
               std::string agent, const py::dict& limits, bool files) {
                auto mail = std::make_shared<ServerPort>(server_inbox_events, server_inbox_bytes);
                ServerConfig config{
                    .rooms = std::move(rooms),
                    .operators = std::move(operators),
                    .anybody_makes_rooms = anybody_makes_rooms,
                    .speaker = speaker,
                    .agent = std::move(agent),
                    .limits = make_limits(limits),
                    .checks_messages = check_timeout.has_value(),
                    .check_timeout = to_duration(check_timeout.value_or(0)),
                    .unchecked = accepts_unchecked ? Unchecked::accept : Unchecked::refuse};
                const RunnerId id =
                    self->add_server({std::move(config), std::move(accounts), files}, mail);
                return std::make_unique<ServerHandle>(
                    self, id, std::move(mail), "memory:0", ServerSettings{}, std::string{},
                    std::vector<std::string>{}, std::move(speaker));
            },
            py::kw_only(), py::arg("accounts"), py::arg("rooms"), py::arg("operators"),
            py::arg("anybody_makes_rooms"), py::arg("speaker"), py::arg("check_timeout"),
            py::arg("accepts_unchecked"), py::arg("agent"), py::arg("limits"), py::arg("files"),
            "Its server; one at a time. `accounts`: None for whoever says a name.")
        .def(
            "dial",
            [](const World& self, std::string user, std::string agent, const py::dict& limits,
               const std::optional<py::dict>& reconnect, std::size_t inbox_events,
               std::size_t inbox_bytes) {
                auto mail = std::make_shared<ClientPort>(inbox_events, inbox_bytes);
                const RunnerId id =
                    self->add_client({std::move(user), std::move(agent), make_limits(limits),
                                      make_reconnection(reconnect)},
                                     mail);
                return std::make_unique<ClientHandle>(self, id, std::move(mail));
            },
            py::kw_only(), py::arg("user"), py::arg("agent"), py::arg("limits"),
            py::arg("reconnect"), py::arg("inbox_events"), py::arg("inbox_bytes"),
            "A client of that server, which dials at once.")
        .def_property_readonly("elapsed", [](MemoryWorld& self) { return seconds(self.elapsed()); })
        .def_property_readonly("turns", &MemoryWorld::turns,
                               "How often anything had a turn: unchanged while all is at rest.")
        .def(
            "step", [](MemoryWorld& self, double until) { self.step(to_duration(until)); },
            py::arg("until"),
            "Moves the clock to what happens next, at most so far from the beginning.")
        .def(
            "set_delay",
            [](MemoryWorld& self, double min, double max) {
                self.set_delay(to_duration(min), to_duration(max));
            },
            py::arg("min"), py::arg("max"))
        .def(
            "set_dialling",
            [](MemoryWorld& self, const std::string& name) {
                self.set_dialling(to_dialling(name));
            },
            py::arg("name"), "answered, refused or unanswered.")
        .def(
            "cut", [](MemoryWorld& self, const ClientHandle& c) { self.cut(c.id()); },
            py::arg("client"))
        .def(
            "cut_after",
            [](MemoryWorld& self, const ClientHandle& c, std::size_t bytes) {
                self.cut_after(c.id(), bytes);
            },
            py::arg("client"), py::arg("bytes"))
        .def(
            "stall", [](MemoryWorld& self, const ClientHandle& c) { self.stall(c.id()); },
            py::arg("client"))
        .def(
            "resume", [](MemoryWorld& self, const ClientHandle& c) { self.resume(c.id()); },
            py::arg("client"));
}

}  // namespace quicchat::python
