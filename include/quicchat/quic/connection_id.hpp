#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/quic/random.hpp"

namespace quicchat::quic {

/// The length of the connection ids that we choose. The first byte names the shard, and 15 random
/// bytes are too many to guess.
inline constexpr std::size_t connection_id_bytes = 16;

/// Its bytes, where it has them.
inline std::span<const std::uint8_t> view(const ngtcp2_cid& cid) { return {cid.data, cid.datalen}; }

/// At most NGTCP2_MAX_CIDLEN bytes.
QUICCHAT_DECL ngtcp2_cid make_cid(std::span<const std::uint8_t> bytes);

/// A fresh connection id of ours.
QUICCHAT_DECL ngtcp2_cid new_connection_id(Random& random, std::uint8_t shard);

/// Two digits for each byte.
QUICCHAT_DECL std::string to_hex(const ngtcp2_cid& cid);

/// Which connection a packet belongs to: from the destination connection id to our number. Clients
/// choose their first connection id themselves; with a hash that has no key they could choose
/// thousands that fall into one bucket.
class ConnectionIdTable {
public:
    /// Draws the key of its hash.
    explicit ConnectionIdTable(Random& random);

    /// False if the id belongs to another connection already.
    bool add(const ngtcp2_cid& cid, ConnectionId connection);
    /// Does nothing if the id is not that connection's.
    void remove(const ngtcp2_cid& cid, ConnectionId connection);
    /// Whose the id is; nothing if it is nobody's.
    std::optional<ConnectionId> find(std::span<const std::uint8_t> bytes) const;
    /// Ids, of which a connection has several.
    std::size_t size() const { return table_.size(); }

private:
    struct Hash {
        SipHash hash;
        std::size_t operator()(const ngtcp2_cid& cid) const;
    };
    struct Equal {
        bool operator()(const ngtcp2_cid& a, const ngtcp2_cid& b) const;
    };

    std::unordered_map<ngtcp2_cid, ConnectionId, Hash, Equal> table_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/connection_id.ipp"
#endif
