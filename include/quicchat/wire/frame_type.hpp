#pragma once

#include <cstdint>

namespace quicchat {

/// The numbers of PROTOCOL.md §4. An odd type may be skipped by those who do not know it, an even
/// one may not.
enum class FrameType : std::uint64_t {
    hello = 0x02,
    welcome = 0x04,
    login_begin = 0x06,
    login_challenge = 0x08,
    login_response = 0x0a,
    login_done = 0x0c,
    error = 0x0e,
    goaway = 0x10,
    token = 0x12,
    join = 0x20,
    joined = 0x22,
    publish = 0x24,
    ack = 0x26,
    event = 0x28,
    gap = 0x2a,
    members_request = 0x2c,
    members = 0x2e,
    presence = 0x31,
    heartbeat = 0x33,
    tell = 0x34,
    told = 0x36,
    create_room = 0x38,
    rooms_request = 0x3a,
    rooms = 0x3c,
    mark_read = 0x3e,
    marker = 0x41,
    history_request = 0x42,
    history_end = 0x44,
    typing = 0x47,
    search_request = 0x48,
    search_end = 0x4a,
    set_profile = 0x4c,
    profile = 0x4e,
    file_offer = 0x50,
    file_ready = 0x52,
    file_data = 0x54,
    file_request = 0x56,
    file_head = 0x58,
};

}  // namespace quicchat
