#pragma once

#include "quicchat/server/hub.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/search_words.hpp"
#include "quicchat/server/rooms/acts.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Hub::Hub(Owned<RoomLog> log, const ServerConfig& config,
                            const AccountFinder& accounts)
    : limits_(&config.limits),
      work_(*limits_),
      room_store_(std::move(log), config),
      frames_(room_store_.log(), *limits_, work_),
      fan_out_(room_store_.log(), frames_, *limits_, work_),
      inboxes_(room_store_),
      control_(inboxes_, room_store_, names_, *limits_, work_),
      lists_(room_store_, control_, *limits_, turn_, work_),
      pages_(room_store_, frames_, *limits_, work_),
      checks_(config),
      heartbeat_(*limits_),
      decider_(room_store_, *limits_, turn_, work_),
      membership_(room_store_, decider_, fan_out_, presence_, pages_, online_, accounts, *limits_,
                  turn_),
      proposer_(room_store_, decider_, fan_out_, control_, membership_, checks_, *limits_, turn_),
      profiles_(room_store_, proposer_, fan_out_, control_, names_, online_, accounts, *limits_,
                turn_),
      follower_(room_store_, profiles_, fan_out_, frames_, control_, membership_, online_, turn_),
      admin_(room_store_, membership_, proposer_, decider_, names_, *limits_, turn_),
      people_admin_(online_, names_, accounts, *limits_),
      spokesman_(room_store_, membership_, proposer_, profiles_, *limits_, turn_) {}

QUICCHAT_RARE_DECL Errc Hub::restore() {
    const Errc errc = room_store_.restore();
    return errc == Errc{} ? profiles_.restore() : errc;
}

QUICCHAT_RARE_DECL std::optional<std::pair<Errc, std::string>> Hub::open(
    const std::vector<std::string>& rooms) {
    if (auto failure = add_rooms(rooms)) return failure;
    const Errc errc = restore();
    if (errc == Errc{}) return std::nullopt;
    return std::pair{errc, std::string{"cannot open the rooms that the log has"}};
}

QUICCHAT_RARE_DECL std::optional<std::pair<Errc, std::string>> Hub::handle_changed_config(
    const ServerConfig& config, WallTime now) {
    turn_.begin(now);
    if (auto failure = add_rooms(config.rooms)) return failure;
    room_store_.directory().set_operators(config.rulers());
    membership_.remove_former_operators();
    return std::nullopt;
}

QUICCHAT_DECL void Hub::begin_turn(WallTime now, TimePoint steady) {
    turn_.begin(now, steady);
    checks_.begin_turn(steady);
    work_.begin();
    fan_out_.begin_turn();
    lists_.go_on();
}

QUICCHAT_RARE_DECL void Hub::handle_login(ConnectionId connection, std::string_view user) {
    online_.add(user, connection);
    control_.open(connection, user);
}

QUICCHAT_RARE_DECL void Hub::handle_disconnected(ConnectionId connection, std::string_view user) {
    online_.remove(user, connection);
    control_.close(connection);
    lists_.close(connection);
    pages_.close(connection);
}

QUICCHAT_RARE_DECL Result<Member*> Hub::join(const Caller& caller, StreamId stream,
                                             const wire::Join& request) {
    return membership_.join(caller, stream, request);
}

QUICCHAT_RARE_DECL Errc Hub::create_room(const Caller& caller, const wire::CreateRoom& m) {
    return proposer_.create_room(caller, m);
}

QUICCHAT_RARE_DECL Errc Hub::set_profile(const Caller& caller, const wire::SetProfile& m) {
    return profiles_.set(caller, m);
}

QUICCHAT_DECL Errc Hub::open_page(const Caller& caller, StreamId stream,
                                  const wire::HistoryRequest& m) {
    if (!is_room_name(m.room) && !is_private_name(m.room)) return Errc::invalid_name;
    const Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
    if (room == nullptr) return Errc::no_such_room;
    return pages_.open(caller, stream, *room, m);
}

QUICCHAT_DECL Result<const Room*> Hub::room_for_file(const Caller& caller,
                                                     const wire::FileOffer& m) {
    if (const Errc errc = check_offer(m, *limits_); errc != Errc{}) return errc;
    const Result<Room*> room = membership_.find(caller, m.room);
    if (!room) return room.error();
    if (const Errc errc = membership_.may_enter(**room, caller.user); errc != Errc{}) return errc;
    // A client that asks has joined it.
    if (caller.connection == program_connection) {
        if ((*room)->is_private()) {
            room_store_.note_use(**room);
        } else if (!room_store_.admit(**room, caller.user, turn_.now())) {
            return Errc::room_full;
        }
    }
    return *room;
}

QUICCHAT_RARE_DECL Errc Hub::look_up_file(ConnectionId connection, StreamId stream,
                                          const std::string& room, const Record& record) {
    return proposer_.propose_file(connection, stream, room, record, false);
}

QUICCHAT_RARE_DECL Errc Hub::announce_file(ConnectionId connection, StreamId stream,
                                           const std::string& room, const Record& record) {
    return proposer_.propose_file(connection, stream, room, record, true);
}

QUICCHAT_RARE_DECL bool Hub::check_file(ConnectionId connection, StreamId stream,
                                        const std::string& room, const Record& record) {
    return proposer_.check_file(connection, stream, room, record);
}

QUICCHAT_DECL Result<StoredFile> Hub::find_file(const Caller& caller, const wire::FileRequest& m) {
    if (!is_room_name(m.room) && !is_private_name(m.room)) return Errc::invalid_name;
    const Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
    if (room == nullptr) return Errc::no_such_room;
    Result<StoredFile> file = room_store_.find_file(*room, m.offset);
    if (!file && to_errc(file.error()) == Errc::storage_failed) turn_.fail(Errc::storage_failed);
    return file;
}

QUICCHAT_DECL bool Hub::may_read(std::string_view user, std::string_view room) {
    return room_store_.find_for(user, room, turn_.now()) != nullptr;
}

QUICCHAT_DECL Errc Hub::open_page(const Caller& caller, StreamId stream,
                                  const wire::SearchRequest& m) {
    if (!is_room_name(m.room) && !is_private_name(m.room)) return Errc::invalid_name;
    if (const Errc errc = check_search(m.words); errc != Errc{}) return errc;
    if (m.count == 0) return Errc::invalid_request;
    const Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
    if (room == nullptr) return Errc::no_such_room;
    return pages_.open(caller, stream, *room, m);
}

QUICCHAT_DECL void Hub::mark_read(const Caller& caller, const wire::MarkRead& m) {
    Room* room = room_store_.find_for(caller.user, m.room, turn_.now());
    if (room != nullptr) (void)membership_.mark_read(*room, caller, m.epoch, m.offset, m.shared);
}

QUICCHAT_DECL std::vector<const Member*> Hub::typing_for(Member& member, TimePoint now) {
    if (!room_store_.directory().may(*member.room, member.user, Action::write, turn_.now()))
        return {};
    return presence_.typing_for(member, now);
}

QUICCHAT_RARE_DECL void Hub::request_members(Member& member, const wire::MembersRequest& request) {
    fan_out_.reply(member, presence_.encode_members(*member.room, request.request, request.after,
                                                    turn_.now()));
}

QUICCHAT_DECL Errc Hub::settle() {
    do {
        while (std::optional<LogNews> news = room_store_.log().poll_news()) {
            if (news->error != Errc{} && is_fatal(news->error)) return news->error;
            settle(*std::move(news));
        }
    } while ((checks_.is_on() && proposer_.release()) || spokesman_.go_on());
    room_store_.save();
    for (const Errc errc :
         {frames_.take_failure(), inboxes_.take_failure(), pages_.take_failure()}) {
        if (errc != Errc{}) turn_.fail(errc);
    }
    return turn_.take_failure();
}

QUICCHAT_DECL void Hub::settle(LogNews&& news) {
    if (news.is_trim()) return follower_.handle_trim(news);
    const auto [errc, opened] = decider_.settle(news);
    if (opened != nullptr) fan_out_.wake_all(*opened);  // they may go on asking
    const std::optional<ConnectionId> by = proposer_.settle(news, errc);
    if (by && Profiles::is_about(news)) profiles_.note_end();
    if (news.is_commit()) note_stored(*news.record);
    if (news.is_commit()) spokesman_.note_stored(news);
    if (news.is_commit()) follower_.handle(std::move(news), by);
}

QUICCHAT_DECL void Hub::note_stored(const Record& record) {
    ++records_stored_;
    const Act::Kind kind = record.act.kind;
    if (kind == Act::Kind::message || kind == Act::Kind::file) ++messages_stored_;
}

QUICCHAT_DECL void Hub::handle_timeout(TimePoint now) {
    heartbeat_.handle_timeout(now, room_store_.directory().rooms(), fan_out_);
    pages_.look();
    checks_.handle_timeout(now);
    const Errc errc = room_store_.handle_timeout({now, turn_.now()});
    if (errc != Errc{}) turn_.fail(errc);
}

QUICCHAT_DECL std::optional<TimePoint> Hub::next_deadline() const {
    return earlier(earlier(checks_.next_deadline(), room_store_.next_deadline()),
                   fan_out_.empty() ? std::nullopt : heartbeat_.next_deadline());
}

QUICCHAT_DECL std::optional<Bytes> Hub::next_frames(Member& member) {
    if (member.replies.empty()) {
        if (auto frame = presence_.next_frame(member, turn_.now())) return frame;
    }
    return fan_out_.next_frames(member);
}

QUICCHAT_DECL bool Hub::is_busy(const Member& member) const {
    return member.room->changes_under_way > 0 || member.room->has_reaction_under_way(member.user) ||
           member.replies.size() + member.appends >= limits_->replies_max ||
           member.reply_bytes >= limits_->stream_backlog_bytes_max;
}

QUICCHAT_DECL bool Hub::is_busy(ConnectionId connection) const {
    return control_.is_busy(connection) || lists_.is_making(connection) ||
           proposer_.under_way(connection) + checks_.held(connection) >= limits_->replies_max;
}

QUICCHAT_RARE_DECL std::optional<std::pair<Errc, std::string>> Hub::add_rooms(
    const std::vector<std::string>& rooms) {
    for (const std::string& room : rooms) {
        const Errc errc = add_room(room);
        if (errc != Errc{}) return std::pair{errc, "cannot open the room '" + room + "'"};
    }
    return std::nullopt;
}

}  // namespace quicchat
