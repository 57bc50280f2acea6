#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/search_words.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/deliver/heartbeat.hpp"
#include "quicchat/server/deliver/inboxes.hpp"
#include "quicchat/server/deliver/pages.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/people/presence.hpp"
#include "quicchat/server/people/profiles.hpp"
#include "quicchat/server/publish/moderation_queue.hpp"
#include "quicchat/server/publish/pending_appends.hpp"
#include "quicchat/server/publish/publisher.hpp"
#include "quicchat/server/rooms/acts.hpp"
#include "quicchat/server/rooms/membership.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// The chat itself: who must be told what. It decides; Server moves the bytes.
///
/// Nobody sees a message before the log has committed it (PROTOCOL.md §6.4), and each member
/// follows its room's log with a cursor of its own.
class Hub {
public:
    Hub(Owned<RoomLog> log, const ServerConfig& config, const AccountFinder& accounts)
        : limits_(&config.limits),
          room_store_(std::move(log), config),
          pending_(room_store_.log()),
          frames_(room_store_.log(), *limits_),
          fan_out_(room_store_.log(), frames_, *limits_),
          inboxes_(room_store_),
          control_(inboxes_, room_store_, names_, *limits_),
          pages_(room_store_, frames_, *limits_),
          checks_(config),
          heartbeat_(*limits_),
          profiles_(room_store_, pending_, fan_out_, control_, names_, online_, accounts, *limits_,
                    turn_),
          membership_(room_store_, fan_out_, presence_, pages_, online_, accounts, *limits_, turn_),
          publisher_(room_store_, pending_, fan_out_, control_, frames_, membership_, checks_,
                     online_, *limits_, turn_) {}
    Hub(const Hub&) = delete;  // its parts refer to the log in here
    Hub& operator=(const Hub&) = delete;

    /// Opens a room for everybody.
    Errc add_room(const std::string& name) { return room_store_.open(name); }

    /// Opens what the log has from before. Call after `add_room`.
    Errc restore() {
        const Errc errc = room_store_.restore();
        return errc == Errc{} ? profiles_.restore() : errc;
    }

    /// Both, for the start of a server. What failed, if anything did, and in words.
    std::optional<std::pair<Errc, std::string>> open(const std::vector<std::string>& rooms) {
        if (auto failure = add_rooms(rooms)) return failure;
        const Errc errc = restore();
        if (errc == Errc{}) return std::nullopt;
        return std::pair{errc, std::string{"cannot open the rooms that the log has"}};
    }

    /// The configuration has changed, and fits: opens the rooms that it lists, and ends the
    /// memberships that only an operator may have for those who are none any more.
    std::optional<std::pair<Errc, std::string>> handle_changed_config(const ServerConfig& config,
                                                                      WallTime now) {
        turn_.begin(now);
        if (auto failure = add_rooms(config.rooms)) return failure;
        room_store_.directory().set_operators(config.operators);
        membership_.remove_former_operators();
        return std::nullopt;
    }

    /// What time it is for everything up to the next call.
    void begin_turn(WallTime now, TimePoint steady = {}) {
        turn_.begin(now);
        checks_.begin_turn(steady);
    }

    /// Also sends what others told the user who is back.
    void handle_login(ConnectionId connection, std::string_view user) {
        online_.add(user, connection);
        control_.open(connection, user);
    }

    void handle_disconnected(ConnectionId connection, std::string_view user) {
        online_.remove(user, connection);
        control_.close(connection);
        pages_.close(connection);
    }

    /// Puts a connection into a room; see Membership.
    Result<Member*> join(const Caller& caller, StreamId stream, const wire::Join& request) {
        return membership_.join(caller, stream, request);
    }
    void leave(Member& member) { membership_.leave(member); }

    // What people put into rooms; see Publisher.
    void publish(Member& member, wire::Publish m) { publisher_.publish(member, std::move(m)); }
    Errc tell(const Caller& caller, wire::Tell m) { return publisher_.tell(caller, std::move(m)); }
    Errc create_room(const Caller& caller, const wire::CreateRoom& m) {
        return publisher_.create_room(caller, m);
    }

    /// What an account wants to be called; see Profiles.
    Errc set_profile(const Caller& caller, const wire::SetProfile& m) {
        return profiles_.set(caller, m);
    }

    void list_rooms(const Caller& caller, const wire::RoomsRequest& request) {
        auto [rooms, complete] =
            room_store_.directory().page(caller.user, room_store_.private_rooms().of(caller.user),
                                         room_store_.key_for(caller.user, request.after),
                                         limits_->rooms_per_page_max, turn_.now());
        wire::Rooms answer{request.request, {}, complete};
        for (const Room* room : rooms) {
            Result<RoomSummary> summary = room_store_.summarize(*room, caller.user, turn_.now());
            if (!summary) return void(turn_.noted(to_errc(summary.error())));
            answer.rooms.push_back(*std::move(summary));
        }
        control_.answer(caller.connection, Bytes{encode(answer)});
    }

    /// Begins a page of history on a stream of its own.
    Errc open_page(const Caller& caller, StreamId stream, const wire::HistoryRequest& m) {
        if (!is_room_name(m.room) && !is_private_name(m.room)) return Errc::invalid_name;
        const Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
        if (room == nullptr) return Errc::no_such_room;
        return pages_.open(caller, stream, *room, m);
    }

    // Files, for Uploads and Downloads.

    /// The room that a file is meant for, if who asks may see it and the offer is in form.
    Result<const Room*> room_for_file(const Caller& caller, const wire::FileOffer& m) {
        if (const Errc errc = check_offer(m, *limits_); errc != Errc{}) return errc;
        const Result<Room*> room = membership_.find(caller, m.room);
        if (!room) return room.error();
        if (const Errc errc = membership_.may_enter(**room, caller.user); errc != Errc{})
            return errc;
        return *room;
    }

    /// Whether the record that announces a file is there. A FileOutcome follows.
    Errc look_up_file(ConnectionId connection, StreamId stream, const std::string& room,
                      const Record& record) {
        return publisher_.submit_file(connection, stream, room, record, false);
    }

    /// Stores the record that announces a file. A FileOutcome follows.
    Errc announce_file(ConnectionId connection, StreamId stream, const std::string& room,
                       const Record& record) {
        return publisher_.submit_file(connection, stream, room, record, true);
    }

    /// Asks the program about a file that is to come. A FileOutcome follows, if this is true.
    bool check_file(ConnectionId connection, StreamId stream, const std::string& room,
                    const Record& record) {
        return publisher_.check_file(connection, stream, room, record);
    }
    std::optional<FileOutcome> poll_file_outcome() { return publisher_.poll_file_outcome(); }

    /// The file that a record of a room announces, for somebody who may read the room.
    Result<StoredFile> find_file(const Caller& caller, const wire::FileRequest& m) {
        if (!is_room_name(m.room) && !is_private_name(m.room)) return Errc::invalid_name;
        const Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
        if (room == nullptr) return Errc::no_such_room;
        std::optional<std::string> key = room_store_.files().find(room->key(), m.offset);
        if (!key) return Errc::no_such_file;
        const auto read = room_store_.log().read(room->key(), m.offset - 1, 1);
        if (!read) return turn_.noted(Errc::storage_failed);
        if (read->empty() || read->front().offset != m.offset) return Errc::no_such_file;
        const Record& record = read->front().record;
        return StoredFile{*std::move(key), room->epoch(), record.text, record.act.value,
                          decode_hex(record.act.subject)};
    }

    bool may_read(std::string_view user, std::string_view room) {
        return room_store_.find_for(user, room, turn_.now()) != nullptr;
    }

    /// Which files there are; what is not wanted any more is to be removed.
    FileIndex& files() { return room_store_.files(); }

    /// Begins a search on a stream of its own.
    Errc open_page(const Caller& caller, StreamId stream, const wire::SearchRequest& m) {
        if (!is_room_name(m.room) && !is_private_name(m.room)) return Errc::invalid_name;
        if (const Errc errc = check_search(m.words); errc != Errc{}) return errc;
        if (m.count == 0) return Errc::invalid_request;
        const Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
        if (room == nullptr) return Errc::no_such_room;
        return pages_.open(caller, stream, *room, m);
    }

    /// Takes note of how far somebody has read a room.
    void mark_read(const Caller& caller, const wire::MarkRead& m) {
        Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
        if (room == nullptr || room->people().find(caller.user) == nullptr) return;
        if (m.epoch != room->epoch()) return;
        RoomAccount& person = room->people().at(caller.user);
        const Offset offset = std::min(m.offset, room->head());
        if (offset <= person.marker) return;
        room->people().set_marker(person, offset);
        room_store_.note_unsaved(*room);
        presence_.tell_marker(*room, person, caller.connection, m.shared);
    }

    /// Somebody types: the members who may hear of it.
    std::vector<const Member*> typing_for(Member& member, TimePoint now) {
        if (!room_store_.directory().may(*member.room, member.user, Action::write, turn_.now()))
            return {};
        return presence_.typing_for(member, now);
    }

    void request_members(Member& member, const wire::MembersRequest& request) {
        fan_out_.reply(member, presence_.encode_members(*member.room, request.request,
                                                        request.after, turn_.now()));
    }

    /// Takes in what the log has committed since the last call. An error means that the log cannot
    /// be trusted any more, in writing or in reading: stop the server.
    Errc settle() {
        do {
            while (std::optional<AppendCompletion> done = room_store_.log().poll_completion()) {
                std::optional<PendingAppend> asked = pending_.take(done->token);
                if (!asked) continue;
                if (done->error != Errc{} && is_fatal(done->error)) return done->error;
                if (profiles_.is_about(*done)) {
                    profiles_.settle(*done, *asked);
                } else {
                    publisher_.settle(*done, *std::move(asked));
                }
            }
        } while (checks_.is_on() && publisher_.release());
        room_store_.save();
        for (const Errc errc :
             {frames_.take_failure(), inboxes_.take_failure(), pages_.take_failure()}) {
            if (errc != Errc{}) turn_.fail(errc);
        }
        return turn_.take_failure();
    }

    void handle_timeout(TimePoint now) {
        heartbeat_.handle_timeout(now, room_store_.directory().rooms(), fan_out_);
        pages_.look();
        checks_.handle_timeout(now);
    }

    std::optional<TimePoint> next_deadline() const {
        return earlier(checks_.next_deadline(),
                       fan_out_.empty() ? std::nullopt : heartbeat_.next_deadline());
    }

    /// What the program has to judge before it is stored. Call `settle` after its answers.
    ModerationQueue& checks() { return checks_; }

    /// The frames for members; see FanOut.
    FanOut& fan_out() { return fan_out_; }
    const FanOut& fan_out() const { return fan_out_; }

    /// What goes out to a member next: answers, who came and went, records.
    std::optional<Bytes> next_frame(Member& member) {
        if (member.replies.empty()) {
            if (auto frame = presence_.next_frame(member, turn_.now())) return frame;
        }
        return fan_out_.next_frame(member);
    }

    /// What goes out on control streams.
    ControlStreams& control() { return control_; }
    Pages& pages() { return pages_; }
    const Pages& pages() const { return pages_; }

    /// Memberships that ended without their client: write the frames, then finish the streams. To
    /// be polled after `settle`, before anything else about members.
    std::optional<HubEnding> poll_ending() { return membership_.poll_ending(); }

    /// True if `settle` has an error to report.
    bool has_failed() const { return turn_.has_failed() || frames_.has_failed(); }

    /// True if as much waits to be answered or sent as may, or if it is being decided who may do
    /// what: nothing more may be asked for now.
    bool is_busy(const Member& member) const {
        return member.room->changes_under_way > 0 ||
               member.room->has_reaction_under_way(member.user) ||
               member.replies.size() + member.appends >= limits_->replies_max;
    }

    /// The same for what one connection asks on its control stream.
    bool is_busy(ConnectionId connection) const {
        return control_.is_busy(connection) ||
               pending_.under_way(connection) + checks_.held(connection) >= limits_->replies_max;
    }

    RoomStore& room_store() { return room_store_; }
    const RoomLog& log() const { return room_store_.log(); }
    const OnlineUsers& online_users() const { return online_; }
    std::size_t appends_under_way() const { return pending_.size(); }

private:
    std::optional<std::pair<Errc, std::string>> add_rooms(const std::vector<std::string>& rooms) {
        for (const std::string& room : rooms) {
            const Errc errc = add_room(room);
            if (errc != Errc{}) return std::pair{errc, "cannot open the room '" + room + "'"};
        }
        return std::nullopt;
    }

    const Limits* limits_;
    Turn turn_;
    OnlineUsers online_;
    DisplayNames names_;
    RoomStore room_store_;
    PendingAppends pending_;
    EventFrames frames_;
    FanOut fan_out_;
    Inboxes inboxes_;
    ControlStreams control_;
    Pages pages_;
    ModerationQueue checks_;
    Heartbeat heartbeat_;
    Presence presence_{fan_out_, control_, online_, names_, *limits_};
    Profiles profiles_;
    Membership membership_;
    Publisher publisher_;
};

}  // namespace quicchat
