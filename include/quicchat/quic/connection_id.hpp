#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/quic/random.hpp"

namespace quicchat::quic {

/// The length of the connection ids that we choose. The first byte names the shard, and 15 random
/// bytes are too many to guess.
inline constexpr std::size_t connection_id_bytes = 16;

inline std::span<const std::uint8_t> view(const ngtcp2_cid& cid) { return {cid.data, cid.datalen}; }

inline ngtcp2_cid make_cid(std::span<const std::uint8_t> bytes) {
    ngtcp2_cid cid;
    ngtcp2_cid_init(&cid, bytes.data(), bytes.size());
    return cid;
}

/// A fresh connection id of ours.
inline ngtcp2_cid new_connection_id(Random& random, std::uint8_t shard) {
    ngtcp2_cid cid{};
    cid.datalen = connection_id_bytes;
    random.fill({cid.data, connection_id_bytes});
    cid.data[0] = shard;
    return cid;
}

/// Which connection a packet belongs to: from the destination connection id to our number. Clients
/// choose their first connection id themselves; with a hash that has no key they could choose
/// thousands that fall into one bucket.
class ConnectionIdTable {
public:
    explicit ConnectionIdTable(Random& random)
        : table_(0, Hash{SipHash{{random.next(), random.next()}}}) {}

    /// False if the id belongs to another connection already.
    bool add(const ngtcp2_cid& cid, ConnectionId connection) {
        return table_.try_emplace(cid, connection).second;
    }
    void remove(const ngtcp2_cid& cid, ConnectionId connection) {
        const auto found = table_.find(cid);
        if (found != table_.end() && found->second == connection) table_.erase(found);
    }
    std::optional<ConnectionId> find(std::span<const std::uint8_t> bytes) const {
        if (bytes.size() > NGTCP2_MAX_CIDLEN) return std::nullopt;
        const auto found = table_.find(make_cid(bytes));
        if (found == table_.end()) return std::nullopt;
        return found->second;
    }
    std::size_t size() const { return table_.size(); }

private:
    struct Hash {
        SipHash hash;
        std::size_t operator()(const ngtcp2_cid& cid) const {
            return hash(std::as_bytes(view(cid)));
        }
    };
    struct Equal {
        bool operator()(const ngtcp2_cid& a, const ngtcp2_cid& b) const {
            return ngtcp2_cid_eq(&a, &b) != 0;
        }
    };

    std::unordered_map<ngtcp2_cid, ConnectionId, Hash, Equal> table_;
};

}  // namespace quicchat::quic
