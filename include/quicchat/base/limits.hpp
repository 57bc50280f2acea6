#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "quicchat/base/time.hpp"

namespace quicchat {

/// So much at once, and so much a second on average.
struct Rate {
    std::uint64_t burst = 0;       ///< At once.
    std::uint64_t per_second = 0;  ///< On average.
};

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
    /// Each is about 50 KiB while it reads. One that stalls holds what it sent and we have not
    /// read, `connection_receive_window` at the most, `file_backlog_bytes_max` for each upload, and
    /// its part of `unsent_bytes_max`.
    std::size_t connections_max = 10'000;
    /// Of one network, not logged in: a school that comes back at once. Of all a quarter of
    /// `connections_max`. Then the one goes that has waited for longest of the address that has
    /// most.
    std::size_t strangers_per_prefix_max = 1000;
    std::size_t connections_per_account_max = 64;  ///< Its devices, thrice, and some programs.
    std::size_t rooms_per_connection_max = 100;    ///< Each is a QUIC stream with its own buffers.
    Duration login_timeout = std::chrono::seconds{15};  ///< Handshake to login, PBKDF2 included.
    Duration drain_timeout = std::chrono::seconds{3};   ///< From Goaway to close.
    Duration heartbeat = std::chrono::seconds{30};      ///< A quiet room says its newest offset.

    // Rooms.
    std::size_t rooms_max = 10'000;           ///< Rooms of one server.
    std::size_t members_max = 10'000;         ///< Members of one room.
    std::size_t room_log_records_max = 4096;  ///< What a room remembers; before that is a Gap.
    std::size_t room_log_bytes_max = 16 * 1024 * 1024;  ///< The same in bytes: 4 KiB a record.
    /// Who writes more than a quarter of what a room remembers within two hours pushes out nothing
    /// of others that is younger. A week, so that nobody misses it who looks in now and then.
    Duration room_age_min = std::chrono::hours{24 * 7};
    std::size_t room_recent_frames_max = 256;     ///< Encoded once, for all members that keep up.
    std::size_t private_rooms_max = 4000;         ///< Pairs of people; the longest quiet one goes.
    std::size_t private_log_records_max = 4096;   ///< What two people can look back to.
    std::size_t private_log_bytes_max = 3 << 20;  ///< The same in bytes: more than a burst.
    std::size_t history_records_max = 1000;       ///< "The last n" of a Join.
    std::size_t presence_members_max = 200;       ///< Larger rooms do not announce them.
    /// Bytes that are read or stored for one account before all others have a turn.
    std::size_t turn_work_max = 512 * 1024;
    std::size_t catch_up_records_max = 4;      ///< Read from the log at once for a slow member.
    std::size_t members_per_page_max = 500;    ///< 110 bytes each fit a frame.
    std::size_t rooms_per_page_max = 50;       ///< 600 bytes each fit a frame.
    std::size_t page_records_max = 100;        ///< A screen or two of history; 4 MiB at the most.
    std::size_t pages_per_connection_max = 4;  ///< Under way at a time, each on a stream.
    std::size_t search_records_max = 5000;  ///< Looked at for one request; then it is asked again.
    std::size_t reactions_per_message_max = 1000;     ///< Records of them, taken back or not.
    std::size_t reactions_by_account_max = 50;        ///< Of those, by one account.
    std::size_t profiles_max = 100'000;               ///< Display names that a server keeps: 15 MB.
    Duration typing_pause = std::chrono::seconds{3};  ///< Somebody types: said so often at most.
    Duration typing_expiry = std::chrono::seconds{6};  ///< And holds for so long.
    std::size_t rooms_per_owner_max = 100;             ///< Rooms that one account may have made.
    /// What all rooms that one account made may take: as many as have `room_log_bytes_max` each.
    /// One at least.
    std::uint64_t room_bytes_per_owner_max = 512 << 20;

    // Files.
    std::uint64_t file_bytes_max = 100ull << 20;             ///< One file.
    std::uint64_t files_per_room_bytes_max = 1ull << 30;     ///< All files of a room.
    std::uint64_t files_per_account_bytes_max = 2ull << 30;  ///< All files that one account sent.
    std::uint64_t files_bytes_max = 10ull << 30;             ///< All files of a server.
    std::size_t transfers_per_connection_max = 4;  ///< Under way, each way, on a stream each.
    std::size_t downloads_per_account_max = 16;    ///< Under way, over all its connections.
    std::size_t uploads_per_account_max = 8;       ///< Begun and not finished.
    std::uint64_t upload_ahead_bytes = 1 << 20;    ///< Kept free beyond the bytes that have come.
    std::size_t file_chunk_bytes_max = 32 * 1024;  ///< In a frame: half of one.
    std::size_t file_backlog_bytes_max = 512 * 1024;  ///< Received and not written yet.
    Duration upload_expiry = std::chrono::hours{24};  ///< One that nobody goes on with is dropped.
    Duration empty_upload_expiry = std::chrono::minutes{1};  ///< The same without a byte yet.

    // Queues.
    /// All bytes that wait for all clients, written and not acknowledged or made and not written.
    /// Who holds more than what is left of it waits; see also `unsent_share_bytes`.
    std::size_t unsent_bytes_max = 512 << 20;
    std::size_t stream_backlog_bytes_max = 64 * 1024;    ///< Then a reader is served from the log.
    std::size_t control_backlog_bytes_max = 256 * 1024;  ///< Then the slow reader is disconnected.
    std::size_t outbox_messages_max = 1000;      ///< Unacknowledged messages that a client keeps.
    std::size_t outbox_bytes_max = 1024 * 1024;  ///< The same in bytes.
    Duration answer_wait = std::chrono::seconds{10};     ///< Then a client says that it waits,
    Duration answer_timeout = std::chrono::seconds{60};  ///< and leaves who says nothing at all.
    std::size_t replies_max = 64;  ///< Answers waiting for a slow member; then we stop reading it.
    std::size_t checks_max = 10'000;  ///< Messages that the server's program has to judge.
    std::size_t checks_bytes_max = 64 * 1024 * 1024;  ///< The same in bytes.
    std::size_t events_max = 4096;  ///< Events that an application left unread; then reading stops.

    // Rates. Bursts are above what a client sends again after a reconnection.
    Rate messages_per_account{2000, 100};  ///< A person and a few programs.
    Rate messages_per_room{10'000, 1000};  ///< Nobody reads faster.
    Rate stored_bytes_per_account{2 << 20,
                                  64 << 10};  ///< In one room. An outbox, then fast typing.
    Rate messages_per_prefix{20'000, 2000};   ///< A school behind one address.
    Rate output_bytes_per_account{256 << 20, 32 << 20};  ///< A message counts for each who gets it.
    Rate file_bytes_per_account{256 << 20, 64 << 20};  ///< Of files that it fetches; above: slower.
    Rate upload_bytes_per_account{256 << 20, 64 << 20};  ///< The same for files that it sends.
    Rate requests_per_connection{400, 40};    ///< Joins of all rooms twice, then what people click.
    Rate requests_per_account{2000, 100};     ///< The same over all connections of an account.
    Rate markers_per_account{200, 20};        ///< How far it has read; above: the newest, later.
    Rate connections_per_prefix{2000, 200};   ///< A handshake is a millisecond of our time. QUIC.
    Rate failed_logins_per_account{300, 1};   ///< From one network; each counts 30: two a minute.
    Rate failed_logins_per_prefix{1000, 10};  ///< Above, all that fail there are told the reason.

    // QUIC transport (RFC 9000 §18.2).
    Duration handshake_timeout = std::chrono::seconds{10};  ///< As long as people wait for a page.
    Duration idle_timeout = std::chrono::seconds{60};       ///< More than two keep-alives.
    Duration keep_alive = std::chrono::seconds{25};  ///< Below the 30 s of common NAT tables.
    std::size_t stream_receive_window = 256 * 1024;  ///< Bytes a peer may have in flight to us.
    std::size_t connection_receive_window = 1024 * 1024;  ///< The same over all streams.
};

/// What of these limits does not fit together, in words; nullptr if all do. What is relied upon
/// somewhere stands here.
constexpr const char* limits_problem(const Limits& l) {
    constexpr std::size_t head_bytes = 512;  // the other fields of a frame
    const std::size_t longest = l.message_bytes_max + l.attributes_bytes_max + head_bytes;
    for (const Rate& rate :
         {l.messages_per_account, l.messages_per_room, l.messages_per_prefix,
          l.stored_bytes_per_account, l.output_bytes_per_account, l.file_bytes_per_account,
          l.upload_bytes_per_account, l.requests_per_connection, l.requests_per_account,
          l.markers_per_account, l.connections_per_prefix, l.failed_logins_per_account,
          l.failed_logins_per_prefix}) {
        if (rate.burst == 0 || rate.per_second == 0) return "a rate and its burst must be above 0";
    }
    if (longest > l.frame_bytes_max) {
        return "message_bytes_max and attributes_bytes_max together do not fit a frame";
    }
    if (l.file_chunk_bytes_max == 0 || l.file_chunk_bytes_max + head_bytes > l.frame_bytes_max) {
        return "file_chunk_bytes_max must be above 0 and fit a frame";
    }
    if (l.frame_bytes_before_login_max > l.frame_bytes_max) {
        return "frame_bytes_before_login_max must not be above frame_bytes_max";
    }
    if (l.outbox_bytes_max < longest) return "outbox_bytes_max must hold one message at least";
    if (l.stored_bytes_per_account.burst < l.outbox_bytes_max) {
        return "stored_bytes_per_account must let a client send all that it kept unsent at once";
    }
    if (l.private_log_bytes_max < l.stored_bytes_per_account.burst + longest) {
        return "private_log_bytes_max must hold what an account may store at once";
    }
    if (l.output_bytes_per_account.burst < longest) {
        return "output_bytes_per_account must allow one message at least";
    }
    if (l.replies_max == 0 || l.catch_up_records_max == 0 || l.page_records_max == 0 ||
        l.pages_per_connection_max == 0 || l.members_per_page_max == 0 ||
        l.rooms_per_page_max == 0 || l.outbox_messages_max == 0 || l.private_rooms_max == 0 ||
        l.turn_work_max == 0) {
        return "a limit that must be 1 at least is 0";
    }
    if (l.unsent_bytes_max < l.frame_bytes_max) {
        return "unsent_bytes_max must hold one frame at least";
    }
    if (l.answer_wait <= Duration{} || l.answer_timeout <= l.answer_wait) {
        return "answer_wait must be above 0, and answer_timeout above answer_wait";
    }
    if (l.strangers_per_prefix_max == 0) return "strangers_per_prefix_max must be 1 at least";
    if (l.stream_backlog_bytes_max > l.control_backlog_bytes_max) {
        return "stream_backlog_bytes_max must not be above control_backlog_bytes_max";
    }
    return nullptr;
}

static_assert(limits_problem({}) == nullptr);

/// A connection may always hold so much of `Limits::unsent_bytes_max`, whatever the others hold:
/// half a long message on its way, 200 kB/s at a round trip of 80 ms.
inline constexpr std::size_t unsent_share_bytes = 16 * 1024;

/// Names of users: ASCII letters, digits, `_ . -`. PROTOCOL.md §3.2.
inline constexpr std::size_t user_name_bytes_max = 32;

/// Names of rooms: `#` and the letters of a user name.
inline constexpr std::size_t room_name_bytes_max = 64;

/// A room's topic, and the reason that is given with a role.
inline constexpr std::size_t topic_bytes_max = 512;

/// What an account wants to be called: a few words.
inline constexpr std::size_t display_name_bytes_max = 64;

/// The name of a file: as long as file systems take it.
inline constexpr std::size_t file_name_bytes_max = 255;

/// A SHA-256 digest, and nothing else.
inline constexpr std::size_t digest_bytes_max = 32;

/// What is searched for.
inline constexpr std::size_t search_bytes_max = 256;

/// The text of a reaction: an emoji of several code points, or a word.
inline constexpr std::size_t reaction_bytes_max = 64;

/// Unread messages are counted up to here.
inline constexpr std::size_t unread_max = 100;

/// So many different names in one message count as mentions: who names more names nobody.
inline constexpr std::size_t mentions_max = 32;

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
