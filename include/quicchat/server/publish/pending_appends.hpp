#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// Who asked for an append, and what for.
struct PendingAppend {
    ConnectionId connection{};
    StreamId stream = control_stream;  ///< Or that of a member.
    RequestId request = 0;
    Errc refusal{};             ///< Not to be stored: only to be looked up.
    std::string reason{};       ///< Of the refusal, if the server's program gave one.
    bool changes_room = false;  ///< One of the room's `changes_under_way`.
    bool creates_room = false;
    bool announces_file = false;  ///< Its answer is a FileOutcome.
    bool reacts = false;  ///< One of the room's `reactions_under_way`, in this life of its log.
    Epoch epoch{};
    Record record{};
    std::vector<StateChange> changes{};
};

/// What the log was asked for and has not answered.
class PendingAppends {
public:
    explicit PendingAppends(RoomLog& log);

    /// Asks the log to store a record or, if it is refused, to look whether it is there already:
    /// then it was sent again, and is a success.
    void submit(const std::string& room, PendingAppend asked, Record record,
                std::vector<StateChange> changes);

    /// Who asked for what the log has completed; nothing if it was not us.
    std::optional<PendingAppend> take(AppendToken token);

    /// How much of what a connection asked on its control stream has no answer yet.
    std::size_t under_way(ConnectionId connection) const;

    std::size_t size() const { return asked_.size(); }

private:
    RoomLog* log_;
    std::map<AppendToken, PendingAppend> asked_;
    AppendToken newest_ = 0;
    std::map<ConnectionId, std::size_t> under_way_;  ///< Where there is anything.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/publish/impl/pending_appends.ipp"
#endif
