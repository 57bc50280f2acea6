#pragma once

#include "quicchat/auth/token_rotation.hpp"

#include <algorithm>
#include <cassert>

#include "quicchat/auth/device_token.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL PlacedToken find_token(const std::optional<Device>& device,
                                          std::uint64_t generation) {
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

QUICCHAT_RARE_DECL std::uint64_t next_generation(const std::optional<Device>& device) {
    if (!device) return 1;
    return 1 + std::max({device->current.generation, device->next ? device->next->generation : 0,
                         device->previous ? device->previous->generation : 0});
}

QUICCHAT_RARE_DECL bool is_expired(const Device& device, WallTime now) {
    return now - device.last_used > token_lifetime;
}

QUICCHAT_RARE_DECL Device after_token_login(Device device, TokenPlace used, const TokenKeys& next,
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

QUICCHAT_RARE_DECL Device after_password_login(const std::optional<Device>& known, DeviceId id,
                                               const TokenKeys& next, WallTime now) {
    Device device;
    device.id = id;
    device.next = next;
    device.created = known ? known->created : now;
    device.last_used = now;
    return device;
}

}  // namespace quicchat
