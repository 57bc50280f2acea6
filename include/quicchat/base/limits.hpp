#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "quicchat/base/time.hpp"

namespace quicchat {

/// What one peer may cost us, and how long we wait for it. Every queue, frame, name, table and wait
/// has its number here, with its unit and its reason. Exceeding one is an error of the peer, never
/// a crash of ours. `Limits{.members_max = 5000}`: the caller names what differs, the rest stays.
struct Limits {
    // Frames and texts. PROTOCOL.md §2.2 and §3.
    std::size_t frame_bytes_before_login_max = 4 * 1024;  ///< Strangers get little of our memory.
    std::size_t frame_bytes_max = 64 * 1024;              ///< A long message is text, not a file.
    std::size_t early_bytes_max = 16 * 1024;      ///< Joins sent with the login, before its answer.
    std::size_t message_bytes_max = 32 * 1024;    ///< Leaves half a frame for attributes and heads.
    std::size_t attributes_bytes_max = 8 * 1024;  ///< Free-form JSON beside a message.
    std::size_t json_depth_max = 16;              ///< Deeper JSON is an attack on the stack.

    // Connections of a server.
    std::size_t connections_max = 10'000;        ///< At about 50 KiB each: half a GiB.
    std::size_t rooms_per_connection_max = 100;  ///< Each is a QUIC stream with its own buffers.
    Duration login_timeout = std::chrono::seconds{15};  ///< Handshake to login, PBKDF2 included.
    Duration drain_timeout = std::chrono::seconds{3};   ///< From Goaway to close.
    Duration heartbeat = std::chrono::seconds{30};      ///< A quiet room says its newest offset.

    // Rooms.
    std::size_t rooms_max = 10'000;           ///< Rooms of one server.
    std::size_t members_max = 10'000;         ///< Members of one room.
    std::size_t room_log_records_max = 4096;  ///< What a room remembers; before that is a Gap.
    std::size_t room_log_bytes_max = 16 * 1024 * 1024;  ///< The same in bytes: 4 KiB a record.
    std::size_t room_recent_frames_max = 256;       ///< Encoded once, for all members that keep up.
    std::size_t private_rooms_max = 1000;           ///< Pairs; the longest quiet one goes.
    std::size_t private_log_records_max = 64;       ///< Enough to recognise what is sent again.
    std::size_t private_log_bytes_max = 64 * 1024;  ///< The same in bytes: 64 MiB for all pairs.
    std::size_t history_records_max = 1000;         ///< "The last n" of a Join.
    std::size_t presence_members_max = 200;         ///< Larger rooms do not announce them.
    std::size_t catch_up_records_max = 4;    ///< Read from the log at once for a slow member.
    std::size_t members_per_page_max = 500;  ///< 32 bytes each fit a frame.

    // Queues.
    std::size_t stream_backlog_bytes_max = 64 * 1024;    ///< Then a reader is served from the log.
    std::size_t control_backlog_bytes_max = 256 * 1024;  ///< Then the slow reader is disconnected.
    std::size_t outbox_messages_max = 1000;      ///< Unacknowledged messages that a client keeps.
    std::size_t outbox_bytes_max = 1024 * 1024;  ///< The same in bytes.
    std::size_t replies_max = 64;   ///< Answers waiting for a slow member; then we stop reading it.
    std::size_t events_max = 4096;  ///< Events that an application left unread; then reading stops.

    // QUIC transport (RFC 9000 §18.2).
    Duration handshake_timeout = std::chrono::seconds{10};  ///< As long as people wait for a page.
    Duration idle_timeout = std::chrono::seconds{60};       ///< More than two keep-alives.
    Duration keep_alive = std::chrono::seconds{25};  ///< Below the 30 s of common NAT tables.
    std::size_t stream_receive_window = 256 * 1024;  ///< Bytes a peer may have in flight to us.
    std::size_t connection_receive_window = 1024 * 1024;  ///< The same over all streams.
};

/// Names of users: ASCII letters, digits, `_ . -`. PROTOCOL.md §3.2.
inline constexpr std::size_t user_name_bytes_max = 32;

/// Names of rooms: `#` and the letters of a user name.
inline constexpr std::size_t room_name_bytes_max = 64;

/// When a client may try again what was refused for now.
inline constexpr Duration refused_retry_after = std::chrono::seconds{5};

/// Joins that a client sends along with its login: the longest ones stay below what a server keeps
/// (`Limits::early_bytes_max`, PROTOCOL.md §5.1). The others follow when the login is complete.
inline constexpr std::size_t early_joins_max = 64;

/// Devices of one account that may hold a token.
inline constexpr std::size_t devices_per_account_max = 20;

/// What a peer may say about itself in Hello and Welcome: JSON text.
inline constexpr std::size_t agent_bytes_max = 1024;

/// Features that one Hello may name; there are none yet, and a hundred will do for long.
inline constexpr std::size_t features_max = 100;

/// One SASL message, PROTOCOL.md §5; RFC 5802's longest is well below.
inline constexpr std::size_t sasl_bytes_max = 2048;

/// The text of an error frame.
inline constexpr std::size_t error_text_bytes_max = 512;

}  // namespace quicchat
