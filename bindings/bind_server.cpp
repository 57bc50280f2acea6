#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "endpoints.hpp"
#include "engine.hpp"
#include "options.hpp"
#include "released_gil.hpp"
#include "server_handle.hpp"

namespace quicchat::python {
namespace {

/// Name, password, verifier, salt.
using AccountFields = std::tuple<std::string, std::string, std::string, py::bytes>;

/// Keys, name of the server, hosts.
using TicketFields = std::tuple<std::vector<std::string>, std::string, std::vector<std::string>>;

TicketSettings configured(TicketFields fields) {
    auto& [keys, audience, hosts] = fields;
    return {std::move(keys), std::move(audience), std::move(hosts)};
}

std::vector<ConfiguredAccount> configured(const std::vector<AccountFields>& fields) {
    std::vector<ConfiguredAccount> accounts;
    for (const auto& [name, password, verifier, salt] : fields) {
        accounts.push_back({name, password, verifier, to_salt(salt)});
    }
    return accounts;
}

}  // namespace

void bind_server(py::module_& m) {
    py::class_<ServerHandle, py::smart_holder>(m, "Server",
                                               "A server on the engine thread. It listens at once.")
        .def(py::init([](std::string address, std::string certificate_pem, std::string key_pem,
                         const std::vector<AccountFields>& accounts, std::uint32_t iterations,
                         std::string database, std::string durability, std::string files,
                         bool files_in_memory, const std::optional<double>& hook_timeout,
                         const std::optional<double>& check_timeout, bool accepts_unchecked,
                         std::vector<std::string> rooms, std::vector<std::string> operators,
                         bool anybody_makes_rooms, std::string speaker, std::string alpn,
                         std::string agent, const py::dict& limits, std::string qlog,
                         std::uint64_t qlog_bytes_max, TicketFields tickets, bool page_passwords,
                         std::string web_certificate_pem, std::string web_key_pem,
                         std::string web_path, std::vector<std::string> web_origins,
                         std::size_t threads) {
                 const ServeOptions options{
                     .address = std::move(address),
                     .settings = {.certificate_pem = std::move(certificate_pem),
                                  .key_pem = std::move(key_pem),
                                  .web_certificate_pem = std::move(web_certificate_pem),
                                  .web_key_pem = std::move(web_key_pem),
                                  .accounts = configured(accounts),
                                  .iterations = iterations,
                                  .rooms = std::move(rooms),
                                  .operators = std::move(operators),
                                  .anybody_makes_rooms = anybody_makes_rooms,
                                  .limits = make_limits(limits),
                                  .web = {std::move(web_path), std::move(web_origins),
                                          page_passwords, configured(std::move(tickets))}},
                     .database = std::move(database),
                     .durability = std::move(durability),
                     .files = std::move(files),
                     .files_in_memory = files_in_memory,
                     .asks = hook_timeout.has_value(),
                     .hook_timeout = to_duration(hook_timeout.value_or(0)),
                     .checks_messages = check_timeout.has_value(),
                     .check_timeout = to_duration(check_timeout.value_or(0)),
                     .accepts_unchecked = accepts_unchecked,
                     .speaker = std::move(speaker),
                     .alpn = std::move(alpn),
                     .agent = std::move(agent),
                     .qlog = {std::move(qlog), qlog_bytes_max},
                     .threads = threads};
                 Engine* const engine = live_engine();
                 auto mail = std::make_shared<ServerPort>(server_inbox_events, server_inbox_bytes);
                 auto [bound, id] = [&] {
                     const ReleasedGil other_threads_may_run;
                     BoundServer made = make_server(options, mail);
                     const RunnerId number = engine->add(std::move(made.runner));
                     return std::pair{std::move(made), number};
                 }();
                 return std::make_unique<ServerHandle>(as_host(engine), id, std::move(mail),
                                                       std::move(bound.address), options.settings,
                                                       options.database, std::move(bound.replaced),
                                                       std::move(bound.speaker));
             }),
             py::kw_only(), py::arg("address"), py::arg("certificate_pem"), py::arg("key_pem"),
             py::arg("accounts"), py::arg("iterations"), py::arg("database"), py::arg("durability"),
             py::arg("files"), py::arg("files_in_memory"), py::arg("hook_timeout"),
             py::arg("check_timeout"), py::arg("accepts_unchecked"), py::arg("rooms"),
             py::arg("operators"), py::arg("anybody_makes_rooms"), py::arg("speaker") = "",
             py::arg("alpn"), py::arg("agent"), py::arg("limits"), py::arg("qlog") = "",
             py::arg("qlog_bytes_max") = 0, py::arg("tickets") = TicketFields{},
             py::arg("page_passwords") = false, py::arg("web_certificate_pem") = "",
             py::arg("web_key_pem") = "", py::arg("web_path") = "",
             py::arg("web_origins") = std::vector<std::string>{}, py::arg("threads") = 1)
        .def(
            "reload",
            [](ServerHandle& self, std::string certificate_pem, std::string key_pem,
               const std::vector<AccountFields>& accounts, std::uint32_t iterations,
               std::vector<std::string> rooms, std::vector<std::string> operators,
               bool anybody_makes_rooms, const py::dict& limits, TicketFields tickets,
               bool page_passwords, std::string web_certificate_pem, std::string web_key_pem,
               std::string web_path, std::vector<std::string> web_origins) {
                const AccountChanges changes =
                    self.reload({.certificate_pem = std::move(certificate_pem),
                                 .key_pem = std::move(key_pem),
                                 .web_certificate_pem = std::move(web_certificate_pem),
                                 .web_key_pem = std::move(web_key_pem),
                                 .accounts = configured(accounts),
                                 .iterations = iterations,
                                 .rooms = std::move(rooms),
                                 .operators = std::move(operators),
                                 .anybody_makes_rooms = anybody_makes_rooms,
                                 .limits = make_limits(limits),
                                 .web = {std::move(web_path), std::move(web_origins),
                                         page_passwords, configured(std::move(tickets))}});
                return std::tuple{changes.added, changes.replaced, changes.removed, changes.hashed};
            },
            py::kw_only(), py::arg("certificate_pem"), py::arg("key_pem"), py::arg("accounts"),
            py::arg("iterations"), py::arg("rooms"), py::arg("operators"),
            py::arg("anybody_makes_rooms"), py::arg("limits"), py::arg("tickets") = TicketFields{},
            py::arg("page_passwords") = false, py::arg("web_certificate_pem") = "",
            py::arg("web_key_pem") = "", py::arg("web_path") = "",
            py::arg("web_origins") = std::vector<std::string>{},
            "Other settings, without cutting anybody; on an error it goes on as before. Waits. The "
            "accounts that were added, have another password, and were removed; how many passwords "
            "were hashed.")
        .def("fileno", &ServerHandle::fileno, "Readable while `drain` has something to give.")
        .def("drain", &ServerHandle::drain, py::arg("max") = 256,
             "The oldest events: (kind, fields) each.")
        .def("answer", &ServerHandle::answer, py::arg("ticket"), py::arg("verdict"),
             py::arg("name") = "", py::arg("verifier") = "", "Answers a question about a login.")
        .def("answer_check", &ServerHandle::answer_check, py::arg("ticket"), py::arg("verdict"),
             py::arg("text") = "", py::arg("attributes") = py::none(),
             "Answers a question about a message.")
        .def("stats", &ServerHandle::stats,
             "Waits for the engine: the server's figures, and those of each connection.")
        .def("rooms", &ServerHandle::rooms,
             "(name, topic, creator, access, first, head, accounts, members, kept, chosen) each, "
             "the "
             "last two as (records, bytes, seconds).")
        .def("read_room", &ServerHandle::read_room, py::arg("room"), py::arg("after"),
             py::arg("count_max"), "The records above an offset: (kind, fields) each.")
        .def("remove_room", &ServerHandle::remove_room, py::arg("room"),
             "Deletes a room with its records and its files.")
        .def("act_in_room", &ServerHandle::act_in_room, py::arg("room"), py::arg("by"),
             py::arg("id"), py::arg("text"), py::arg("act"),
             "An act of an account, as if it had asked. Returns when it is on its way to the log.")
        .def(
            "say", &ServerHandle::say, py::arg("ticket"), py::arg("room"), py::arg("by"),
            py::arg("id"), py::arg("text"), py::arg("attributes"), py::arg("act"),
            "Has an act of an account stored, in a room as it calls it. An event `answer` follows.")
        .def("create_room", &ServerHandle::create_room, py::arg("ticket"), py::arg("room"),
             py::arg("owner"), py::arg("id"), py::arg("access"), py::arg("topic"))
        .def("request_page", &ServerHandle::request_page, py::arg("ticket"), py::arg("room"),
             py::arg("reader"), py::arg("after"), py::arg("count"))
        .def("request_search", &ServerHandle::request_search, py::arg("ticket"), py::arg("room"),
             py::arg("reader"), py::arg("words"), py::arg("before"), py::arg("count"))
        .def("request_people", &ServerHandle::request_people, py::arg("ticket"), py::arg("room"),
             py::arg("reader"), py::arg("after"))
        .def("request_reports", &ServerHandle::request_reports, py::arg("ticket"))
        .def("request_rooms_of", &ServerHandle::request_rooms_of, py::arg("ticket"),
             py::arg("user"), py::arg("after"))
        .def("set_display_name", &ServerHandle::set_display_name, py::arg("ticket"),
             py::arg("user"), py::arg("display"))
        .def("mark_read", &ServerHandle::mark_read, py::arg("ticket"), py::arg("room"),
             py::arg("user"), py::arg("epoch"), py::arg("offset"), py::arg("shared"))
        .def("request_person", &ServerHandle::request_person, py::arg("ticket"), py::arg("user"))
        .def("request_online", &ServerHandle::request_online, py::arg("ticket"), py::arg("after"))
        .def("begin_file", &ServerHandle::begin_file, py::arg("ticket"), py::arg("room"),
             py::arg("by"), py::arg("id"), py::arg("name"), py::arg("size"), py::arg("digest"),
             py::arg("attributes"), py::arg("reply_to"))
        .def("give_file", &ServerHandle::give_file, py::arg("ticket"), py::arg("transfer"),
             py::arg("piece"))
        .def("finish_file", &ServerHandle::finish_file, py::arg("ticket"), py::arg("transfer"))
        .def("abandon_file", &ServerHandle::abandon_file, py::arg("transfer"),
             "Nothing is left of it. Without an answer.")
        .def("find_file", &ServerHandle::find_file, py::arg("ticket"), py::arg("room"),
             py::arg("reader"), py::arg("offset"))
        .def("read_file", &ServerHandle::read_file, py::arg("ticket"), py::arg("room"),
             py::arg("reader"), py::arg("epoch"), py::arg("offset"), py::arg("start"),
             py::arg("count"))
        .def("listen", &ServerHandle::listen, py::arg("on"),
             "Events `told` of what the speaker is told follow, or no more of them.")
        .def("watch_people", &ServerHandle::watch_people, py::arg("on"),
             "Events `person` of who comes on line and goes follow, or no more of them.")
        .def("disconnect", &ServerHandle::disconnect, py::arg("ticket"), py::arg("user"))
        .def("watch", &ServerHandle::watch, py::arg("room"), py::arg("on"),
             "Events `news` of a room follow, or no more of them.")
        .def("keep", &ServerHandle::keep, py::arg("room"), py::arg("records_max"),
             py::arg("bytes_max"), py::arg("age_max"),
             "How much of its history a room keeps from now on; None: as before, 0: as the limits "
             "say. The age is in seconds.")
        .def("shutdown", &ServerHandle::shutdown,
             "Tells all clients, waits for them a little, ends. An event `stopped` follows.")
        .def_property_readonly("address", &ServerHandle::address, "Where it listens: host:port.")
        .def_property_readonly("replaced", &ServerHandle::replaced,
                               "Accounts whose password in the database was another one.")
        .def_property_readonly("speaker", &ServerHandle::speaker,
                               "The name by which the program speaks; empty: it has none.")
        .def_property_readonly("connections", &ServerHandle::connections, "Open connections.");
}

}  // namespace quicchat::python
