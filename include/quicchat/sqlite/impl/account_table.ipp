#pragma once

#include "quicchat/sqlite/account_table.hpp"

#include <algorithm>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL Buffer pack(const TokenKeys& keys) {
    Buffer packed;
    for (int shift = 56; shift >= 0; shift -= 8) {
        packed.push_back(static_cast<std::byte>(keys.generation >> shift));
    }
    append(packed, keys.stored_key);
    append(packed, keys.server_key);
    return packed;
}

QUICCHAT_DECL std::optional<Buffer> pack(const std::optional<TokenKeys>& keys) {
    if (!keys) return std::nullopt;
    return pack(*keys);
}

QUICCHAT_DECL std::optional<TokenKeys> unpack(BytesView packed) {
    if (packed.size() != token_keys_bytes) return std::nullopt;
    TokenKeys keys;
    for (const std::byte octet : packed.first(8)) {
        keys.generation = (keys.generation << 8) | std::to_integer<std::uint64_t>(octet);
    }
    std::ranges::copy(packed.subspan(8, 32), keys.stored_key.begin());
    std::ranges::copy(packed.subspan(40, 32), keys.server_key.begin());
    return keys;
}

QUICCHAT_DECL Device read_device(const Rows& row) {
    Device device;
    row.copy_to(0, device.id.bytes);
    device.created = to_time(row.number(1));
    device.last_used = to_time(row.number(2));
    // Keys that cannot be read are generation 0: nobody can log in by them.
    device.current = unpack(row.bytes(3)).value_or(TokenKeys{});
    device.next = unpack(row.bytes(4));
    device.previous = unpack(row.bytes(5));
    return device;
}

QUICCHAT_DECL DeviceTable::DeviceTable(Database& database)
    : remove_(database, "DELETE FROM device WHERE account=?1 AND id=?2"),
      update_(database,
              "UPDATE device SET created=?3, last_used=?4, current=?5, next=?6, previous=?7 "
              "WHERE account=?1 AND id=?2"),
      insert_(database,
              "INSERT OR REPLACE INTO device"
              "(account, id, created, last_used, current, next, previous) "
              "SELECT canonical_name, ?2, ?3, ?4, ?5, ?6, ?7 FROM account "
              "WHERE canonical_name=?1 AND enabled=1 AND changed<=?8") {}

QUICCHAT_DECL int DeviceTable::apply(const ChangeDevices& change) {
    for (const DeviceId& id : change.removed) {
        if (const int code = remove_.run(change.account, BytesView{id.bytes})) return code;
    }
    const Device& d = change.device;
    const auto write = [&](Statement& statement, const auto&... more) {
        return statement.run(change.account, BytesView{d.id.bytes}, to_number(d.created),
                             to_number(d.last_used), BytesView{pack(d.current)}, pack(d.next),
                             pack(d.previous), more...);
    };
    switch (change.write) {
        case ChangeDevices::Write::none:
            return SQLITE_OK;
        case ChangeDevices::Write::update:
            return write(update_);
        case ChangeDevices::Write::insert:
            return write(insert_, change.accounts_seen);
    }
    return SQLITE_OK;
}

}  // namespace quicchat::sqlite::detail
