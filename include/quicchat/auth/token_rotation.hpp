#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <optional>

#include "quicchat/auth/device.hpp"
#include "quicchat/auth/device_token.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"

// Which of a device's tokens are good, and what becomes of them (PROTOCOL.md §5.8). A token is good
// until the next one was used, so a lost answer locks nobody out; and one that is shown after that
// was copied, so its theft comes to light.

namespace quicchat {

/// Which of a device's tokens somebody claims to hold.
enum class TokenPlace {
    none,      ///< Not one that the device has.
    current,   ///< Good.
    next,      ///< Good, and on use it replaces the current one.
    previous,  ///< Replaced. Whoever proves to hold it shows that there are two of them.
};

/// The place of the token of that generation, and its keys, or keys that no proof fits.
struct PlacedToken {
    TokenPlace place = TokenPlace::none;
    TokenKeys keys{};
};

inline PlacedToken find_token(const std::optional<Device>& device, std::uint64_t generation) {
    if (!device || generation == 0) return {};
    if (device->current.generation == generation) return {TokenPlace::current, device->current};
    if (device->next && device->next->generation == generation) {
        return {TokenPlace::next, *device->next};
    }
    if (device->previous && device->previous->generation == generation) {
        return {TokenPlace::previous, *device->previous};
    }
    return {};
}

/// The number of the device's next token: above all that it ever had, so that no number means two
/// tokens.
inline std::uint64_t next_generation(const std::optional<Device>& device) {
    if (!device) return 1;
    return 1 + std::max({device->current.generation, device->next ? device->next->generation : 0,
                         device->previous ? device->previous->generation : 0});
}

/// True if the device's tokens are too old to be used. A clock that went back makes none old.
inline bool is_expired(const Device& device, WallTime now) {
    return now - device.last_used > token_lifetime;
}

/// The device after a login with its current or its next token, with a new next one.
inline Device after_token_login(Device device, TokenPlace used, const TokenKeys& next,
                                WallTime now) {
    assert(used == TokenPlace::current || used == TokenPlace::next);
    if (used == TokenPlace::next) {
        device.previous.reset();
        if (device.current.generation != 0) device.previous = device.current;
        device.current = *device.next;
    }
    device.next = next;
    device.last_used = now;
    return device;
}

/// The device after a login by password: it begins anew, with one token to come. The tokens that it
/// had are worth nothing from here on, whoever holds them; only their numbers go on.
inline Device after_password_login(const std::optional<Device>& known, DeviceId id,
                                   const TokenKeys& next, WallTime now) {
    Device device;
    device.id = id;
    device.next = next;
    device.created = known ? known->created : now;
    device.last_used = now;
    return device;
}

}  // namespace quicchat
