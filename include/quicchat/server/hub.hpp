#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/deliver/heartbeat.hpp"
#include "quicchat/server/deliver/inboxes.hpp"
#include "quicchat/server/deliver/log_follower.hpp"
#include "quicchat/server/deliver/pages.hpp"
#include "quicchat/server/deliver/room_lists.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/people/people_admin.hpp"
#include "quicchat/server/people/presence.hpp"
#include "quicchat/server/people/profiles.hpp"
#include "quicchat/server/publish/decider.hpp"
#include "quicchat/server/publish/moderation_queue.hpp"
#include "quicchat/server/publish/proposer.hpp"
#include "quicchat/server/publish/spokesman.hpp"
#include "quicchat/server/rooms/membership.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/server/rooms/room_admin.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/server/turn_work.hpp"

namespace quicchat {

/// The chat itself: who must be told what. It decides; Server moves the bytes.
///
/// Nobody sees a message before the log has committed it (PROTOCOL.md §6.4), and each member
/// follows its room's log with a cursor of its own.
class Hub {
public:
    /// Configuration and accounts outlive it. The log is not read before `add_room` and `restore`.
    Hub(Owned<RoomLog> log, const ServerConfig& config, const AccountFinder& accounts);
    Hub(const Hub&) = delete;  // its parts refer to the log in here
    Hub& operator=(const Hub&) = delete;

    /// Opens a room for everybody.
    Errc add_room(const std::string& name) { return room_store_.open(name); }

    /// Opens what the log has from before. Call after `add_room`.
    Errc restore();

    /// Both, for the start of a server. What failed, if anything did, and in words.
    std::optional<std::pair<Errc, std::string>> open(const std::vector<std::string>& rooms);

    /// The configuration has changed, and fits: opens the rooms that it lists, and ends the
    /// memberships that only an operator may have for those who are none any more.
    std::optional<std::pair<Errc, std::string>> handle_changed_config(const ServerConfig& config,
                                                                      WallTime now);

    /// What time it is for everything up to the next call.
    void begin_turn(WallTime now, TimePoint steady = {});

    /// Also sends what others told the user who is back.
    void handle_login(ConnectionId connection, std::string_view user);

    /// The connection of somebody who was logged in is gone. Its memberships have been ended.
    void handle_disconnected(ConnectionId connection, std::string_view user);

    /// Puts a connection into a room; see Membership.
    Result<Member*> join(const Caller& caller, StreamId stream, const wire::Join& request);
    /// Takes a member out of its room; see Membership.
    void leave(Member& member) { membership_.leave(member); }

    // What people put into rooms; see Proposer.
    /// `Errc{}`: the answer follows. `publish` answers in any case by itself.
    /// @{
    void publish(Member& member, wire::Publish m) { proposer_.publish(member, std::move(m)); }
    Errc tell(const Caller& caller, wire::Tell m) { return proposer_.tell(caller, std::move(m)); }
    Errc create_room(const Caller& caller, const wire::CreateRoom& m);
    /// @}

    /// What an account wants to be called; see Profiles.
    Errc set_profile(const Caller& caller, const wire::SetProfile& m);

    /// Answers with a page of the rooms of an account; see RoomLists.
    void list_rooms(const Caller& caller, const wire::RoomsRequest& request) {
        lists_.ask(caller, request);
    }

    /// Begins a page of history on a stream of its own.
    Errc open_page(const Caller& caller, StreamId stream, const wire::HistoryRequest& m);

    // Files, for Uploads and Downloads.

    /// The room that a file is meant for, if who asks may see it and the offer is in form.
    Result<const Room*> room_for_file(const Caller& caller, const wire::FileOffer& m);

    /// Whether the record that announces a file is there. A FileOutcome follows.
    Errc look_up_file(ConnectionId connection, StreamId stream, const std::string& room,
                      const Record& record);

    /// Stores the record that announces a file. A FileOutcome follows.
    Errc announce_file(ConnectionId connection, StreamId stream, const std::string& room,
                       const Record& record);

    /// Asks the program about a file that is to come. A FileOutcome follows, if this is true.
    bool check_file(ConnectionId connection, StreamId stream, const std::string& room,
                    const Record& record);
    /// The oldest one; nothing: there is none.
    std::optional<FileOutcome> poll_file_outcome() { return proposer_.poll_file_outcome(); }

    /// The file that a record of a room announces, for somebody who may read the room.
    Result<StoredFile> find_file(const Caller& caller, const wire::FileRequest& m);

    /// Whether somebody may read the room that he calls so; false also if there is none.
    bool may_read(std::string_view user, std::string_view room);

    /// Which files there are; what is not wanted any more is to be removed.
    FileIndex& files() { return room_store_.files(); }

    /// Begins a search on a stream of its own.
    Errc open_page(const Caller& caller, StreamId stream, const wire::SearchRequest& m);

    /// Takes note of how far somebody has read a room.
    void mark_read(const Caller& caller, const wire::MarkRead& m);

    /// Somebody types: the members who may hear of it.
    std::vector<const Member*> typing_for(Member& member, TimePoint now);

    /// Answers with a page of those who belong to the member's room, or are in it.
    void request_members(Member& member, const wire::MembersRequest& request);

    /// Takes in what the log has committed since the last call. An error means that the log cannot
    /// be trusted any more, in writing or in reading: stop the server.
    Errc settle();

    /// Does what is due: heartbeats, searches, questions without an answer, records that are too
    /// old.
    void handle_timeout(TimePoint now);

    /// When `handle_timeout` is to be called next; nothing: there is no such time.
    std::optional<TimePoint> next_deadline() const;

    /// What the program has to judge before it is stored. Call `settle` after its answers.
    ModerationQueue& checks() { return checks_; }
    /// As above, to look at only, and the pages that are being handed over.
    /// @{
    const ModerationQueue& checks() const { return checks_; }

    /// The frames for members; see FanOut.
    FanOut& fan_out() { return fan_out_; }
    const FanOut& fan_out() const { return fan_out_; }

    /// What goes out to a member next: answers, who came and went, records.
    std::optional<Bytes> next_frames(Member& member);

    /// What goes out on control streams.
    ControlStreams& control() { return control_; }
    const ControlStreams& control() const { return control_; }
    Pages& pages() { return pages_; }
    const Pages& pages() const { return pages_; }
    /// @}

    /// Memberships that ended without their client: write the frames, then finish the streams. To
    /// be polled after `settle`, before anything else about members.
    std::optional<HubEnding> poll_ending() { return membership_.poll_ending(); }

    /// True if `settle` has an error to report.
    bool has_failed() const { return turn_.has_failed() || frames_.has_failed(); }

    /// True if as much waits to be answered or sent as may, or if it is being decided who may do
    /// what: nothing more may be asked for now.
    bool is_busy(const Member& member) const;

    /// The same for what one connection asks on its control stream.
    bool is_busy(ConnectionId connection) const;

    /// What is done for each account in this turn.
    TurnWork& work() { return work_; }
    /// To look at only.
    /// @{
    const TurnWork& work() const { return work_; }

    /// What the server's program does with rooms.
    RoomAdmin& admin() { return admin_; }
    const RoomAdmin& admin() const { return admin_; }
    /// @}

    /// What it sees of people.
    const PeopleAdmin& people_admin() const { return people_admin_; }
    /// Who is logged in. To be changed by logins only, but for `watch`.
    OnlineUsers& online_users() { return online_; }

    /// What it says.
    Spokesman& spokesman() { return spokesman_; }

    /// To be used between turns, as the parts of a hub do.
    /// @{
    RoomStore& room_store() { return room_store_; }
    const RoomStore& room_store() const { return room_store_; }
    const RoomLog& log() const { return room_store_.log(); }
    const OnlineUsers& online_users() const { return online_; }
    /// @}

    /// Records that were put into the log and not committed.
    std::size_t appends_under_way() const { return proposer_.size(); }

    // Since the start, for ServerStats.

    /// From the turn of an append to that of its news.
    const Timing& append_times() const { return proposer_.times(); }
    /// Requests, by why they were refused; others in the server add to it.
    /// @{
    ErrorCounts& refusals() { return turn_.refusals(); }
    const ErrorCounts& refusals() const { return turn_.refusals(); }
    /// @}

    /// Records of any kind, and those of them that are messages or files.
    /// @{
    std::uint64_t records_stored() const { return records_stored_; }
    std::uint64_t messages_stored() const { return messages_stored_; }
    /// @}

private:
    void settle(LogNews&& news);

    void note_stored(const Record& record);

    std::optional<std::pair<Errc, std::string>> add_rooms(const std::vector<std::string>& rooms);

    const Limits* limits_;
    Turn turn_;
    TurnWork work_;
    OnlineUsers online_;
    DisplayNames names_;
    RoomStore room_store_;
    EventFrames frames_;
    FanOut fan_out_;
    Inboxes inboxes_;
    ControlStreams control_;
    RoomLists lists_;
    Pages pages_;
    ModerationQueue checks_;
    Heartbeat heartbeat_;
    Presence presence_{fan_out_, control_, online_, names_, *limits_};
    Decider decider_;
    Membership membership_;
    Proposer proposer_;
    Profiles profiles_;
    LogFollower follower_;
    RoomAdmin admin_;
    PeopleAdmin people_admin_;
    Spokesman spokesman_;
    std::uint64_t records_stored_ = 0;
    std::uint64_t messages_stored_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/impl/hub.ipp"
#endif
