#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/publish/moderation_queue.hpp"
#include "quicchat/server/publish/pending_appends.hpp"
#include "quicchat/server/rooms/membership.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"

namespace quicchat {

/// What people put into rooms: it is judged, handed to the log and, once that has committed it,
/// told.
class Publisher {
public:
    Publisher(RoomStore& room_store, PendingAppends& pending, FanOut& fan_out,
              ControlStreams& control, EventFrames& frames, Membership& membership,
              ModerationQueue& checks, const OnlineUsers& online, const Limits& limits, Turn& turn);

    /// Puts a message, or another act, into the member's room. The answer comes when the log has
    /// committed it, or when it is known that this may not be.
    void publish(Member& member, wire::Publish m);

    /// A message to one person.
    Errc tell(const Caller& caller, wire::Tell m);

    /// Stores or refuses what the program has decided about. True if there was anything.
    bool release();

    /// Makes a room that belongs to who asks. The answer comes when the log has committed it.
    Errc create_room(const Caller& caller, const wire::CreateRoom& m);

    /// Asks the log for the record that announces a file: to store it or, if not `store`, only
    /// whether it is there. A FileOutcome follows. `queue_full`: not while a role is being changed.
    Errc submit_file(ConnectionId connection, StreamId stream, const std::string& key,
                     Record record, bool store);

    /// Asks the program about the name of a file that is to come. A FileOutcome follows, with the
    /// record as it may be stored. False: nobody is to be asked.
    bool check_file(ConnectionId connection, StreamId stream, const std::string& key,
                    const Record& record);
    std::optional<FileOutcome> poll_file_outcome();

    /// Takes in what became of one submission: what is committed is told.
    void settle(const AppendCompletion& done, PendingAppend asked);

private:
    Errc judge(const Room& room, std::string_view user, const Act& act, std::string_view text);

    void answer(const PendingAppend& asked, wire::Ack ack);

    void refuse(const PendingAppend& asked, Errc errc);

    /// Hands a record of a room to the log.
    void put(Room& room, PendingAppend&& asked, Record&& record);

    /// Holds a message that the program has to judge, and what comes behind one. False: neither.
    bool hold(const Room& room, PendingAppend& asked, Record& record, const std::string& to = {});

    static MessageQuestion make_question(const Room& room, const Record& record,
                                         MessageQuestion::Kind kind);

    /// Whether an act may have those texts, for their form alone.
    Errc check_texts(const Act& act, const std::string& text, const std::string& attributes) const;

    /// Does to a record what the program said of it.
    void apply(CheckDecision decision, PendingAppend& asked, Record& record,
               const std::string& room_name);

    /// Puts what was held into its room, judged by what is committed now.
    void release(HeldMessage held, PendingAppend asked);

    /// To who asked, if it is still there.
    void say(const PendingAppend& asked, Bytes frame);

    /// To those devices of both that have not joined their room.
    void deliver_private(const Room& room, const LoggedRecord& logged);

    RoomStore* room_store_;
    PendingAppends* pending_;
    ModerationQueue* checks_;
    FanOut* fan_out_;
    ControlStreams* control_;
    EventFrames* frames_;
    Membership* membership_;
    const OnlineUsers* online_;
    const Limits* limits_;
    Turn* turn_;
    std::deque<FileOutcome> file_outcomes_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/publish/impl/publisher.ipp"
#endif
