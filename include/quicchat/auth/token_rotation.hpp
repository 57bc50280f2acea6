#pragma once

#include <cstdint>
#include <optional>

#include "quicchat/auth/device.hpp"
#include "quicchat/base/config.hpp"
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
    TokenPlace place = TokenPlace::none;  ///< `none` also if the device is unknown.
    TokenKeys keys{};                     ///< All zeros at `none`.
};

/// Generation 0 is nobody's.
QUICCHAT_DECL PlacedToken find_token(const std::optional<Device>& device, std::uint64_t generation);

/// The number of the device's next token: above all that it ever had, so that no number means two
/// tokens.
QUICCHAT_DECL std::uint64_t next_generation(const std::optional<Device>& device);

/// True if the device's tokens are too old to be used. A clock that went back makes none old.
QUICCHAT_DECL bool is_expired(const Device& device, WallTime now);

/// The device after a login with its current or its next token, with a new next one.
QUICCHAT_DECL Device after_token_login(Device device, TokenPlace used, const TokenKeys& next,
                                       WallTime now);

/// The device after a login by password: it begins anew, with one token to come. The tokens that it
/// had are worth nothing from here on, whoever holds them; only their numbers go on.
QUICCHAT_DECL Device after_password_login(const std::optional<Device>& known, DeviceId id,
                                          const TokenKeys& next, WallTime now);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/token_rotation.ipp"
#endif
