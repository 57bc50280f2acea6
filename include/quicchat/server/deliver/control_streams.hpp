#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/server/byte_counts.hpp"
#include "quicchat/server/deliver/inboxes.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/place.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn_work.hpp"

namespace quicchat {

/// What goes out on the control streams of those who are logged in, as fast as each reads: the
/// answers to their own requests first, then what changed about people, then what they were told.
///
/// Nothing that others do is queued here. Of markers and display names a connection has the set of
/// those that changed, and gets each as it is when its stream takes it; what others told it is a
/// cursor (Inboxes).
class ControlStreams {
public:
    /// What it is given outlives it.
    ControlStreams(Inboxes& inboxes, RoomStore& room_store, const DisplayNames& names,
                   const Limits& limits, TurnWork& work);

    /// The login is complete. What was told while the account was away is sent.
    void open(ConnectionId connection, std::string_view user);

    /// The connection is gone, and what waits for it.
    void close(ConnectionId connection);

    /// The answer to a request of the connection; nothing if it is gone.
    void answer(ConnectionId connection, Bytes frame);

    /// As much waits to be read as may: nothing more may be asked for now.
    bool is_busy(ConnectionId connection) const;

    /// Of answers that wait.
    const ByteCounts& answer_bytes() const { return answer_bytes_; }

    /// How far an account has read a room.
    void note_marker(ConnectionId connection, const Room& room, const std::string& account);

    /// What an account wants to be called.
    void note_profile(ConnectionId connection, const std::string& account);

    /// There is a record for an inbox; see Inboxes.
    void note_told(ConnectionId connection, const Room& room, Offset offset);

    /// The stream has room again.
    void handle_writable(ConnectionId connection);

    /// Hands `write` frame after frame for each connection, until it says that the stream is full.
    /// Then `handle_writable` says when it is not. Beside answers only who `may_write` gets any;
    /// `handle_writable` says for the others when they may. `freed` is told who got answers, so
    /// that what he asks may be read again.
    template <class Write, class Freed, class MayWrite = Always>
    void send(const Write& write, const Freed& freed, const MayWrite& may_write = {}) {
        for (const ConnectionId connection : std::exchange(waiting_, {})) {
            bool has_room = true;
            bool answered = false;
            while (has_room) {
                Connection* found = find(connection);  // writing may end it
                if (found == nullptr || found->stalled) break;
                if (must_wait(*found)) {
                    wake(connection);
                    break;
                }
                if (found->answers.empty() && !may_write(connection)) break;
                answered |= !found->answers.empty();
                std::optional<Bytes> frame = next_frame(connection, *found);
                if (!frame) break;
                has_room = write(connection, *std::move(frame));
            }
            if (Connection* found = find(connection); found && !has_room) found->stalled = true;
            if (answered) freed(connection);
        }
    }

private:
    /// More changes of others are not kept for a connection that does not read: they are hints.
    static constexpr std::size_t changes_max = 1024;

    /// A room and an account; without a room it is about the account's display name.
    using Change = std::pair<std::string, std::string>;

    struct Connection {
        std::string user{};
        Queue<Bytes> answers{};
        std::set<Change> changes{};
        bool stalled = false;  ///< The stream is full; Writable will say when it is not.
    };

    Connection* find(ConnectionId connection);

    void wake(ConnectionId connection);

    void note(ConnectionId connection, Change change);

    /// True if there is no answer, and what was told must wait for the next turn.
    bool must_wait(const Connection& connection);

    std::optional<Bytes> next_frame(ConnectionId id, Connection& connection);

    /// Nothing if there is no such room any more.
    std::optional<Bytes> encode_change(const Connection& connection, const Change& change) const;

    Inboxes* inboxes_;
    RoomStore* room_store_;
    const DisplayNames* names_;
    const Limits* limits_;
    TurnWork* work_;
    std::map<ConnectionId, Connection> connections_;
    ByteCounts answer_bytes_;
    std::set<ConnectionId> waiting_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/control_streams.ipp"
#endif
