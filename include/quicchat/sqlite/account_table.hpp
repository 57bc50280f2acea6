#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/device.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/operation.hpp"

// The rows of accounts and devices as the types of auth/.

namespace quicchat::sqlite::detail {

inline std::int64_t to_number(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime to_time(std::int64_t number) { return WallTime{std::chrono::milliseconds{number}}; }

/// 8 bytes of the generation, big endian, then both keys.
inline constexpr std::size_t token_keys_bytes = 8 + 32 + 32;

QUICCHAT_DECL Buffer pack(const TokenKeys& keys);

QUICCHAT_DECL std::optional<Buffer> pack(const std::optional<TokenKeys>& keys);

/// Nothing for anything that `pack` did not write.
QUICCHAT_DECL std::optional<TokenKeys> unpack(BytesView packed);

inline constexpr const char* device_columns =
    "SELECT id, created, last_used, current, next, previous FROM device WHERE account=?1";

QUICCHAT_DECL Device read_device(const Rows& row);

/// Writes changes of devices. Belongs to the thread of its database.
class DeviceTable {
public:
    explicit DeviceTable(Database& database);

    /// The result code of SQLite.
    int apply(const ChangeDevices& change);

private:
    Statement remove_;
    Statement update_;
    Statement insert_;
};

}  // namespace quicchat::sqlite::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/account_table.ipp"
#endif
