#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <type_traits>
#include <variant>

#include <catch2/catch_tostring.hpp>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/transport/event.hpp"
#include "support/literals.hpp"

namespace quicchat::test {

/// "Errc::login_failed".
inline std::string describe(Errc errc) {
    if (find_error(errc) == nullptr) return "Errc{" + std::to_string(static_cast<int>(errc)) + "}";
    return "Errc::" + std::string{error_name(errc)};
}

/// "kicked by the peer: 'too loud'".
inline std::string describe(const CloseReason& reason) {
    std::string text = describe(reason.errc) + (reason.by_peer ? " by the peer" : " by us");
    if (!reason.text.empty()) text += ": '" + reason.text + "'";
    return text;
}

template <class Id>
requires std::is_enum_v<Id> std::string describe_id(const char* name, Id id) {
    return name + ("{" + std::to_string(static_cast<std::uint64_t>(id)) + "}");
}

/// One line for one event of a transport.
inline std::string describe(const TransportEvent& event) {
    const auto at = [](const auto& e) {
        return describe_id(" on connection ", e.connection) + describe_id(" stream ", e.stream);
    };
    return match(
        event, [](const Connected& e) { return describe_id("Connected ", e.connection); },
        [&](const StreamData& e) {
            return "StreamData" + at(e) + ": " + std::to_string(e.bytes.size()) + " bytes" +
                   (e.fin ? ", fin" : "");
        },
        [&](const StreamReset& e) {
            return "StreamReset" + at(e) + ": code " + std::to_string(e.code);
        },
        [&](const Writable& e) { return "Writable" + at(e); },
        [](const DatagramReceived& e) {
            return describe_id("DatagramReceived ", e.connection) + ": " +
                   std::to_string(e.bytes.size()) + " bytes";
        },
        [](const Disconnected& e) {
            return describe_id("Disconnected ", e.connection) + ": " + describe(e.reason);
        });
}

}  // namespace quicchat::test

template <>
struct Catch::StringMaker<quicchat::Errc> {
    static std::string convert(quicchat::Errc errc) { return quicchat::test::describe(errc); }
};
template <>
struct Catch::StringMaker<quicchat::ConnectionId> {
    static std::string convert(quicchat::ConnectionId id) {
        return quicchat::test::describe_id("ConnectionId", id);
    }
};
template <>
struct Catch::StringMaker<quicchat::StreamId> {
    static std::string convert(quicchat::StreamId id) {
        return quicchat::test::describe_id("StreamId", id);
    }
};
template <>
struct Catch::StringMaker<quicchat::Epoch> {
    static std::string convert(quicchat::Epoch epoch) {
        return quicchat::test::describe_id("Epoch", epoch);
    }
};
template <>
struct Catch::StringMaker<quicchat::MessageId> {
    static std::string convert(const quicchat::MessageId& id) {
        return quicchat::test::to_hex(id.bytes);
    }
};
template <>
struct Catch::StringMaker<quicchat::DeviceId> {
    static std::string convert(const quicchat::DeviceId& id) {
        return quicchat::test::to_hex(id.bytes);
    }
};
template <>
struct Catch::StringMaker<quicchat::Bytes> {
    static std::string convert(const quicchat::Bytes& bytes) {
        return quicchat::test::to_hex(bytes.view());
    }
};
template <>
struct Catch::StringMaker<quicchat::CloseReason> {
    static std::string convert(const quicchat::CloseReason& reason) {
        return quicchat::test::describe(reason);
    }
};
