#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/wire/act.hpp"
#include "quicchat/wire/file.hpp"
#include "quicchat/wire/frame_type.hpp"
#include "quicchat/wire/history.hpp"
#include "quicchat/wire/role.hpp"

namespace quicchat {

/// How safe a record is when it is acknowledged (PROTOCOL.md §6.4).
enum class Durability : std::uint8_t {
    memory = 0,   ///< In the server's memory; a crash of the server loses it.
    process = 1,  ///< Handed to the operating system; survives a crash of the server.
    fsync = 2,    ///< On disk; survives a power failure.
};

/// Where a reader of a room wants to begin (PROTOCOL.md §6.2).
struct Position {
    /// Which of the other fields count.
    enum class Kind : std::uint8_t {
        now = 0,    ///< Only what is published from now on.
        last = 1,   ///< The last `count` records, then what follows.
        after = 2,  ///< Everything after `offset` of `epoch`: recovery.
    };
    Kind kind = Kind::now;    ///< See Kind.
    std::uint64_t count = 0;  ///< Of `last`.
    Epoch epoch{};            ///< Of `after`: the log that was read before.
    Offset offset = 0;        ///< Of `after`: the newest record that was read.

    /// The place, in each of the three ways to say it.
    /// @{
    static Position from_now() { return {}; }
    static Position last(std::uint64_t count) { return {.kind = Kind::last, .count = count}; }
    static Position after(Epoch epoch, Offset offset);
    /// @}

    friend bool operator==(const Position&, const Position&) = default;  ///< Equal in every field.
};

/// What the server allows, told in Welcome.
struct ServerLimits {
    std::uint64_t message_bytes_max = 0;     ///< Of a message's text.
    std::uint64_t attributes_bytes_max = 0;  ///< Of its attributes, as JSON.
    std::uint64_t rooms_max = 0;             ///< That one connection may be in.
    /// Equal in every field.
    friend bool operator==(const ServerLimits&, const ServerLimits&) = default;
};

// The messages, one struct per frame type. Field order is the order on the wire.
namespace wire {

/// Client: the versions and features it knows. The first frame of a connection.
struct Hello {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::hello;
    std::uint64_t minor_min = 0;        ///< The lowest minor version that it speaks.
    std::uint64_t minor_max = 0;        ///< The highest one.
    std::vector<std::string> features;  ///< The names of what it can beyond these.
    std::string agent;                  ///< JSON object about the program, for logs.
    friend bool operator==(const Hello&, const Hello&) = default;
    /// @}
};

/// Server: the version and features both know, and what it allows.
struct Welcome {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::welcome;
    std::uint64_t minor = 0;            ///< The highest one that both speak.
    std::vector<std::string> features;  ///< Those of the client's that the server can, too.
    ServerLimits limits;                ///< Of this server, now.
    std::string agent;                  ///< A JSON object about the server's program, for logs.
    friend bool operator==(const Welcome&, const Welcome&) = default;
    /// @}
};

/// Client: the first SASL message of a mechanism (RFC 4422 §3).
struct LoginBegin {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::login_begin;
    std::string mechanism;  ///< The name of a SASL mechanism.
    DeviceId device{};      ///< Which installation of the client this is; zeros: it does not say.
    Buffer data;            ///< Its first message; what is in it is the mechanism's.
    friend bool operator==(const LoginBegin&, const LoginBegin&) = default;
    /// @}
};

/// Server: a SASL challenge.
struct LoginChallenge {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::login_challenge;
    Buffer data;  ///< What is in it is the mechanism's.
    friend bool operator==(const LoginChallenge&, const LoginChallenge&) = default;
    /// @}
};

/// Client: the answer to a challenge.
struct LoginResponse {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::login_response;
    Buffer data;  ///< What is in it is the mechanism's.
    friend bool operator==(const LoginResponse&, const LoginResponse&) = default;
    /// @}
};

/// Server: logged in, under this name, with the mechanism's additional data (the server's proof).
struct LoginDone {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::login_done;
    std::string user;  ///< In the spelling of the account.
    Buffer data;       ///< The server's proof.
    friend bool operator==(const LoginDone&, const LoginDone&) = default;
    /// @}
};

/// Server: the device's token for its next login. What is said of it is kept already.
struct Token {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::token;
    std::uint64_t generation = 0;  ///< Above that of all tokens of the device before.
    Buffer key;                    ///< 32 bytes; a secret.
    friend bool operator==(const Token&, const Token&) = default;
    /// @}
};

/// Either: a request was refused, or why the connection is about to be closed.
struct Error {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::error;
    RequestId request = 0;   ///< 0: not about a request.
    std::uint64_t code = 0;  ///< See PROTOCOL.md §8.
    /// 0 to 4: what the client does, also about a number that it does not know.
    std::uint64_t error_class = 0;
    std::uint64_t retry_after_ms = 0;  ///< Milliseconds to wait, if the class says so.
    std::string text;                  ///< For people; may be empty.
    friend bool operator==(const Error&, const Error&) = default;
    /// @}
};

/// Server: it will close the connection within `grace_ms`; begin nothing new.
struct Goaway {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::goaway;
    std::uint64_t code = 0;      ///< See PROTOCOL.md §8.
    std::uint64_t grace_ms = 0;  ///< Milliseconds until then.
    std::string text;            ///< For people; may be empty.
    friend bool operator==(const Goaway&, const Goaway&) = default;
    /// @}
};

/// Client, first frame of a room's stream: join the room.
struct Join {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::join;
    RequestId request = 0;  ///< Answered by its Joined or Error.
    std::string room;       ///< As the account calls it.
    Position position;      ///< From where on it wants to read.
    friend bool operator==(const Join&, const Join&) = default;
    /// @}
};

/// Server: joined; events from `next` on follow on this stream.
struct Joined {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::joined;
    RequestId request = 0;   ///< The request that it answers.
    std::string room;        ///< As whoever made it spells it; of two people, the other one.
    Epoch epoch{};           ///< Of the room's log: with another one offsets mean other records.
    Offset head = 0;         ///< The newest record now; 0: there is none.
    Offset next = 0;         ///< The first record that comes, at most `head + 1`.
    bool recovered = false;  ///< Every record after the position that was asked for comes.
    Role role = Role::none;  ///< Of the account.
    RoomAccess access = RoomAccess::everybody;  ///< Who may come in.
    Offset marker = 0;                          ///< As in RoomSummary.
    std::string topic{};                        ///< May be empty.
    friend bool operator==(const Joined&, const Joined&) = default;
    /// @}
};

/// Client: put this message, or another act, into the room of this stream.
struct Publish {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::publish;
    RequestId request = 0;   ///< Answered by its Ack or Error.
    MessageId id{};          ///< The same when it is sent again.
    std::string text;        ///< Bounds and form depend on the act.
    std::string attributes;  ///< A JSON object.
    Act act{};               ///< What it does; a message if nothing else is said.
    friend bool operator==(const Publish&, const Publish&) = default;
    /// @}
};

/// Server: the message is committed there, as safe as `durability` says.
struct Ack {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::ack;
    RequestId request = 0;                       ///< The request that it answers.
    Epoch epoch{};                               ///< The life of the log that has the record.
    Offset offset = 0;                           ///< Where it is in it.
    Durability durability = Durability::memory;  ///< How safe it was when this was sent.
    WallTime time{};                             ///< When the server took it.
    friend bool operator==(const Ack&, const Ack&) = default;
    /// @}
};

/// Server: one record of the room's log.
struct Event {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::event;
    Offset offset = 0;  ///< In a room's stream one above that of the Event before, or behind a Gap.
    WallTime time{};    ///< When the server took it.
    MessageId id{};     ///< Which its author gave it.
    std::string from;   ///< Its author, in the spelling of the account.
    std::string text;   ///< As it is now: empty once it was deleted.
    std::string attributes;  ///< A JSON object, as it is now.
    Act act{};               ///< What it does.
    Offset changed_by = 0;   ///< The edit or deletion that gave it these texts; 0: none.
    friend bool operator==(const Event&, const Event&) = default;
    /// @}
};

/// Server: the records from `first` to `last` cannot be had any more.
struct Gap {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::gap;
    Offset first = 0;  ///< The oldest one.
    Offset last = 0;   ///< The newest one.
    friend bool operator==(const Gap&, const Gap&) = default;
    /// @}
};

/// Client: who is in the room of this stream? Names after `after`, in order.
struct MembersRequest {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::members_request;
    RequestId request = 0;  ///< Answered by a Members.
    std::string after;      ///< Empty: from the beginning.
    friend bool operator==(const MembersRequest&, const MembersRequest&) = default;
    /// @}
};

/// Server: who belongs to the room or is in it, in order of their names.
struct Members {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::members;
    RequestId request = 0;  ///< 0: nobody asked, but too much has changed to say it one by one.
    std::vector<RoomPerson> people;  ///< A page of them.
    bool complete = true;            ///< There are no more names after these.
    friend bool operator==(const Members&, const Members&) = default;
    /// @}
};

/// Server: somebody came or went.
struct Presence {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::presence;
    std::string user;       ///< In the spelling of the account.
    bool present = true;    ///< False: the last device has left.
    std::string display{};  ///< As in RoomPerson.
    friend bool operator==(const Presence&, const Presence&) = default;
    /// @}
};

/// Server: the newest record of the room, in case that nothing came for long.
struct Heartbeat {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::heartbeat;
    Offset head = 0;  ///< 0: there is none.
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
    /// @}
};

/// Client, on the control stream: a message to one person.
struct Tell {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::tell;
    RequestId request = 0;   ///< Answered by its Ack or Error.
    MessageId id{};          ///< The same when it is sent again.
    std::string to;          ///< A user's name, in any spelling.
    std::string text;        ///< As that of a message in a room.
    std::string attributes;  ///< A JSON object.
    friend bool operator==(const Tell&, const Tell&) = default;
    /// @}
};

/// Server, on the control stream: a message from one person to another, to the devices of both.
struct Told {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::told;
    Epoch epoch{};           ///< Of the log of the room of the two.
    Offset offset = 0;       ///< Where it is in that log.
    WallTime time{};         ///< When the server took it.
    MessageId id{};          ///< Which its author gave it.
    std::string from;        ///< Its author, in the spelling of the account.
    std::string to;          ///< The other one, likewise.
    std::string text;        ///< As it is now.
    std::string attributes;  ///< A JSON object.
    Act act{};               ///< A message or a file.
    friend bool operator==(const Told&, const Told&) = default;
    /// @}
};

/// Client, on the control stream: make a room, with us as its owner.
struct CreateRoom {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::create_room;
    RequestId request = 0;                      ///< Answered by its Ack or Error.
    MessageId id{};                             ///< The same when it is sent again.
    std::string room;                           ///< As it is to be spelled.
    RoomAccess access = RoomAccess::everybody;  ///< Who may come in.
    std::string topic;                          ///< May be empty.
    friend bool operator==(const CreateRoom&, const CreateRoom&) = default;
    /// @}
};

/// Client, on the control stream: which rooms are there? Names after `after`, in order.
struct RoomsRequest {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::rooms_request;
    RequestId request = 0;  ///< Answered by its Rooms or Error.
    std::string after;      ///< Empty: from the beginning.
    friend bool operator==(const RoomsRequest&, const RoomsRequest&) = default;
    /// @}
};

/// Server: the rooms that the account may see, in order of their names.
struct Rooms {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::rooms;
    RequestId request = 0;           ///< The request that it answers.
    std::vector<RoomSummary> rooms;  ///< A page of them.
    bool complete = true;            ///< There are no more names after these.
    friend bool operator==(const Rooms&, const Rooms&) = default;
    /// @}
};

/// Client, on the control stream: the account has read a room up to `offset`. Has no answer.
struct MarkRead {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::mark_read;
    std::string room;     ///< As the account calls it.
    Epoch epoch{};        ///< Of the log that was read: in another one it means nothing.
    Offset offset = 0;    ///< This record included.
    bool shared = false;  ///< The other members may know.
    friend bool operator==(const MarkRead&, const MarkRead&) = default;
    /// @}
};

/// Server, on the control stream: somebody has read a room up to `offset`.
struct Marker {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::marker;
    std::string room;  ///< As the account that is told calls it.
    /// Who it is: the account itself on another device, or a member who wants it known.
    std::string user;
    Offset offset = 0;  ///< This record included.
    friend bool operator==(const Marker&, const Marker&) = default;
    /// @}
};

/// Client, on the control stream: what our account wants to be called. Profile or Error follows.
struct SetProfile {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::set_profile;
    RequestId request = 0;  ///< Answered by its Profile or Error.
    std::string display;    ///< Empty: by its name again.
    friend bool operator==(const SetProfile&, const SetProfile&) = default;
    /// @}
};

/// Server, on the control stream: what an account is called from now on.
struct Profile {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::profile;
    RequestId request = 0;  ///< 0: somebody else's, or set on another device.
    std::string user;       ///< In the spelling of the account.
    std::string display;    ///< Empty: it is called by its name.
    friend bool operator==(const Profile&, const Profile&) = default;
    /// @}
};

/// Either, in a datagram: somebody is typing in the room of that stream of the receiver's
/// connection. From a client without a name.
struct Typing {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::typing;
    std::uint64_t stream = 0;  ///< The number of a QUIC stream.
    std::string user;          ///< Empty from a client: the server knows who it is.
    friend bool operator==(const Typing&, const Typing&) = default;
    /// @}
};

}  // namespace wire

/// Any frame of this version.
using Message = std::variant<
    wire::Hello, wire::Welcome, wire::LoginBegin, wire::LoginChallenge, wire::LoginResponse,
    wire::LoginDone, wire::Error, wire::Goaway, wire::Token, wire::Join, wire::Joined,
    wire::Publish, wire::Ack, wire::Event, wire::Gap, wire::MembersRequest, wire::Members,
    wire::Presence, wire::Heartbeat, wire::Tell, wire::Told, wire::CreateRoom, wire::RoomsRequest,
    wire::Rooms, wire::MarkRead, wire::Marker, wire::HistoryRequest, wire::HistoryEnd, wire::Typing,
    wire::SearchRequest, wire::SearchEnd, wire::SetProfile, wire::Profile, wire::FileOffer,
    wire::FileReady, wire::FileData, wire::FileRequest, wire::FileHead>;

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/message.ipp"
#endif
