#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/session/client_session.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

/// What an application can ask of a client: the calls of Client that are the same over any
/// transport. `Self` is that Client.
template <class Self>
class ClientCalls {
public:
    // Requests are taken at any time until the end, and sent when that is possible.

    /// Joins a room. RoomJoined or Refused follows.
    Result<RequestId> join(std::string_view room, Position position = Position::from_now());

    /// Leaves a room. RoomLeft follows; what was under way to us is dropped.
    Errc leave(std::string_view room) { return self().flushed(session().leave(room)); }

    /// Puts a message into a room that was joined. Acked or Refused follows. Sending the same again
    /// under the same id is safe.
    Result<RequestId> publish(std::string_view room, std::string text,
                              std::string attributes = "{}",
                              std::optional<MessageId> id = std::nullopt, Act act = {});

    /// Does something else in a room than saying something, see Act. Acked or Refused follows.
    Result<RequestId> act(std::string_view room, Act act, std::string text = {});

    /// Makes a room, with us as its owner. Acked or Refused follows; then join it.
    Result<RequestId> create_room(std::string room, RoomAccess access = RoomAccess::everybody,
                                  std::string topic = {},
                                  std::optional<MessageId> id = std::nullopt);

    /// Says what our account wants to be called; empty: by its user name. ProfileChanged or Refused
    /// follows.
    Result<RequestId> set_display_name(std::string display);

    /// Asks which rooms there are, for the names after `after`. RoomList or Refused follows.
    Result<RequestId> request_rooms(std::string after = {});

    /// Asks for records of a room, joined or not: the newest `before` of those below `offset`, and
    /// the oldest `after` of the others. HistoryPage or Refused follows.
    Result<RequestId> request_history(std::string_view room, Offset offset, std::size_t before,
                                      std::size_t after);

    /// Sends a file into a room. FileWanted asks for its bytes: answer by `give_file`. Acked or
    /// Refused follows.
    Result<RequestId> send_file(std::string_view room, FileToSend file,
                                std::optional<MessageId> id = std::nullopt);
    Errc give_file(RequestId request, std::uint64_t offset, BytesView bytes);

    /// Fetches the file that a record of a room announces, from its byte `from` on. FileBegun,
    /// FileChunk and FileFetched follow, or Refused.
    Result<RequestId> fetch_file(std::string_view room, Offset offset, std::uint64_t from = 0);

    /// Ends a transfer in either direction.
    void cancel_file(RequestId request);

    /// Searches in a room, joined or not, for the newest `count` messages and files below `before`
    /// that have all of the words. SearchPage or Refused follows.
    Result<RequestId> request_search(std::string_view room, std::string words,
                                     Offset before = varint_max, std::size_t count = 50);

    /// Says that we are typing in a room. A hint: it may be lost, and is sent so often only.
    void say_typing(std::string_view room, TimePoint now);

    /// Says that our account has read a room up to `offset`; `shared`: to its members as well.
    Errc mark_read(std::string_view room, Offset offset, bool shared = false);

    /// Sends a message to one person. Acked or Refused follows.
    Result<RequestId> tell(std::string user, std::string text, std::string attributes = "{}",
                           std::optional<MessageId> id = std::nullopt);

    // For programs that keep unsent messages over their restarts: call `restore` for each that was
    // kept, then `report_outbox_changes`, all before `connect`; then, after each turn, keep and
    // forget what `poll_outbox_change` says. They need the `ClientConfig::device` of then as well.

    /// Takes in a message that has no answer yet. It is sent as soon as its room is joined.
    Result<RequestId> restore(UnsentMessage message);
    void report_outbox_changes() { session().report_outbox_changes(); }
    std::optional<OutboxChange> poll_outbox_change() { return session().poll_outbox_change(); }

    /// Asks who is in a room, for the names after `after`. MemberList or Refused follows.
    Result<RequestId> request_members(std::string_view room, std::string after = {});

private:
    Self& self() { return static_cast<Self&>(*this); }
    ClientSession& session() { return self().session_; }
};

}  // namespace quicchat

#include "quicchat/session/impl/client_calls.ipp"
