#pragma once

#include "quicchat/quic/connection_id.hpp"

#include <string_view>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL ngtcp2_cid make_cid(std::span<const std::uint8_t> bytes) {
    ngtcp2_cid cid;
    ngtcp2_cid_init(&cid, bytes.data(), bytes.size());
    return cid;
}

QUICCHAT_DECL std::string to_hex(const ngtcp2_cid& cid) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t octet : view(cid)) {
        text += digits[octet >> 4];
        text += digits[octet & 15];
    }
    return text;
}

QUICCHAT_DECL ngtcp2_cid new_connection_id(Random& random, std::uint8_t shard) {
    ngtcp2_cid cid{};
    cid.datalen = connection_id_bytes;
    random.fill({cid.data, connection_id_bytes});
    cid.data[0] = shard;
    return cid;
}

QUICCHAT_DECL ConnectionIdTable::ConnectionIdTable(Random& random)
    : table_(0, Hash{SipHash{{random.next(), random.next()}}}) {}

QUICCHAT_DECL bool ConnectionIdTable::add(const ngtcp2_cid& cid, ConnectionId connection) {
    return table_.try_emplace(cid, connection).second;
}

QUICCHAT_DECL void ConnectionIdTable::remove(const ngtcp2_cid& cid, ConnectionId connection) {
    const auto found = table_.find(cid);
    if (found != table_.end() && found->second == connection) table_.erase(found);
}

QUICCHAT_DECL std::optional<ConnectionId> ConnectionIdTable::find(
    std::span<const std::uint8_t> bytes) const {
    if (bytes.size() > NGTCP2_MAX_CIDLEN) return std::nullopt;
    const auto found = table_.find(make_cid(bytes));
    if (found == table_.end()) return std::nullopt;
    return found->second;
}

QUICCHAT_DECL std::size_t ConnectionIdTable::Hash::operator()(const ngtcp2_cid& cid) const {
    return hash(std::as_bytes(view(cid)));
}

QUICCHAT_DECL bool ConnectionIdTable::Equal::operator()(const ngtcp2_cid& a,
                                                        const ngtcp2_cid& b) const {
    return ngtcp2_cid_eq(&a, &b) != 0;
}

}  // namespace quicchat::quic
