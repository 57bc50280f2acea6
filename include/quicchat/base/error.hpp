#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "quicchat/base/config.hpp"

namespace quicchat {

/// Why something was refused or ended.
///
/// The numbers travel in error frames and in CONNECTION_CLOSE frames (PROTOCOL.md §8), so they
/// never change meaning. Ranges: 1-15 a peer broke the protocol; 16-63 the connection ends for
/// another reason; 64 and up one request is refused and the connection lives on.
enum class Errc : int {
    closed = 0x0100,  ///< Somebody closed the connection on purpose. Travels as 0.

    malformed_frame = 1,   ///< The bytes do not form a frame.
    frame_too_large = 2,   ///< The frame is longer than Limits allow.
    unexpected_frame = 3,  ///< The frame is valid, but not in this state or on this stream.
    unknown_frame = 4,     ///< A frame type that may not be skipped.
    too_many_streams = 5,  ///< More streams than Welcome allowed.
    flow_control = 6,      ///< The peer ignores back-pressure.

    version_mismatch = 16,       ///< No common protocol version.
    login_failed = 17,           ///< Wrong user name or password, or a broken login exchange.
    login_timeout = 18,          ///< The login took too long.
    server_full = 19,            ///< Too many connections.
    server_shutdown = 20,        ///< The server goes away.
    idle_timeout = 21,           ///< The peer was silent for too long.
    slow_consumer = 22,          ///< The peer reads its control stream too slowly.
    internal_error = 23,         ///< A fault of the program that reports it.
    storage_failed = 24,         ///< The room log cannot be written.
    unreachable = 25,            ///< Nothing listens at that address.
    handshake_timeout = 26,      ///< No QUIC handshake in time.
    transport_failed = 27,       ///< QUIC or TLS ended the connection.
    certificate_untrusted = 28,  ///< Nobody vouches for the server's certificate.
    server_key_changed = 29,     ///< The server's key is not the one we know.
    certificate_expired = 30,    ///< The certificate's time is over, or has not begun.
    certificate_name = 31,       ///< The certificate is for another name.
    server_not_verified = 32,    ///< The server could not prove that it knows the account.
    kicked = 33,                 ///< A moderator or administrator ended the connection.
    token_refused = 34,          ///< The device token is unknown, too old, revoked or used up.
    events_missing = 35,         ///< A room has records that the server did not hand over.
    too_many_connections = 36,   ///< The account has as many connections as it may have.
    too_many_attempts = 37,      ///< Too many logins have failed for the account, or from there.
    ticket_refused = 38,         ///< The ticket of a page is not good, or not any more.

    message_too_long = 64,    ///< The message is longer than Welcome allowed.
    invalid_text = 65,        ///< Not UTF-8, or with characters that are not allowed.
    invalid_name = 66,        ///< Not a name of a user or room.
    no_such_room = 67,        ///< There is no such room, or it is hidden.
    not_in_room = 68,         ///< The request needs a room that was not joined.
    no_such_user = 69,        ///< Nobody of that name can be reached.
    already_joined = 70,      ///< The connection is in that room already.
    too_many_rooms = 71,      ///< More rooms on one connection than Welcome allowed.
    rate_limited = 72,        ///< Too many requests. Try again after the stated time.
    conflict = 73,            ///< The message id was used before, with another body.
    queue_full = 74,          ///< A queue of ours is full. Try again a little later.
    forbidden = 75,           ///< The account may not do that.
    invalid_request = 76,     ///< A value outside what the protocol allows.
    room_full = 77,           ///< The room has as many members as it may have.
    not_ready = 78,           ///< The connection is not logged in (any more).
    storage_full = 79,        ///< The server's disk is full: it can be read, but not written.
    no_such_message = 80,     ///< There is no message there (any more) that could be changed.
    room_exists = 81,         ///< A room of that name exists, or the name is taken.
    removed = 82,             ///< A moderator took the account out of the room.
    file_too_large = 83,      ///< The file is larger than the server takes.
    file_mismatch = 84,       ///< The file's bytes are not those that were announced.
    no_such_file = 85,        ///< There is no file there (any more).
    not_accepted = 86,        ///< The server's program does not accept the message, and says why.
    not_checked = 87,         ///< The server's program could not say in time whether it does.
    unsupported = 88,         ///< The server does not offer that.
    too_many_reactions = 89,  ///< The message has as many reactions as it may have.
    no_change = 90,           ///< It is so already.
    quota_exceeded = 91,      ///< The account, room or server has no room for more.
};

/// What a client does about an error. Travels in error frames (PROTOCOL.md §8).
enum class ErrorClass : std::uint8_t {
    retry = 0,        ///< The same again, soon: with back-off and jitter.
    retry_after = 1,  ///< The same again, after the time that the error states.
    login = 2,        ///< Ask the user for credentials and log in again.
    rejoin = 3,       ///< Join the room again.
    give_up = 4,      ///< Trying again cannot help.
};

/// What is known of an error: the one table that documents and programs are made of.
struct ErrorInfo {
    Errc errc;               ///< Which.
    ErrorClass error_class;  ///< What to do about it.
    std::string_view name;   ///< Stable, for programs: "message_too_long".
    std::string_view text;   ///< One clause for people, lower case, no full stop.
};

// clang-format off
/// All errors of this version.
inline constexpr ErrorInfo error_table[] = {
    {Errc::closed,                ErrorClass::retry,       "closed",                "the connection was closed"},
    {Errc::malformed_frame,       ErrorClass::give_up,     "malformed_frame",       "the peer sent bytes that are not a frame"},
    {Errc::frame_too_large,       ErrorClass::give_up,     "frame_too_large",       "the peer sent a frame above the size limit"},
    {Errc::unexpected_frame,      ErrorClass::give_up,     "unexpected_frame",      "the peer sent a frame that its state forbids"},
    {Errc::unknown_frame,         ErrorClass::give_up,     "unknown_frame",         "the peer sent a required frame of an unknown type"},
    {Errc::too_many_streams,      ErrorClass::give_up,     "too_many_streams",      "the peer opened more streams than allowed"},
    {Errc::flow_control,          ErrorClass::give_up,     "flow_control",          "the peer ignored flow control"},
    {Errc::version_mismatch,      ErrorClass::give_up,     "version_mismatch",      "client and server have no protocol version in common"},
    {Errc::login_failed,          ErrorClass::login,       "login_failed",          "wrong user name or password"},
    {Errc::login_timeout,         ErrorClass::retry,       "login_timeout",         "the login took too long"},
    {Errc::server_full,           ErrorClass::retry_after, "server_full",           "the server has no room for another connection"},
    {Errc::server_shutdown,       ErrorClass::retry,       "server_shutdown",       "the server is shutting down"},
    {Errc::idle_timeout,          ErrorClass::retry,       "idle_timeout",          "the peer was silent for too long"},
    {Errc::slow_consumer,         ErrorClass::retry,       "slow_consumer",         "the peer reads too slowly"},
    {Errc::internal_error,        ErrorClass::retry_after, "internal_error",        "internal error"},
    {Errc::storage_failed,        ErrorClass::retry_after, "storage_failed",        "the server cannot store messages"},
    {Errc::unreachable,           ErrorClass::retry,       "unreachable",           "nothing is listening at that address"},
    {Errc::handshake_timeout,     ErrorClass::retry,       "handshake_timeout",     "no answer in time"},
    {Errc::transport_failed,      ErrorClass::retry,       "transport_failed",      "QUIC or TLS ended the connection"},
    {Errc::certificate_untrusted, ErrorClass::give_up,     "certificate_untrusted", "the server's certificate is not trusted"},
    {Errc::server_key_changed,    ErrorClass::give_up,     "server_key_changed",    "the server's key has changed"},
    {Errc::certificate_expired,   ErrorClass::give_up,     "certificate_expired",   "the server's certificate is not valid at this time"},
    {Errc::certificate_name,      ErrorClass::give_up,     "certificate_name",      "the server's certificate is for another name"},
    {Errc::server_not_verified,   ErrorClass::give_up,     "server_not_verified",   "the server did not prove that it knows the account"},
    {Errc::kicked,                ErrorClass::give_up,     "kicked",                "the connection was ended by the server's people"},
    {Errc::token_refused,         ErrorClass::login,       "token_refused",         "the device token is not valid any more"},
    {Errc::events_missing,        ErrorClass::retry,       "events_missing",        "the server left out messages of a room"},
    {Errc::too_many_connections,  ErrorClass::retry_after, "too_many_connections",  "the account has too many connections"},
    {Errc::too_many_attempts,     ErrorClass::retry_after, "too_many_attempts",     "too many logins have failed"},
    {Errc::ticket_refused,        ErrorClass::login,       "ticket_refused",        "the ticket is not valid, or not any more"},
    {Errc::message_too_long,      ErrorClass::give_up,     "message_too_long",      "the message is too long"},
    {Errc::invalid_text,          ErrorClass::give_up,     "invalid_text",          "the text is not valid UTF-8 or has forbidden characters"},
    {Errc::invalid_name,          ErrorClass::give_up,     "invalid_name",          "not a valid name"},
    {Errc::no_such_room,          ErrorClass::give_up,     "no_such_room",          "there is no such room"},
    {Errc::not_in_room,           ErrorClass::rejoin,      "not_in_room",           "the room was not joined"},
    {Errc::no_such_user,          ErrorClass::give_up,     "no_such_user",          "nobody of that name is here"},
    {Errc::already_joined,        ErrorClass::give_up,     "already_joined",        "the room is joined already"},
    {Errc::too_many_rooms,        ErrorClass::give_up,     "too_many_rooms",        "too many rooms"},
    {Errc::rate_limited,          ErrorClass::retry_after, "rate_limited",          "too many requests"},
    {Errc::conflict,              ErrorClass::give_up,     "conflict",              "the message id was used for another message"},
    {Errc::queue_full,            ErrorClass::retry,       "queue_full",            "too much is waiting to be sent"},
    {Errc::forbidden,             ErrorClass::give_up,     "forbidden",             "the account may not do that"},
    {Errc::invalid_request,       ErrorClass::give_up,     "invalid_request",       "the request is not valid"},
    {Errc::room_full,             ErrorClass::retry_after, "room_full",             "the room is full"},
    {Errc::not_ready,             ErrorClass::retry,       "not_ready",             "not connected"},
    {Errc::storage_full,          ErrorClass::retry_after, "storage_full",          "the server's disk is full"},
    {Errc::no_such_message,       ErrorClass::give_up,     "no_such_message",       "there is no such message"},
    {Errc::room_exists,           ErrorClass::give_up,     "room_exists",           "there is such a room already"},
    {Errc::removed,               ErrorClass::give_up,     "removed",               "a moderator took you out of the room"},
    {Errc::file_too_large,        ErrorClass::give_up,     "file_too_large",        "the file is too large"},
    {Errc::file_mismatch,         ErrorClass::give_up,     "file_mismatch",         "the file is not the one that was announced"},
    {Errc::no_such_file,          ErrorClass::give_up,     "no_such_file",          "there is no such file"},
    {Errc::not_accepted,          ErrorClass::give_up,     "not_accepted",          "the server does not accept that message"},
    {Errc::not_checked,           ErrorClass::retry_after, "not_checked",           "the message could not be checked in time"},
    {Errc::unsupported,           ErrorClass::give_up,     "unsupported",           "the server does not offer that"},
    {Errc::too_many_reactions,    ErrorClass::give_up,     "too_many_reactions",    "the message has too many reactions"},
    {Errc::no_change,             ErrorClass::give_up,     "no_change",             "it is so already"},
    {Errc::quota_exceeded,        ErrorClass::give_up,     "quota_exceeded",        "there is no room for more"},
};
// clang-format on

/// The table's row, or nullptr for a number of a newer version.
constexpr const ErrorInfo* find_error(Errc errc) {
    for (const ErrorInfo& info : error_table) {
        if (info.errc == errc) return &info;
    }
    return nullptr;
}

/// What to do about an error; `give_up` for a number of a newer version.
constexpr ErrorClass error_class(Errc errc) {
    const ErrorInfo* info = find_error(errc);
    return info != nullptr ? info->error_class : ErrorClass::give_up;
}

/// Its name for programs; "unknown" for a number of a newer version.
constexpr std::string_view error_name(Errc errc) {
    const ErrorInfo* info = find_error(errc);
    return info != nullptr ? info->name : "unknown";
}

/// True if the error ends the connection; false if it only refuses one request.
constexpr bool is_fatal(Errc errc) { return static_cast<int>(errc) < 64 || errc == Errc::closed; }

/// The number of an error as it travels (PROTOCOL.md §8): `closed` is 0, all others are themselves.
constexpr std::uint64_t wire_code(Errc errc) {
    return errc == Errc::closed ? 0 : static_cast<std::uint64_t>(errc);
}

/// The error for a number that a peer sent. Unknown numbers become `internal_error`.
constexpr Errc from_wire_code(std::uint64_t code) {
    if (code == 0) return Errc::closed;
    for (const ErrorInfo& info : error_table) {
        if (info.errc != Errc::closed && wire_code(info.errc) == code) return info.errc;
    }
    return Errc::internal_error;
}

/// Errc as an error code of the standard library.
class ErrorCategory final : public std::error_category {
public:
    /// "quicchat".
    const char* name() const noexcept override { return "quicchat"; }
    /// A clause for people.
    std::string message(int value) const override;
};

/// The only ErrorCategory.
QUICCHAT_DECL const std::error_category& error_category();

/// What std::error_code makes of an Errc by itself.
QUICCHAT_DECL std::error_code make_error_code(Errc errc);

/// The Errc of an error code: itself, or `internal_error` for codes of other categories.
QUICCHAT_DECL Errc to_errc(const std::error_code& error);

}  // namespace quicchat

template <>
struct std::is_error_code_enum<quicchat::Errc> : std::true_type {};

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/error.ipp"
#endif
