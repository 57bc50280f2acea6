#include <pybind11/stl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "client_events.hpp"
#include "client_port.hpp"
#include "convert.hpp"
#include "endpoints.hpp"
#include "engine.hpp"
#include "failure.hpp"
#include "options.hpp"

namespace quicchat::python {
namespace {

/// Kind, target, subject, value, until in milliseconds since 1970.
using ActFields = std::tuple<std::uint8_t, Offset, std::string, std::uint64_t, std::int64_t>;

Act make_act(const ActFields& fields) {
    const auto& [kind, target, subject, value, until] = fields;
    return {Act::Kind{kind}, target, subject, value, WallTime{std::chrono::milliseconds{until}}};
}

/// Python's end of a client. Thread-safe; nothing here waits.
class ClientHandle {
public:
    ClientHandle(DialOptions options, std::size_t events_max, std::size_t bytes_max)
        : engine_(live_engine()), port_(std::make_shared<ClientPort>(events_max, bytes_max)) {
        const py::gil_scoped_release other_threads_may_run;
        id_ = engine_->add(make_client(std::move(options), engine_->key_cache(),
                                       engine_->open_background(), port_));
    }
    ClientHandle(const ClientHandle&) = delete;
    ClientHandle& operator=(const ClientHandle&) = delete;

    // May run on any thread, at any time the garbage collector likes: it only leaves a note.
    ~ClientHandle() {
        if (engine_->is_alive()) send({0, CloseCommand{}}, 0);
    }

    int fileno() const { return check(), port_->inbox.fd(); }

    std::uint64_t token_generation() const { return check(), port_->token_generation; }

    py::list drain(std::size_t max) {
        check();
        auto taken = port_->inbox.take(max);
        if (taken.was_full) engine_->wake(id_);
        py::list list;
        for (const ClientMail& mail : taken.mail) list.append(mail_tuple(mail));
        return list;
    }

    void join(Ticket ticket, std::string room, const std::string& from, std::uint64_t count,
              std::uint64_t epoch, Offset offset) {
        Position position = Position::from_now();
        if (from == "last") position = Position::last(count);
        if (from == "after") position = Position::after(Epoch{epoch}, offset);
        request({ticket, JoinCommand{std::move(room), position}}, 0);
    }
    void leave(Ticket ticket, std::string room) {
        request({ticket, LeaveCommand{std::move(room)}}, 0);
    }
    void publish(Ticket ticket, std::string room, std::string text, std::string attributes,
                 const std::optional<py::bytes>& id, const ActFields& act) {
        const std::size_t bytes = text.size() + attributes.size();
        request({ticket, PublishCommand{std::move(room), std::move(text), std::move(attributes),
                                        message_id(id), make_act(act)}},
                bytes);
    }
    void tell(Ticket ticket, std::string user, std::string text, std::string attributes,
              const std::optional<py::bytes>& id) {
        const std::size_t bytes = text.size() + attributes.size();
        request({ticket, TellCommand{std::move(user), std::move(text), std::move(attributes),
                                     message_id(id)}},
                bytes);
    }
    void create_room(Ticket ticket, std::string room, std::uint8_t access, std::string topic,
                     const std::optional<py::bytes>& id) {
        const std::size_t bytes = topic.size();
        request({ticket, CreateCommand{std::move(room), RoomAccess{access}, std::move(topic),
                                       message_id(id)}},
                bytes);
    }
    void request_rooms(Ticket ticket, std::string after) {
        request({ticket, RoomsCommand{std::move(after)}}, 0);
    }
    void request_history(Ticket ticket, std::string room, Offset offset, std::size_t before,
                         std::size_t after) {
        request({ticket, HistoryCommand{std::move(room), offset, before, after}}, 0);
    }
    void request_search(Ticket ticket, std::string room, std::string words, Offset before,
                        std::size_t count) {
        const std::size_t bytes = words.size();
        request({ticket, SearchCommand{std::move(room), std::move(words), before, count}}, bytes);
    }
    void request_members(Ticket ticket, std::string room, std::string after) {
        request({ticket, MembersCommand{std::move(room), std::move(after)}}, 0);
    }
    void set_display_name(Ticket ticket, std::string display) {
        request({ticket, ProfileCommand{std::move(display)}}, 0);
    }
    void mark_read(std::string room, Offset offset, bool shared) {
        request({0, MarkCommand{std::move(room), offset, shared}}, 0);
    }
    void send_file(Ticket ticket, std::string room, std::string name, std::uint64_t size,
                   const py::bytes& digest, std::string attributes, Offset reply_to,
                   const std::optional<py::bytes>& id) {
        const BytesView view = as_bytes(std::string_view{digest});
        request({ticket, SendFileCommand{std::move(room),
                                         {std::move(name), size, Buffer(view.begin(), view.end()),
                                          std::move(attributes), reply_to},
                                         message_id(id)}},
                0);
    }
    void give_file(Ticket ticket, std::uint64_t offset, const py::bytes& bytes) {
        // Asked for one after the other, so not counted: what is given must arrive.
        check();
        send({ticket, GiveFileCommand{offset, std::string{bytes}}}, 0);
    }
    void fetch_file(Ticket ticket, std::string room, Offset offset, std::uint64_t from) {
        request({ticket, FetchFileCommand{std::move(room), offset, from}}, 0);
    }
    void cancel_file(Ticket ticket) { check(), send({ticket, CancelFileCommand{}}, 0); }
    void use_file_bytes(std::size_t count) { check(), send({0, UseFileBytesCommand{count}}, 0); }
    void say_typing(std::string room) { request({0, TypingCommand{std::move(room)}}, 0); }
    void close() { check(), send({0, CloseCommand{}}, 0); }

    /// Waits for the engine.
    py::dict stats() {
        check();
        Promised<ClientStats> answer = std::make_shared<std::promise<ClientStats>>();
        std::future<ClientStats> stats = answer->get_future();
        request({0, StatsCommand{std::move(answer)}}, 0);
        return to_dict(wait_for(std::move(stats)));
    }

private:
    void check() const {
        if (!engine_->is_alive()) throw ForkFailure{};
    }

    static std::optional<MessageId> message_id(const std::optional<py::bytes>& bytes) {
        if (!bytes) return std::nullopt;
        return MessageId{to_sixteen<decltype(MessageId::bytes)>(*bytes, "a message id")};
    }

    void request(ClientCommand command, std::size_t bytes) {
        check();
        if (!send(std::move(command), bytes)) throw CoreFailure{Errc::queue_full};
    }

    bool send(ClientCommand command, std::size_t bytes) {
        const auto posted = port_->post(std::move(command), bytes);
        if (posted == ClientPort::Posted::woke) engine_->wake(id_);
        return posted != ClientPort::Posted::full;
    }

    Engine* engine_;
    std::shared_ptr<ClientPort> port_;
    RunnerId id_{};
};

}  // namespace

void bind_client(py::module_& m) {
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
                 return std::make_unique<ClientHandle>(std::move(options), inbox_events,
                                                       inbox_bytes);
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
             "The oldest events: (kind, ticket, fields) each.")
        .def("join", &ClientHandle::join, py::arg("ticket"), py::arg("room"), py::arg("position"),
             py::arg("count"), py::arg("epoch"), py::arg("offset"))
        .def("leave", &ClientHandle::leave, py::arg("ticket"), py::arg("room"))
        .def("publish", &ClientHandle::publish, py::arg("ticket"), py::arg("room"), py::arg("text"),
             py::arg("attributes"), py::arg("id"), py::arg("act"))
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
