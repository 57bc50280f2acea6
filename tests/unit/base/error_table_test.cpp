#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/error.hpp"
#include "support/printers.hpp"

// error_test.cpp has the behaviour; this file has what must hold for the table as a whole.

namespace quicchat {
namespace {

/// Every enumerator. The compiler complains (-Wswitch) when one is missing here, and the test below
/// when it is missing in the table.
constexpr bool is_enumerator(Errc errc) {
    switch (errc) {
        case Errc::closed:
        case Errc::malformed_frame:
        case Errc::frame_too_large:
        case Errc::unexpected_frame:
        case Errc::unknown_frame:
        case Errc::too_many_streams:
        case Errc::flow_control:
        case Errc::version_mismatch:
        case Errc::login_failed:
        case Errc::login_timeout:
        case Errc::server_full:
        case Errc::server_shutdown:
        case Errc::idle_timeout:
        case Errc::slow_consumer:
        case Errc::internal_error:
        case Errc::storage_failed:
        case Errc::unreachable:
        case Errc::handshake_timeout:
        case Errc::transport_failed:
        case Errc::certificate_untrusted:
        case Errc::server_key_changed:
        case Errc::certificate_expired:
        case Errc::certificate_name:
        case Errc::server_not_verified:
        case Errc::kicked:
        case Errc::token_refused:
        case Errc::events_missing:
        case Errc::too_many_connections:
        case Errc::too_many_attempts:
        case Errc::ticket_refused:
        case Errc::message_too_long:
        case Errc::invalid_text:
        case Errc::invalid_name:
        case Errc::no_such_room:
        case Errc::not_in_room:
        case Errc::no_such_user:
        case Errc::already_joined:
        case Errc::too_many_rooms:
        case Errc::rate_limited:
        case Errc::conflict:
        case Errc::queue_full:
        case Errc::forbidden:
        case Errc::invalid_request:
        case Errc::room_full:
        case Errc::not_ready:
        case Errc::storage_full:
        case Errc::no_such_message:
        case Errc::room_exists:
        case Errc::removed:
        case Errc::file_too_large:
        case Errc::file_mismatch:
        case Errc::no_such_file:
        case Errc::not_accepted:
        case Errc::not_checked:
        case Errc::unsupported:
        case Errc::too_many_reactions:
        case Errc::no_change:
        case Errc::quota_exceeded:
            return true;
    }
    return false;
}

TEST_CASE("every Errc has a row in the table of errors, and every row an Errc", "[base]") {
    for (int number = -10; number < 1000; ++number) {
        INFO("number " << number);
        const Errc errc{number};
        CHECK((find_error(errc) != nullptr) == is_enumerator(errc));
    }
}

TEST_CASE("the rows of the table of errors", "[base]") {
    for (const ErrorInfo& row : error_table) {
        INFO(row.name);
        const int number = static_cast<int>(row.errc);
        CHECK(number != 0);  // an error_code of zero means success
        CHECK(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
        CHECK(is_fatal(row.errc) == (number < 64 || row.errc == Errc::closed));
        // A violation of the protocol does not become right by trying again.
        if (number < 16) CHECK(row.error_class == ErrorClass::give_up);
        CHECK(wire_code(row.errc) < 0x4000);  // a varint of two bytes

        const std::error_code error = row.errc;
        CHECK(error == row.errc);
        CHECK(to_errc(error) == row.errc);
        CHECK(error.message() == row.text);
    }
}

TEST_CASE("numbers that only look like ours from the network", "[base]") {
    for (const std::uint64_t code :
         {(std::uint64_t{1} << 32) + 17, std::numeric_limits<std::uint64_t>::max()}) {
        INFO("code " << code);
        CHECK(from_wire_code(code) == Errc::internal_error);
    }
    CHECK(to_errc(std::error_code{17, std::generic_category()}) == Errc::internal_error);
    CHECK(test::describe(Errc{4711}) == "Errc{4711}");
}

}  // namespace
}  // namespace quicchat
