#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

// What a client tells its application. Names and texts come from the network: they are valid UTF-8
// without control characters, but clean them of bidirectional controls before a terminal sees them.

/// The connection is logged in: for the first time, or again after Reconnecting.
struct Online {
    std::string user;                       ///< Our own name, as the server spells it.
    ServerLimits limits;                    ///< What the server allows.
    std::string peer_address;               ///< Where the server is: "127.0.0.1:4433".
    std::optional<Fingerprint> server_key;  ///< The key that it showed; none without TLS.
};

/// The connection was lost. The client tries again by itself; what was sent and not answered stays
/// with it, and rooms go on where they were.
struct Reconnecting {
    CloseReason reason;         ///< Why it was lost.
    Duration delay{};           ///< Until the next attempt.
    std::uint64_t attempt = 0;  ///< 1 for the first since a connection that held.
};

/// The client is at its end: it was closed, or trying again cannot help. Its last event.
struct Offline {
    CloseReason reason;  ///< Why.
};

/// The server is going away; the connection ends within `grace`.
struct GoingAway {
    Errc errc;         ///< Why it goes.
    Duration grace;    ///< So long from now at most.
    std::string text;  ///< What it says, if anything.
};

/// Answer to `join`, or the room goes on after a reconnection. Events follow from `next` on.
struct RoomJoined {
    RequestId request;       ///< 0 after a reconnection.
    std::string room;        ///< As the server spells it.
    Epoch epoch{};           ///< Which life of the room's log.
    Offset head = 0;         ///< The offset of the room's newest record.
    Offset next = 0;         ///< The first offset that follows.
    bool recovered = false;  ///< Every record after the position that was asked for follows.
    Role role{};             ///< Our own.
    RoomAccess access{};     ///< Who may come in.
    Offset marker = 0;       ///< The newest record that our account has read, as it said.
    std::string topic{};     ///< What it is about.
};

/// We are out of the room: we left, or the server ended it and said why.
struct RoomLeft {
    std::string room;          ///< As the server spells it.
    Errc errc = Errc::closed;  ///< `removed`: somebody took us out.
    std::string text;          ///< The reason that was given.
};

/// What a message that is a file says of it. The message's text is its name, which is no path.
struct FileInfo {
    std::uint64_t size = 0;  ///< In bytes.
    std::string digest;      ///< SHA-256, 64 hexadecimal digits.
};

/// A message in a room, also our own. Each comes once, in the room's order.
struct RoomMessage {
    std::string room;        ///< Where.
    Epoch epoch{};           ///< Which life of the room's log.
    Offset offset = 0;       ///< Its place there.
    WallTime time;           ///< When it was stored.
    MessageId id;            ///< By which its sender knows it.
    std::string from;        ///< Who wrote it.
    std::string text;        ///< What it says.
    std::string attributes;  ///< JSON object.
    Offset reply_to = 0;     ///< The message that it answers; 0: none.
    Offset changed_by = 0;   ///< A later record that gave it this text; it follows as RoomAct.
    bool deleted = false;    ///< The text is gone; `changed_by` says who took it away.
    std::optional<FileInfo> file{};  ///< `fetch_file` gets it.
};

/// Something else that happened in a room, see Act. In one order with its messages.
struct RoomAct {
    std::string room;        ///< Where.
    Epoch epoch{};           ///< Which life of the room's log.
    Offset offset = 0;       ///< Its place there.
    WallTime time;           ///< When it was stored.
    MessageId id;            ///< By which its sender knows it.
    std::string from;        ///< Who did it.
    Act act;                 ///< What was done.
    std::string text;        ///< As the kind of act says: a new text, a reason, a topic.
    std::string attributes;  ///< JSON object.
    Offset changed_by = 0;   ///< Of an edit: the deletion that took its text away.
};

/// A message to one person: to us, or from us (also from another device of ours).
struct PrivateMessage {
    Epoch epoch{};                   ///< Which life of the log of what we two write.
    Offset offset = 0;               ///< Its place there.
    WallTime time;                   ///< When it was stored.
    MessageId id;                    ///< By which its sender knows it.
    std::string from;                ///< Who wrote it.
    std::string to;                  ///< To whom.
    std::string text;                ///< What it says.
    std::string attributes;          ///< JSON object.
    Offset reply_to = 0;             ///< As of RoomMessage.
    std::optional<FileInfo> file{};  ///< As of RoomMessage.
};

/// What a client may ask for. `rejoin`: a room that goes on after a reconnection. `message`: or
/// another act.
enum class RequestKind : std::uint8_t {
    join,          ///< A room; RoomJoined answers it.
    rejoin,        ///< The application has not asked for it.
    message,       ///< Acked answers it.
    creation,      ///< A room to be made; Acked answers it.
    members,       ///< MemberList answers it.
    rooms,         ///< RoomList answers it.
    history,       ///< HistoryPage answers it.
    search,        ///< SearchPage answers it.
    profile,       ///< A display name; ProfileChanged answers it.
    file_sent,     ///< Acked answers it, once its bytes are there.
    file_fetched,  ///< FileFetched is the last of its answers.
};

/// The server has not answered for `Limits::answer_wait`: the answer may still come, and nothing is
/// lost. It is said of the oldest request that waits, and not again until all that were late are
/// answered. Who says nothing at all for `Limits::answer_timeout` is left: Reconnecting follows.
struct NoAnswerYet {
    RequestId request;   ///< Its answer comes, as of any request.
    RequestKind kind{};  ///< What was asked for.
    std::string room;    ///< As of the request; `@` and a name for a message to one person.
    Duration waited{};   ///< Since it was sent on this connection.
};

/// Our message is committed.
struct Acked {
    RequestId request;        ///< That it answers.
    MessageId id;             ///< Of the message.
    Epoch epoch{};            ///< Which life of the room's log.
    Offset offset = 0;        ///< The place of the message there.
    Durability durability{};  ///< What it outlives from now on.
    WallTime time;            ///< When it was stored.
};

/// A request was refused. The connection lives on. `not_in_room` is also said of requests that had
/// no answer when the room ended, `not_ready` of questions that had none when the connection was
/// lost: a message may be stored then, and may be sent again under its id.
struct Refused {
    RequestId request;  ///< That it answers.
    std::string room;   ///< Empty if the request was not about a room.
    Errc errc;          ///< Why.
    /// Not before that, for those that may be sent again; 0: nothing is known.
    Duration retry_after{};
    std::string text;  ///< What the server says of it, perhaps nothing.
};

/// Records that will not come.
struct RoomGap {
    /// Why they will not.
    enum class Cause : std::uint8_t {
        retention,    ///< The log does not hold them any more.
        new_epoch,    ///< The log was lost and begun anew: nothing is known of what followed.
        rolled_back,  ///< The log ends before what we have seen: it was restored from a copy.
    };
    std::string room;  ///< Where they are missing.
    Epoch epoch{};     ///< Of the log as it is now.
    Offset first = 0;  ///< Of the new log with `new_epoch`; of what is gone with `rolled_back`.
    Offset last = 0;   ///< Below `first` if there are none.
    Cause cause = Cause::retention;  ///< Why they will not come.
};

/// One record of a room, as a page of history has it.
using RoomRecord = std::variant<RoomMessage, RoomAct>;

/// Answers `request_history`: the records in order.
struct HistoryPage {
    RequestId request;                ///< That it answers.
    std::string room;                 ///< Whose history it is.
    Epoch epoch{};                    ///< Which life of the room's log.
    std::vector<RoomRecord> records;  ///< With places that go up.
    bool reaches_start = false;       ///< The server has nothing older.
    bool reaches_head = false;        ///< There was nothing newer.
};

/// A file as `send_file` takes it.
struct FileToSend {
    std::string name;               ///< What people call it; no path, see `is_file_name`.
    std::uint64_t size = 0;         ///< In bytes.
    Buffer digest;                  ///< SHA-256, 32 bytes.
    std::string attributes = "{}";  ///< JSON object.
    Offset reply_to = 0;            ///< The message that it answers; 0: none.
};

/// The next bytes of a file that is being sent: answer by `give_file`. After a lost connection the
/// offset may be a lower one again.
struct FileWanted {
    RequestId request;          ///< By which the file is sent.
    std::string room;           ///< Into which it is sent.
    std::uint64_t offset = 0;   ///< The first of these bytes.
    std::size_t bytes_max = 0;  ///< At least one, and at most so many.
};

/// What a file is that is being fetched. Once, before its bytes.
struct FileBegun {
    RequestId request;       ///< By which it is fetched.
    std::string room;        ///< Where it was announced.
    Epoch epoch{};           ///< Which life of the room's log.
    Offset offset = 0;       ///< Of the record that announced it.
    std::string name;        ///< What people call it; no path.
    std::uint64_t size = 0;  ///< In bytes.
    Buffer digest;           ///< SHA-256, 32 bytes.
};

/// The next bytes of a file that is being fetched. In order, over reconnections as well.
struct FileChunk {
    RequestId request;         ///< By which it is fetched.
    std::uint64_t offset = 0;  ///< The first of these bytes.
    Bytes bytes;               ///< What to put there.
};

/// All bytes of a file have come.
struct FileFetched {
    RequestId request;  ///< By which it was fetched.
    std::string room;   ///< Where it was announced.
};

/// Answers `search`: what was found, the newest first.
struct SearchPage {
    RequestId request;                ///< That it answers.
    std::string room;                 ///< Where was searched.
    Epoch epoch{};                    ///< Which life of the room's log.
    std::vector<RoomRecord> records;  ///< As they are now: edited or not.
    Offset next = 0;  ///< The records below it were not looked at: search on before it; 0: none.
};

/// Somebody in a room of ours types, or has stopped.
struct TypingChanged {
    std::string room;    ///< Where.
    std::string user;    ///< Who.
    bool typing = true;  ///< False: has stopped.
};

/// Who belongs to the room or is in it. Answers `request_members`; `request` is 0 if the server
/// sent it because presence changes were left out while we read too slowly.
struct MemberList {
    RequestId request;               ///< That it answers, or 0.
    std::string room;                ///< Whose members.
    std::vector<RoomPerson> people;  ///< Sorted by name.
    bool complete = true;            ///< False: ask again with the last name as `after`.
};

/// The rooms that we may see. Answers `request_rooms`.
struct RoomList {
    RequestId request;               ///< That it answers.
    std::vector<RoomSummary> rooms;  ///< Sorted by name.
    bool complete = true;            ///< False: ask again with the last name as `after`.
};

/// Somebody has read a room: our account on another device, or a member who lets others know.
struct MarkerMoved {
    std::string room;   ///< Which was read.
    std::string user;   ///< Who has read it.
    Offset offset = 0;  ///< Up to that record.
};

/// Somebody came into a room of ours, or went.
struct PresenceChanged {
    std::string room;       ///< Where.
    std::string user;       ///< Who.
    bool present = true;    ///< False: went.
    std::string display{};  ///< What the account wants to be called; empty: nothing else.
};

/// Somebody in a room of ours, or our account, wants to be called something else. Answers
/// `set_display_name`.
struct ProfileChanged {
    RequestId request;    ///< 0: somebody else, or another device of ours.
    std::string user;     ///< Whose name it is.
    std::string display;  ///< Empty: by the user name again.
};

/// The login has another device token: whoever keeps it over restarts keeps this one from now on.
struct TokenRenewed {
    std::uint64_t generation = 0;  ///< Counts the tokens of this device.
};

/// What a client tells its application, by `poll_event`.
using ClientEvent = std::variant<Online, Reconnecting, Offline, GoingAway, RoomJoined, RoomLeft,
                                 RoomMessage, RoomAct, PrivateMessage, Acked, Refused, RoomGap,
                                 MemberList, RoomList, HistoryPage, SearchPage, MarkerMoved,
                                 TypingChanged, PresenceChanged, ProfileChanged, TokenRenewed,
                                 NoAnswerYet, FileWanted, FileBegun, FileChunk, FileFetched>;

// What a server tells the program around it, for logs and figures. Nothing here needs an answer.

/// A connection finished its handshake.
struct PeerConnected {
    ConnectionId connection;   ///< Whose events follow.
    std::string peer_address;  ///< Where the peer is.
};

/// A login succeeded.
struct PeerLoggedIn {
    ConnectionId connection;  ///< On which.
    std::string user;         ///< Who.
};

/// A login failed. The name is what the peer claimed; it is empty if it claimed none.
struct PeerRefused {
    ConnectionId connection;   ///< On which.
    std::string user;          ///< Who the peer claimed to be.
    std::string peer_address;  ///< Where the peer is.
    Errc errc;                 ///< Why.
};

/// Too many logins have failed: for an account from a network, or, with an empty name, from a
/// network at all. It is said once, until that has been quiet for ten minutes; there is no
/// PeerRefused for the logins that are refused meanwhile. Device tokens are looked at all the same.
struct LoginsLocked {
    std::string user;          ///< As the peer claimed it.
    std::string peer_address;  ///< Of the newest one; its network is meant.
};

/// A connection ended.
struct PeerDisconnected {
    ConnectionId connection;  ///< Which does not come again.
    std::string user;         ///< Empty if it was never logged in.
    CloseReason reason;       ///< Why it ended.
};

/// The program did not judge a message in time, or gave it a text that is not fit. It was refused
/// or, if the configuration says so, accepted as it was.
struct CheckFailed {
    std::string user;  ///< Its author.
    std::string room;  ///< As the author calls it.
    std::string text;  ///< What went wrong.
};

/// Messages are refused for now, as the disk is full or another program has locked the database;
/// what is stored can be read. With `Errc{}`: they are stored again.
struct StorageTrouble {
    Errc errc;         ///< Why, or none: it is over.
    std::string text;  ///< What the log says of it.
};

/// The server stops: a fault that it cannot serve through, such as a storage error.
struct ServerFailed {
    Errc errc;         ///< What it was.
    std::string text;  ///< More of it, for people.
};

/// What a server tells its program, by `poll_event`.
using ServerEvent = std::variant<PeerConnected, PeerLoggedIn, PeerRefused, LoginsLocked,
                                 PeerDisconnected, CheckFailed, StorageTrouble, ServerFailed>;

}  // namespace quicchat
