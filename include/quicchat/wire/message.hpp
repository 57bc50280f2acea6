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
    enum class Kind : std::uint8_t {
        now = 0,    ///< Only what is published from now on.
        last = 1,   ///< The last `count` records, then what follows.
        after = 2,  ///< Everything after `offset` of `epoch`: recovery.
    };
    Kind kind = Kind::now;
    std::uint64_t count = 0;
    Epoch epoch{};
    Offset offset = 0;

    static Position from_now() { return {}; }
    static Position last(std::uint64_t count) { return {.kind = Kind::last, .count = count}; }
    static Position after(Epoch epoch, Offset offset);
    friend bool operator==(const Position&, const Position&) = default;
};

/// What the server allows, told in Welcome.
struct ServerLimits {
    std::uint64_t message_bytes_max = 0;
    std::uint64_t attributes_bytes_max = 0;
    std::uint64_t rooms_max = 0;
    friend bool operator==(const ServerLimits&, const ServerLimits&) = default;
};

// The messages, one struct per frame type. Field order is the order on the wire.
namespace wire {

/// Client: the versions and features it knows. The first frame of a connection.
struct Hello {
    static constexpr FrameType type = FrameType::hello;
    std::uint64_t minor_min = 0;
    std::uint64_t minor_max = 0;
    std::vector<std::string> features;
    std::string agent;  ///< JSON object about the program, for logs.
    friend bool operator==(const Hello&, const Hello&) = default;
};

/// Server: the version and features both know, and what it allows.
struct Welcome {
    static constexpr FrameType type = FrameType::welcome;
    std::uint64_t minor = 0;
    std::vector<std::string> features;
    ServerLimits limits;
    std::string agent;
    friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// Client: the first SASL message of a mechanism (RFC 4422 §3).
struct LoginBegin {
    static constexpr FrameType type = FrameType::login_begin;
    std::string mechanism;
    DeviceId device{};  ///< Which installation of the client this is; zeros: it does not say.
    Buffer data;
    friend bool operator==(const LoginBegin&, const LoginBegin&) = default;
};

/// Server: a SASL challenge.
struct LoginChallenge {
    static constexpr FrameType type = FrameType::login_challenge;
    Buffer data;
    friend bool operator==(const LoginChallenge&, const LoginChallenge&) = default;
};

/// Client: the answer to a challenge.
struct LoginResponse {
    static constexpr FrameType type = FrameType::login_response;
    Buffer data;
    friend bool operator==(const LoginResponse&, const LoginResponse&) = default;
};

/// Server: logged in, under this name, with the mechanism's additional data (the server's proof).
struct LoginDone {
    static constexpr FrameType type = FrameType::login_done;
    std::string user;
    Buffer data;
    friend bool operator==(const LoginDone&, const LoginDone&) = default;
};

/// Server: the device's token for its next login. What is said of it is kept already.
struct Token {
    static constexpr FrameType type = FrameType::token;
    std::uint64_t generation = 0;
    Buffer key;
    friend bool operator==(const Token&, const Token&) = default;
};

/// Either: a request was refused, or why the connection is about to be closed.
struct Error {
    static constexpr FrameType type = FrameType::error;
    RequestId request = 0;  ///< 0: not about a request.
    std::uint64_t code = 0;
    std::uint64_t error_class = 0;
    std::uint64_t retry_after_ms = 0;
    std::string text;
    friend bool operator==(const Error&, const Error&) = default;
};

/// Server: it will close the connection within `grace_ms`; begin nothing new.
struct Goaway {
    static constexpr FrameType type = FrameType::goaway;
    std::uint64_t code = 0;
    std::uint64_t grace_ms = 0;
    std::string text;
    friend bool operator==(const Goaway&, const Goaway&) = default;
};

/// Client, first frame of a room's stream: join the room.
struct Join {
    static constexpr FrameType type = FrameType::join;
    RequestId request = 0;
    std::string room;
    Position position;
    friend bool operator==(const Join&, const Join&) = default;
};

/// Server: joined; events from `next` on follow on this stream.
struct Joined {
    static constexpr FrameType type = FrameType::joined;
    RequestId request = 0;
    std::string room;
    Epoch epoch{};
    Offset head = 0;
    Offset next = 0;
    bool recovered = false;
    Role role = Role::none;  ///< Of the account.
    RoomAccess access = RoomAccess::everybody;
    Offset marker = 0;  ///< As in RoomSummary.
    std::string topic{};
    friend bool operator==(const Joined&, const Joined&) = default;
};

/// Client: put this message, or another act, into the room of this stream.
struct Publish {
    static constexpr FrameType type = FrameType::publish;
    RequestId request = 0;
    MessageId id{};
    std::string text;
    std::string attributes;
    Act act{};
    friend bool operator==(const Publish&, const Publish&) = default;
};

/// Server: the message is committed there, as safe as `durability` says.
struct Ack {
    static constexpr FrameType type = FrameType::ack;
    RequestId request = 0;
    Epoch epoch{};
    Offset offset = 0;
    Durability durability = Durability::memory;
    WallTime time{};
    friend bool operator==(const Ack&, const Ack&) = default;
};

/// Server: one record of the room's log.
struct Event {
    static constexpr FrameType type = FrameType::event;
    Offset offset = 0;
    WallTime time{};
    MessageId id{};
    std::string from;
    std::string text;
    std::string attributes;
    Act act{};
    Offset changed_by = 0;  ///< The edit or deletion that gave it these texts; 0: none.
    friend bool operator==(const Event&, const Event&) = default;
};

/// Server: the records from `first` to `last` cannot be had any more.
struct Gap {
    static constexpr FrameType type = FrameType::gap;
    Offset first = 0;
    Offset last = 0;
    friend bool operator==(const Gap&, const Gap&) = default;
};

/// Client: who is in the room of this stream? Names after `after`, in order.
struct MembersRequest {
    static constexpr FrameType type = FrameType::members_request;
    RequestId request = 0;
    std::string after;
    friend bool operator==(const MembersRequest&, const MembersRequest&) = default;
};

/// Server: who belongs to the room or is in it, in order of their names.
struct Members {
    static constexpr FrameType type = FrameType::members;
    RequestId request = 0;
    std::vector<RoomPerson> people;
    bool complete = true;
    friend bool operator==(const Members&, const Members&) = default;
};

/// Server: somebody came or went.
struct Presence {
    static constexpr FrameType type = FrameType::presence;
    std::string user;
    bool present = true;
    std::string display{};  ///< As in RoomPerson.
    friend bool operator==(const Presence&, const Presence&) = default;
};

/// Server: the newest record of the room, in case that nothing came for long.
struct Heartbeat {
    static constexpr FrameType type = FrameType::heartbeat;
    Offset head = 0;
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

/// Client, on the control stream: a message to one person.
struct Tell {
    static constexpr FrameType type = FrameType::tell;
    RequestId request = 0;
    MessageId id{};
    std::string to;
    std::string text;
    std::string attributes;
    friend bool operator==(const Tell&, const Tell&) = default;
};

/// Server, on the control stream: a message from one person to another, to the devices of both.
struct Told {
    static constexpr FrameType type = FrameType::told;
    Epoch epoch{};
    Offset offset = 0;
    WallTime time{};
    MessageId id{};
    std::string from;
    std::string to;
    std::string text;
    std::string attributes;
    Act act{};  ///< A message or a file.
    friend bool operator==(const Told&, const Told&) = default;
};

/// Client, on the control stream: make a room, with us as its owner.
struct CreateRoom {
    static constexpr FrameType type = FrameType::create_room;
    RequestId request = 0;
    MessageId id{};
    std::string room;
    RoomAccess access = RoomAccess::everybody;
    std::string topic;
    friend bool operator==(const CreateRoom&, const CreateRoom&) = default;
};

/// Client, on the control stream: which rooms are there? Names after `after`, in order.
struct RoomsRequest {
    static constexpr FrameType type = FrameType::rooms_request;
    RequestId request = 0;
    std::string after;
    friend bool operator==(const RoomsRequest&, const RoomsRequest&) = default;
};

/// Server: the rooms that the account may see, in order of their names.
struct Rooms {
    static constexpr FrameType type = FrameType::rooms;
    RequestId request = 0;
    std::vector<RoomSummary> rooms;
    bool complete = true;
    friend bool operator==(const Rooms&, const Rooms&) = default;
};

/// Client, on the control stream: the account has read a room up to `offset`. Has no answer.
struct MarkRead {
    static constexpr FrameType type = FrameType::mark_read;
    std::string room;
    Epoch epoch{};
    Offset offset = 0;
    bool shared = false;  ///< The other members may know.
    friend bool operator==(const MarkRead&, const MarkRead&) = default;
};

/// Server, on the control stream: somebody has read a room up to `offset`.
struct Marker {
    static constexpr FrameType type = FrameType::marker;
    std::string room;
    std::string user;
    Offset offset = 0;
    friend bool operator==(const Marker&, const Marker&) = default;
};

/// Client, on the control stream: what our account wants to be called. Profile or Error follows.
struct SetProfile {
    static constexpr FrameType type = FrameType::set_profile;
    RequestId request = 0;
    std::string display;  ///< Empty: by its name again.
    friend bool operator==(const SetProfile&, const SetProfile&) = default;
};

/// Server, on the control stream: what an account is called from now on.
struct Profile {
    static constexpr FrameType type = FrameType::profile;
    RequestId request = 0;  ///< 0: somebody else's, or set on another device.
    std::string user;
    std::string display;
    friend bool operator==(const Profile&, const Profile&) = default;
};

/// Either, in a datagram: somebody is typing in the room of that stream of the receiver's
/// connection. From a client without a name.
struct Typing {
    static constexpr FrameType type = FrameType::typing;
    std::uint64_t stream = 0;
    std::string user;
    friend bool operator==(const Typing&, const Typing&) = default;
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
