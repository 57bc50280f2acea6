#pragma once

#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client_events.hpp"
#include "client_port.hpp"
#include "convert.hpp"
#include "failure.hpp"
#include "runner.hpp"
#include "stats.hpp"

namespace quicchat::python {

/// Python's end of a client. Thread-safe; nothing here waits but `stats`.
class ClientHandle {
public:
    ClientHandle(std::shared_ptr<Host> host, RunnerId id, std::shared_ptr<ClientPort> port)
        : host_(std::move(host)), id_(id), port_(std::move(port)) {}
    ClientHandle(const ClientHandle&) = delete;
    ClientHandle& operator=(const ClientHandle&) = delete;

    // May run on any thread, at any time the garbage collector likes: it only leaves a note.
    ~ClientHandle() {
        if (host_->is_alive()) send({0, CloseCommand{}}, 0);
    }

    RunnerId id() const { return id_; }
    int fileno() const { return check(), port_->inbox.fd(); }

    std::uint64_t token_generation() const { return check(), port_->token_generation; }

    py::list drain(std::size_t max) {
        check();
        auto taken = port_->inbox.take(max);
        if (taken.was_full) host_->wake(id_);
        py::list list;
        for (const ClientMail& mail : taken.mail) list.append(mail_object(mail));
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
    /// True: the engine is asleep, and `wake` tells it. So many messages can go out together.
    bool publish(Ticket ticket, std::string room, std::string text, std::string attributes,
                 const std::optional<py::bytes>& id, const ActFields& act) {
        const std::size_t bytes = text.size() + attributes.size();
        return post({ticket, PublishCommand{std::move(room), std::move(text), std::move(attributes),
                                            message_id(id), make_act(act)}},
                    bytes);
    }
    void wake() { check(), host_->wake(id_); }
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
        if (!host_->is_alive()) throw ForkFailure{};
    }

    static std::optional<MessageId> message_id(const std::optional<py::bytes>& bytes) {
        if (!bytes) return std::nullopt;
        return MessageId{to_sixteen<decltype(MessageId::bytes)>(*bytes, "a message id")};
    }

    void request(ClientCommand command, std::size_t bytes) {
        if (post(std::move(command), bytes)) host_->wake(id_);
    }

    /// True if the engine must be woken for it.
    bool post(ClientCommand command, std::size_t bytes) {
        check();
        const auto posted = port_->post(std::move(command), bytes);
        if (posted == ClientPort::Posted::full) throw CoreFailure{Errc::queue_full};
        return posted == ClientPort::Posted::first;
    }

    void send(ClientCommand command, std::size_t bytes) {
        const auto posted = port_->post(std::move(command), bytes);
        if (posted == ClientPort::Posted::first) host_->wake(id_);
    }

    std::shared_ptr<Host> host_;
    RunnerId id_;
    std::shared_ptr<ClientPort> port_;
};

}  // namespace quicchat::python
