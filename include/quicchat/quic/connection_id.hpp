#pragma once

#include <ngtcp2/ngtcp2.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <unordered_map>

#include "quicchat/base/ids.hpp"
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

/// SipHash-2-4 (Aumasson, Bernstein 2012). Clients choose their first connection id themselves;
/// with an unkeyed hash they could choose thousands that fall into one bucket.
class SipHash {
public:
    SipHash(std::uint64_t k0, std::uint64_t k1) : k0_(k0), k1_(k1) {}

    std::uint64_t operator()(std::span<const std::uint8_t> bytes) const {
        State s{k0_ ^ 0x736f6d6570736575, k1_ ^ 0x646f72616e646f6d, k0_ ^ 0x6c7967656e657261,
                k1_ ^ 0x7465646279746573};
        std::uint64_t last = std::uint64_t{bytes.size()} << 56;
        while (bytes.size() >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data(), 8);
            s.absorb(word);
            bytes = bytes.subspan(8);
        }
        for (std::size_t i = 0; i < bytes.size(); ++i) last |= std::uint64_t{bytes[i]} << (8 * i);
        s.absorb(last);
        s.v2 ^= 0xff;
        for (int i = 0; i < 4; ++i) s.round();
        return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    }

private:
    struct State {
        std::uint64_t v0, v1, v2, v3;
        void round() {
            v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
            v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
            v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
            v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
        }
        void absorb(std::uint64_t word) {
            v3 ^= word;
            round();
            round();
            v0 ^= word;
        }
    };

    std::uint64_t k0_;
    std::uint64_t k1_;
};

/// Which connection a packet belongs to: from the destination connection id to our number.
class ConnectionIdTable {
public:
    explicit ConnectionIdTable(Random& random)
        : table_(0, Hash{SipHash{random.next(), random.next()}}) {}

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
        std::size_t operator()(const ngtcp2_cid& cid) const { return hash(view(cid)); }
    };
    struct Equal {
        bool operator()(const ngtcp2_cid& a, const ngtcp2_cid& b) const {
            return ngtcp2_cid_eq(&a, &b) != 0;
        }
    };

    std::unordered_map<ngtcp2_cid, ConnectionId, Hash, Equal> table_;
};

}  // namespace quicchat::quic
