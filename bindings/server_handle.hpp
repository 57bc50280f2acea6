#pragma once

#include <pybind11/stl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client_events.hpp"
#include "convert.hpp"
#include "endpoints.hpp"
#include "failure.hpp"
#include "released_gil.hpp"
#include "runner.hpp"
#include "server_admin.hpp"
#include "server_files.hpp"
#include "server_port.hpp"
#include "server_program.hpp"
#include "server_reload.hpp"
#include "stats.hpp"

namespace quicchat::python {

// Events are small and nobody has to read them: above this the server drops the oldest.
inline constexpr std::size_t server_inbox_events = 4096;
inline constexpr std::size_t server_inbox_bytes = 4 * 1024 * 1024;

/// What a server has to say as (kind, fields), with the fields in the order of the dataclasses in
/// events.py. Called with the GIL held.
py::tuple server_mail_tuple(const ServerMail& mail);

/// What Python is told of a room.
py::tuple report_row(const RoomReport& report);

/// Python's end of a server. Thread-safe. Only `reload`, `stats` and what is from `rooms` to `keep`
/// wait for the engine.
class ServerHandle {
public:
    /// `address`: where it listens; `replaced`: accounts whose password was another one.
    ServerHandle(std::shared_ptr<Host> host, RunnerId id, std::shared_ptr<ServerPort> port,
                 std::string address, ServerSettings settings = {}, std::string database = {},
                 std::vector<std::string> replaced = {}, std::string speaker = {})
        : host_(std::move(host)),
          id_(id),
          port_(std::move(port)),
          database_(std::move(database)),
          address_(std::move(address)),
          replaced_(std::move(replaced)),
          speaker_(std::move(speaker)) {
        remember(std::move(settings));
    }
    ServerHandle(const ServerHandle&) = delete;
    ServerHandle& operator=(const ServerHandle&) = delete;
    ~ServerHandle() {
        if (host_->is_alive()) stop();
    }

    int fileno() const { return check(), port_->inbox.fd(); }

    py::list drain(std::size_t max) {
        check();
        auto taken = port_->inbox.take(max);
        if (taken.was_full) host_->wake(id_);
        py::list list;
        for (const ServerMail& mail : taken.mail) list.append(server_mail_tuple(mail));
        return list;
    }

    void shutdown() { check(), stop(); }
    /// `verdict`: own (the server's accounts decide), refuse, unavailable, or account.
    void answer(std::uint64_t ticket, const std::string& verdict, std::string name,
                const std::string& verifier) {
        check();
        HookDecision decision = HookUnavailable{};
        if (verdict == "own") decision = UseOwnAccounts{};
        if (verdict == "refuse") decision = RefuseLogin{};
        if (verdict == "account") {
            // A login by token needs no verifier.
            const Verifier kept =
                verifier.empty() ? Verifier{} : value_or_throw(parse_verifier(verifier));
            decision = Account{std::move(name), kept};
        }
        port_->post(LoginAnswer{HookTicket{ticket}, std::move(decision)});
        host_->wake(id_);
    }

    /// `verdict`: accept, replace (by `text` and, if they are given, `attributes`), refuse (because
    /// of `text`), or unavailable.
    void answer_check(std::uint64_t ticket, const std::string& verdict, std::string text,
                      std::optional<std::string> attributes) {
        check();
        CheckDecision decision = CheckUnavailable{};
        if (verdict == "accept") decision = AcceptMessage{};
        if (verdict == "replace") decision = ReplaceMessage{std::move(text), std::move(attributes)};
        if (verdict == "refuse") decision = RefuseMessage{std::move(text)};
        port_->post(CheckAnswer{CheckTicket{ticket}, std::move(decision)});
        host_->wake(id_);
    }

    /// Waits for the engine. One at a time.
    AccountChanges reload(const ServerSettings& next) {
        check();
        const ReleasedGil other_threads_may_run;
        const std::lock_guard lock{reloading_};
        AccountChanges changes = reload_server(running(), settings_, next);
        remember(next);
        return changes;
    }

    /// Waits for the engine: (the server's figures, those of its connections).
    py::tuple stats() {
        check();
        const ServerReport report = wait_for(ask_for_report(running()));
        py::list connections;
        for (const ConnectionStats& stats : report.connections) {
            connections.append(to_dict(stats));
        }
        return py::make_tuple(to_dict(report.stats), std::move(connections));
    }

    // Rooms. Each waits for the engine.

    py::list rooms() {
        check();
        py::list rows;
        for (const RoomReport& r : list_rooms(running())) rows.append(report_row(r));
        return rows;
    }
    py::list read_room(const std::string& room, Offset after, std::size_t count_max) {
        check();
        return record_list(python::read_room(running(), room, after, count_max).second);
    }
    void remove_room(const std::string& room) { check(), python::remove_room(running(), room); }
    void act_in_room(const std::string& room, const std::string& by, const py::bytes& id,
                     const std::string& text, const ActFields& act) {
        check();
        Record record{.id = MessageId{to_sixteen<decltype(MessageId::bytes)>(id, "a message id")},
                      .device = {},
                      .author = by,
                      .text = text,
                      .attributes = "{}",
                      .time = {},
                      .act = make_act(act)};
        python::act_in_room(running(), room, record);
    }
    void keep(const std::string& room, std::optional<std::size_t> records_max,
              std::optional<std::size_t> bytes_max, std::optional<std::int64_t> age_max) {
        RetentionChange change{.records_max = records_max, .bytes_max = bytes_max};
        if (age_max) change.age_max = std::chrono::seconds{*age_max};
        check(), python::keep(running(), room, change);
    }

    // What Python says and asks by a ticket. An answer with it follows, unless there is
    // CoreFailure.

    void say(ProgramTicket ticket, std::string room, std::string by, const py::bytes& id,
             std::string text, std::string attributes, const ActFields& act) {
        Record record{.id = message_id(id),
                      .device = {},
                      .author = std::move(by),
                      .text = std::move(text),
                      .attributes = std::move(attributes),
                      .time = {},
                      .act = make_act(act)};
        check(), program_say(running(), ticket, std::move(room), std::move(record));
    }
    void create_room(ProgramTicket ticket, std::string room, std::string owner, const py::bytes& id,
                     std::uint8_t access, std::string topic) {
        check(), program_create(running(), ticket,
                                {.request = ticket,
                                 .id = message_id(id),
                                 .room = std::move(room),
                                 .access = RoomAccess{access},
                                 .topic = std::move(topic)},
                                std::move(owner));
    }
    void request_page(ProgramTicket ticket, std::string room, std::string reader,
                      std::optional<Offset> after, std::size_t count) {
        check(), program_page(running(), ticket, std::move(room), std::move(reader), after, count);
    }
    void request_search(ProgramTicket ticket, std::string room, std::string reader,
                        std::string words, Offset before, std::size_t count) {
        check(), program_search(running(), ticket, std::move(room), std::move(reader),
                                std::move(words), before, count);
    }
    void request_people(ProgramTicket ticket, std::string room, std::string reader,
                        std::string after) {
        check(),
            program_people(running(), ticket, std::move(room), std::move(reader), std::move(after));
    }
    void request_reports(ProgramTicket ticket) { check(), program_reports(running(), ticket); }
    void request_rooms_of(ProgramTicket ticket, std::string user, std::string after) {
        check(), program_rooms_of(running(), ticket, std::move(user), std::move(after));
    }
    void set_display_name(ProgramTicket ticket, std::string user, std::string display) {
        check(), program_name(running(), ticket, std::move(user), std::move(display));
    }
    void mark_read(ProgramTicket ticket, std::string room, std::string user,
                   const std::optional<std::uint64_t>& epoch, Offset offset, bool shared) {
        std::optional<Epoch> life;
        if (epoch) life = Epoch{*epoch};
        check(), program_mark_read(running(), ticket, std::move(room), std::move(user), life,
                                   offset, shared);
    }
    void request_person(ProgramTicket ticket, std::string user) {
        check(), program_person(running(), ticket, std::move(user));
    }
    void request_online(ProgramTicket ticket, std::string after) {
        check(), program_online(running(), ticket, std::move(after));
    }
    void begin_file(ProgramTicket ticket, std::string room, std::string by, const py::bytes& id,
                    std::string name, std::uint64_t size, const py::bytes& digest,
                    std::string attributes, Offset reply_to) {
        wire::FileOffer offer{};
        offer.id = message_id(id);
        offer.room = std::move(room);
        offer.name = std::move(name);
        offer.attributes = std::move(attributes);
        offer.reply_to = reply_to;
        offer.size = size;
        offer.digest = to_buffer(digest);
        check(), program_begin_file(running(), ticket, std::move(by), std::move(offer));
    }
    void give_file(ProgramTicket ticket, std::uint64_t transfer, const py::bytes& piece) {
        check(), program_give_file(running(), ticket, transfer, to_buffer(piece));
    }
    void finish_file(ProgramTicket ticket, std::uint64_t transfer) {
        check(), program_finish_file(running(), ticket, transfer);
    }
    void abandon_file(std::uint64_t transfer) {
        check(), program_abandon_file(running(), transfer);
    }
    void find_file(ProgramTicket ticket, std::string room, std::string reader, Offset offset) {
        check(), program_find_file(running(), ticket, std::move(room), std::move(reader), offset);
    }
    void read_file(ProgramTicket ticket, std::string room, std::string reader, std::uint64_t epoch,
                   Offset offset, std::uint64_t from, std::size_t count) {
        check(), program_read_file(running(), ticket, std::move(room), std::move(reader),
                                   Epoch{epoch}, offset, from, count);
    }
    void listen(bool on) { check(), program_listen(running(), on); }
    void watch_people(bool on) { check(), program_watch_people(running(), on); }
    void disconnect(ProgramTicket ticket, std::string user) {
        check(), program_disconnect(running(), ticket, std::move(user));
    }
    void watch(std::string room, bool on) {
        check(), program_watch(running(), std::move(room), on);
    }

    const std::string& address() const { return address_; }
    const std::vector<std::string>& replaced() const { return replaced_; }
    const std::string& speaker() const { return speaker_; }
    std::size_t connections() const { return check(), port_->connections.load(); }

private:
    void check() const {
        if (!host_->is_alive()) throw ForkFailure{};
    }
    static MessageId message_id(const py::bytes& id) {
        return MessageId{to_sixteen<decltype(MessageId::bytes)>(id, "a message id")};
    }
    RunningServer running() { return {*host_, id_, *port_, database_}; }
    void stop() {
        port_->stop_asked.store(true);
        host_->wake(id_);
    }

    void remember(ServerSettings settings) {
        settings_ = std::move(settings);
        settings_.accounts.clear();  // passwords
    }

    std::shared_ptr<Host> host_;
    RunnerId id_;
    std::shared_ptr<ServerPort> port_;
    std::mutex reloading_;
    ServerSettings settings_;  ///< As they are, but for the accounts.
    std::string database_;
    std::string address_;
    std::vector<std::string> replaced_;
    std::string speaker_;
};

}  // namespace quicchat::python
