#include <pybind11/stl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "client_handle.hpp"
#include "endpoints.hpp"
#include "engine.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "python_records.hpp"
#include "released_gil.hpp"

namespace quicchat::python {

void bind_client(py::module_& m) {
    prepare_datetimes();
    m.def("datetime_of",
          [](std::int64_t milliseconds) {
              return to_datetime(WallTime{std::chrono::milliseconds{milliseconds}});
          },
          py::arg("milliseconds"),
          "In UTC, of milliseconds since 1970; what no calendar has is the end of Python's.");
    m.def("use_record_types", &use_record_types, py::arg("message"), py::arg("receipt"),
          py::arg("attributes"), py::arg("no_attributes"), py::arg("file"),
          "The classes that `drain` makes objects of; to be said before.");
    py::class_<ClientHandle, py::smart_holder>(m, "Client",
                                               "A client on the engine thread. It dials at once.")
        .def(py::init([](std::string host, std::uint16_t port, std::vector<std::string> addresses,
                         std::string user, std::optional<std::string> password, std::string state,
                         std::string account, std::string trust, std::string pem,
                         std::vector<std::string> keys, std::string alpn, std::string agent,
                         const py::dict& limits, const std::optional<py::dict>& reconnect,
                         std::size_t inbox_events, std::size_t inbox_bytes, std::string qlog,
                         std::uint64_t qlog_bytes_max) {
                 DialOptions options{.host = std::move(host),
                                     .port = port,
                                     .addresses = std::move(addresses),
                                     .user = std::move(user),
                                     .password = std::move(password),
                                     .state = std::move(state),
                                     .account = std::move(account),
                                     .trust = std::move(trust),
                                     .pem = std::move(pem),
                                     .keys = std::move(keys),
                                     .alpn = std::move(alpn),
                                     .agent = std::move(agent),
                                     .limits = make_limits(limits),
                                     .reconnect = make_reconnection(reconnect),
                                     .qlog = {std::move(qlog), qlog_bytes_max}};
                 Engine* const engine = live_engine();
                 auto mail = std::make_shared<ClientPort>(inbox_events, inbox_bytes);
                 const RunnerId id = [&] {
                     const ReleasedGil other_threads_may_run;
                     return engine->add(make_client(std::move(options), engine->key_cache(),
                                                    engine->open_background(), mail));
                 }();
                 return std::make_unique<ClientHandle>(as_host(engine), id, std::move(mail));
             }),
             py::kw_only(), py::arg("host"), py::arg("port"), py::arg("addresses"), py::arg("user"),
             py::arg("password"), py::arg("state"), py::arg("account"), py::arg("trust"),
             py::arg("pem"), py::arg("keys"), py::arg("alpn"), py::arg("agent"), py::arg("limits"),
             py::arg("reconnect"), py::arg("inbox_events"), py::arg("inbox_bytes"),
             py::arg("qlog") = "", py::arg("qlog_bytes_max") = 0)
        .def("fileno", &ClientHandle::fileno, "Readable while `drain` has something to give.")
        .def("token_generation", &ClientHandle::token_generation,
             "Of the newest login token that is in the state file; 0: none.")
        .def("drain", &ClientHandle::drain, py::arg("max") = 256,
             "The oldest events: a message, (ticket, receipt), or (kind, ticket, fields).")
        .def("join", &ClientHandle::join, py::arg("ticket"), py::arg("room"), py::arg("position"),
             py::arg("count"), py::arg("epoch"), py::arg("offset"))
        .def("leave", &ClientHandle::leave, py::arg("ticket"), py::arg("room"))
        .def("publish", &ClientHandle::publish, py::arg("ticket"), py::arg("room"), py::arg("text"),
             py::arg("attributes"), py::arg("id"), py::arg("act"),
             "True: the engine must be told by `wake`, now or a little later.")
        .def("wake", &ClientHandle::wake)
        .def("tell", &ClientHandle::tell, py::arg("ticket"), py::arg("user"), py::arg("text"),
             py::arg("attributes"), py::arg("id"))
        .def("create_room", &ClientHandle::create_room, py::arg("ticket"), py::arg("room"),
             py::arg("access"), py::arg("topic"), py::arg("id"))
        .def("request_rooms", &ClientHandle::request_rooms, py::arg("ticket"), py::arg("after"))
        .def("request_history", &ClientHandle::request_history, py::arg("ticket"), py::arg("room"),
             py::arg("offset"), py::arg("before"), py::arg("after"))
        .def("request_search", &ClientHandle::request_search, py::arg("ticket"), py::arg("room"),
             py::arg("words"), py::arg("before"), py::arg("count"))
        .def("request_members", &ClientHandle::request_members, py::arg("ticket"), py::arg("room"),
             py::arg("after"))
        .def("set_display_name", &ClientHandle::set_display_name, py::arg("ticket"),
             py::arg("display"))
        .def("mark_read", &ClientHandle::mark_read, py::arg("room"), py::arg("offset"),
             py::arg("shared"), "Has no answer.")
        .def("send_file", &ClientHandle::send_file, py::arg("ticket"), py::arg("room"),
             py::arg("name"), py::arg("size"), py::arg("digest"), py::arg("attributes"),
             py::arg("reply_to"), py::arg("id"),
             "Events `file_wanted` follow: answer each by `give_file`.")
        .def("give_file", &ClientHandle::give_file, py::arg("ticket"), py::arg("offset"),
             py::arg("bytes"))
        .def("fetch_file", &ClientHandle::fetch_file, py::arg("ticket"), py::arg("room"),
             py::arg("offset"), py::arg("from_"))
        .def("cancel_file", &ClientHandle::cancel_file, py::arg("ticket"), "Has no answer.")
        .def("use_file_bytes", &ClientHandle::use_file_bytes, py::arg("count"),
             "So many bytes of files are written, or of no use: more may come. Has no answer.")
        .def("say_typing", &ClientHandle::say_typing, py::arg("room"), "Has no answer.")
        .def("stats", &ClientHandle::stats, "Waits for the engine: the client's figures.")
        .def("close", &ClientHandle::close, "Ends the connection; an event `offline` follows.");
}

}  // namespace quicchat::python
