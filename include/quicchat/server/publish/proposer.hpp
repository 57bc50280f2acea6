#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/counters.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/publish/decider.hpp"
#include "quicchat/server/publish/moderation_queue.hpp"
#include "quicchat/server/rooms/membership.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"

namespace quicchat {

/// Puts forward what people want to have stored, and answers them once it is decided. It sees to
/// the form and has the server's program judge; rights and order are for the Decider.
class Proposer {
public:
    /// What it is given outlives it.
    Proposer(RoomStore& room_store, Decider& decider, FanOut& fan_out, ControlStreams& control,
             Membership& membership, ModerationQueue& checks, const Limits& limits, Turn& turn);

    // An `Errc` that is none: the answer comes when the log has committed it, or when it is known
    // that this may not be.

    /// A message, or another act, in the member's room.
    void publish(Member& member, wire::Publish m);

    /// A message to one person.
    Errc tell(const Caller& caller, wire::Tell m);

    /// A room that belongs to who asks.
    Errc create_room(const Caller& caller, const wire::CreateRoom& m);

    /// What the account of the record's author wants to be called; see Profiles.
    Errc set_profile(const Caller& caller, RequestId request, Proposal wish);

    /// The record that announces a file: to be stored or, if not `store`, only looked for. A
    /// FileOutcome follows. `queue_full`: not while a role is being changed.
    Errc propose_file(ConnectionId connection, StreamId stream, const std::string& key,
                      Record record, bool store);

    /// Asks the program about the name of a file that is to come. A FileOutcome follows, with the
    /// record as it may be stored. False: nobody is to be asked.
    bool check_file(ConnectionId connection, StreamId stream, const std::string& key,
                    const Record& record);
    /// The oldest one; nothing: there is none.
    std::optional<FileOutcome> poll_file_outcome();

    /// Of the server's program. An error: it is refused at once. Otherwise a ProgramOutcome with
    /// that ticket follows, if it is not 0.
    Errc propose_for_program(Proposal proposal, std::uint64_t ticket = 0);
    /// The same of what the server's program asked.
    std::optional<ProgramOutcome> poll_program_outcome();

    /// Proposes or refuses what the program has decided about. True if there was anything.
    bool release();

    /// Answers who proposed what the news are about, which ended with that error. Returns who that
    /// was, if it was somebody here.
    std::optional<ConnectionId> settle(const LogNews& news, Errc errc);

    /// How much of what a connection asked on its control stream is not decided yet.
    std::size_t under_way(ConnectionId connection) const;

    /// Records that were proposed and are not decided.
    std::size_t size() const { return askers_.size(); }

    /// How long the log took for each: from turn to turn.
    const Timing& times() const { return times_; }

private:
    /// Who waits for an answer, and for which.
    struct Asker {
        enum class Answer : std::uint8_t { ack, file_outcome, profile, program };
        ConnectionId connection{};
        StreamId stream = control_stream;  ///< Or that of a member.
        RequestId request = 0;             ///< Of the program: its ticket.
        Answer answer{};
        std::string reason{};  ///< Of the server's program, if it does not accept it.
        TimePoint since{};
    };

    /// The answer to come, or a refusal at once.
    void propose(Asker&& asker, Proposal&& proposal);

    Errc try_to_propose(Asker& asker, Proposal&& proposal);

    void confirm(const Asker& asker, const LogNews& news);

    void refuse(const Asker& asker, Errc errc);

    /// To who asked, if it is still there.
    void say(const Asker& asker, Bytes frame);

    /// Holds a message that the program has to judge, and what comes behind one. False: neither.
    bool hold(const Room& room, const Asker& asker, Proposal& proposal, const std::string& to = {});

    static MessageQuestion make_question(const Room& room, const Record& record,
                                         MessageQuestion::Kind kind);

    /// Whether an act may have those texts, for their form alone.
    Errc check_texts(const Act& act, const std::string& text, const std::string& attributes) const;

    /// Does to a record what the program said of it. `Errc{}`, or why it is not to be stored.
    Errc apply(CheckDecision&& decision, Asker& asker, Record& record,
               const std::string& room_name);

    /// Puts forward what was held, judged by what is committed now.
    void release(HeldMessage&& held, Asker&& asker, Errc refusal);

    RoomStore* room_store_;
    Decider* decider_;
    FanOut* fan_out_;
    ControlStreams* control_;
    Membership* membership_;
    ModerationQueue* checks_;
    const Limits* limits_;
    Turn* turn_;
    Timing times_;
    std::map<AppendToken, Asker> askers_;
    AppendToken newest_ = 0;
    std::map<ConnectionId, std::size_t> under_way_;  ///< Where there is anything.
    std::deque<FileOutcome> file_outcomes_;
    Queue<ProgramOutcome> program_outcomes_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/publish/impl/proposer.ipp"
#endif
