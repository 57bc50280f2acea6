#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace quicchat {

/// One connection of a transport. Never reused by the same transport.
enum class ConnectionId : std::uint64_t {};

/// One stream of a connection. Over QUIC it is the stream id of RFC 9000 §2.1.
enum class StreamId : std::uint64_t {};

/// The first stream that a client opens (PROTOCOL.md §2.1). RFC 9000 §2.1 gives it this number.
inline constexpr StreamId control_stream{0};

/// Names one life of a room's log. A log that was lost and begun anew has another epoch, so an
/// offset of the old one cannot be mistaken for one of the new (PROTOCOL.md §6.1).
enum class Epoch : std::uint64_t {};

/// The place of a record in a room's log: the first is 1, each next one is +1. Zero stands for
/// "before the first record".
using Offset = std::uint64_t;

/// The number that a client gives a request, so that it can recognise the answer.
using RequestId = std::uint64_t;

/// Chosen at random by the client for each message it publishes. Sending the same message again
/// under the same id is safe: it is stored once (PROTOCOL.md §6.3).
struct MessageId {
    std::array<std::byte, 16> bytes{};  ///< Random, or of the application.

    /// Any order, the same everywhere.
    friend auto operator<=>(const MessageId&, const MessageId&) = default;
};

/// One installation of a client of one account: chosen at random by the client, once, and kept with
/// its unsent messages. Two devices may choose the same message id (PROTOCOL.md §6.3).
struct DeviceId {
    std::array<std::byte, 16> bytes{};  ///< Random.

    /// The same device.
    friend bool operator==(const DeviceId&, const DeviceId&) = default;
    /// The order of the bytes. As two numbers, since devices are keys of maps that each append
    /// looks into.
    friend constexpr std::strong_ordering operator<=>(const DeviceId& a, const DeviceId& b) {
        const auto order = a.half(0) <=> b.half(0);
        return order != 0 ? order : a.half(8) <=> b.half(8);
    }

private:
    constexpr std::uint64_t half(std::size_t begin) const {
        const auto at = [this, begin](std::size_t i) {
            return std::to_integer<std::uint64_t>(bytes[begin + i]) << (8 * (7 - i));
        };
        return at(0) | at(1) | at(2) | at(3) | at(4) | at(5) | at(6) | at(7);  // one instruction
    }
};

}  // namespace quicchat

template <>
struct std::hash<quicchat::MessageId> {
    /// The bytes are random already, so any eight of them are a hash. A client that chooses them
    /// badly slows down only the look-ups of its own (account, room) table, which is bounded.
    std::size_t operator()(const quicchat::MessageId& id) const noexcept {
        std::size_t value = 0;
        std::memcpy(&value, id.bytes.data(), sizeof value);
        return value;
    }
};
