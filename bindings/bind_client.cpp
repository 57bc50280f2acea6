#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "client_port.hpp"
#include "convert.hpp"
#include "endpoints.hpp"
#include "engine.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "quicchat/base/match.hpp"

namespace quicchat::python {
namespace {

py::tuple mail_tuple(const ClientMail& mail);

/// Python's end of a client. Thread-safe; nothing here waits.
class ClientHandle {
public:
    ClientHandle(DialOptions options, std::size_t events_max, std::size_t bytes_max)
        : engine_(live_engine()), port_(std::make_shared<ClientPort>(events_max, bytes_max)) {
        const py::gil_scoped_release other_threads_may_run;
        id_ = engine_->add(make_client(std::move(options), engine_->key_cache(), port_));
    }
    ClientHandle(const ClientHandle&) = delete;
    ClientHandle& operator=(const ClientHandle&) = delete;

    // May run on any thread, at any time the garbage collector likes: it only leaves a note.
    ~ClientHandle() {
        if (engine_->is_alive()) send({0, CloseCommand{}}, 0);
    }

    int fileno() const { return check(), port_->inbox.fd(); }

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
                 const std::optional<py::bytes>& id) {
        const std::size_t bytes = text.size() + attributes.size();
        request({ticket, PublishCommand{std::move(room), std::move(text), std::move(attributes),
                                        message_id(id)}},
                bytes);
    }
    void tell(Ticket ticket, std::string user, std::string text, std::string attributes,
              const std::optional<py::bytes>& id) {
        const std::size_t bytes = text.size() + attributes.size();
        request({ticket, TellCommand{std::move(user), std::move(text), std::move(attributes),
                                     message_id(id)}},
                bytes);
    }
    void request_members(Ticket ticket, std::string room, std::string after) {
        request({ticket, MembersCommand{std::move(room), std::move(after)}}, 0);
    }
    void close() { check(), send({0, CloseCommand{}}, 0); }

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

py::tuple offline_tuple(const CloseReason& r) {
    return py::make_tuple(to_python(r.errc), r.by_peer, to_python(r.text), r.transport_code,
                          r.datagrams_received, to_python(r.peer_key));
}

std::string_view durability_name(Durability durability) {
    switch (durability) {
        case Durability::memory:
            return "memory";
        case Durability::process:
            return "process";
        case Durability::fsync:
            return "fsync";
    }
    return "memory";
}

std::string_view cause_name(RoomGap::Cause cause) {
    switch (cause) {
        case RoomGap::Cause::retention:
            return "retention";
        case RoomGap::Cause::new_epoch:
            return "new_epoch";
        case RoomGap::Cause::rolled_back:
            return "rolled_back";
    }
    return "retention";
}

std::uint64_t number(Epoch epoch) { return static_cast<std::uint64_t>(epoch); }

std::pair<const char*, py::tuple> event_pair(const ClientEvent& event) {
    using Pair = std::pair<const char*, py::tuple>;
    const auto text = [](const std::string& s) { return to_python(std::string_view{s}); };
    return match(
        event,
        [&](const Online& e) {
            return Pair{"online", py::make_tuple(text(e.user), e.limits.message_bytes_max,
                                                 e.limits.attributes_bytes_max, e.limits.rooms_max,
                                                 text(e.peer_address), to_python(e.server_key))};
        },
        [](const Reconnecting& e) {
            const py::tuple more = py::make_tuple(to_python(e.delay), e.attempt);
            return Pair{"reconnecting", py::tuple{offline_tuple(e.reason) + more}};
        },
        [](const Offline& e) {
            return Pair{"offline", offline_tuple(e.reason)};
        },
        [&](const GoingAway& e) {
            return Pair{"going_away",
                        py::make_tuple(to_python(e.errc), to_python(e.grace), text(e.text))};
        },
        [&](const RoomJoined& e) {
            return Pair{"joined",
                        py::make_tuple(text(e.room), number(e.epoch), e.head, e.next, e.recovered)};
        },
        [&](const RoomLeft& e) {
            return Pair{"left", py::make_tuple(text(e.room), to_python(e.errc), text(e.text))};
        },
        [&](const RoomMessage& e) {
            return Pair{"message", py::make_tuple(text(e.room), number(e.epoch), e.offset,
                                                  to_python(e.time), to_python(e.id), text(e.from),
                                                  text(e.text), text(e.attributes))};
        },
        [&](const PrivateMessage& e) {
            return Pair{"private", py::make_tuple(number(e.epoch), e.offset, to_python(e.time),
                                                  to_python(e.id), text(e.from), text(e.to),
                                                  text(e.text), text(e.attributes))};
        },
        [](const Acked& e) {
            return Pair{"acked", py::make_tuple(number(e.epoch), e.offset, to_python(e.id),
                                                to_python(durability_name(e.durability)),
                                                to_python(e.time))};
        },
        [&](const Refused& e) {
            return Pair{"refused", py::make_tuple(text(e.room), to_python(e.errc),
                                                  to_python(e.retry_after), text(e.text))};
        },
        [&](const RoomGap& e) {
            return Pair{"gap", py::make_tuple(text(e.room), number(e.epoch), e.first, e.last,
                                              std::string{cause_name(e.cause)})};
        },
        [&](const MemberList& e) {
            py::list users;
            for (const std::string& user : e.users) users.append(text(user));
            return Pair{"members", py::make_tuple(text(e.room), py::tuple{users}, e.complete)};
        },
        [&](const PresenceChanged& e) {
            return Pair{"presence", py::make_tuple(text(e.room), text(e.user), e.present)};
        },
        [](const TokenRenewed&) {  // the runner keeps it
            return Pair{"nothing", py::tuple{}};
        });
}

/// (kind, ticket, fields), with the fields in the order of the dataclass in events.py.
py::tuple mail_tuple(const ClientMail& mail) {
    if (const Errc* errc = std::get_if<Errc>(&mail.what)) {
        return py::make_tuple("refused", mail.ticket,
                              py::make_tuple("", to_python(*errc), 0.0, ""));
    }
    auto [kind, fields] = event_pair(std::get<ClientEvent>(mail.what));
    return py::make_tuple(kind, mail.ticket, std::move(fields));
}

}  // namespace

void bind_client(py::module_& m) {
    py::class_<ClientHandle, py::smart_holder>(m, "Client",
                                               "A client on the engine thread. It dials at once.")
        .def(py::init([](std::string address, std::string server_name, std::string user,
                         std::optional<std::string> password, std::string state,
                         std::string account, std::string trust, std::string pem,
                         std::vector<std::string> keys, std::string alpn, std::string agent,
                         const py::dict& limits, const std::optional<py::dict>& reconnect,
                         std::size_t inbox_events, std::size_t inbox_bytes) {
                 DialOptions options{.address = std::move(address),
                                     .server_name = std::move(server_name),
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
                                     .reconnect = make_reconnection(reconnect)};
                 return std::make_unique<ClientHandle>(std::move(options), inbox_events,
                                                       inbox_bytes);
             }),
             py::kw_only(), py::arg("address"), py::arg("server_name"), py::arg("user"),
             py::arg("password"), py::arg("state"), py::arg("account"), py::arg("trust"),
             py::arg("pem"), py::arg("keys"), py::arg("alpn"), py::arg("agent"), py::arg("limits"),
             py::arg("reconnect"), py::arg("inbox_events"), py::arg("inbox_bytes"))
        .def("fileno", &ClientHandle::fileno, "Readable while `drain` has something to give.")
        .def("drain", &ClientHandle::drain, py::arg("max") = 256,
             "The oldest events: (kind, ticket, fields) each.")
        .def("join", &ClientHandle::join, py::arg("ticket"), py::arg("room"), py::arg("position"),
             py::arg("count"), py::arg("epoch"), py::arg("offset"))
        .def("leave", &ClientHandle::leave, py::arg("ticket"), py::arg("room"))
        .def("publish", &ClientHandle::publish, py::arg("ticket"), py::arg("room"), py::arg("text"),
             py::arg("attributes"), py::arg("id"))
        .def("tell", &ClientHandle::tell, py::arg("ticket"), py::arg("user"), py::arg("text"),
             py::arg("attributes"), py::arg("id"))
        .def("request_members", &ClientHandle::request_members, py::arg("ticket"), py::arg("room"),
             py::arg("after"))
        .def("close", &ClientHandle::close, "Ends the connection; an event `offline` follows.");
}

}  // namespace quicchat::python
