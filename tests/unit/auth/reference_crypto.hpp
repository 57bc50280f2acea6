#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "quicchat/auth/crypto.hpp"

namespace quicchat::test {

/// FIPS 180-4, FIPS 198-1 and RFC 8018 written down as they stand there. With it the tests of the
/// core need no library, and the library has something to be compared with.
struct ReferenceCrypto {
    static Digest sha256(BytesView data) {
        Hash hash;
        hash.update(data);
        return hash.finish();
    }

    static Digest hmac_sha256(BytesView key, BytesView data) { return Hmac{key}.of(data); }

    static Digest pbkdf2_hmac_sha256(BytesView password, BytesView salt, std::uint32_t iterations) {
        const Hmac hmac{password};
        Buffer first(salt.begin(), salt.end());
        for (const unsigned octet : {0u, 0u, 0u, 1u})
            first.push_back(static_cast<std::byte>(octet));
        Digest u = hmac.of(first);
        Digest result = u;
        for (std::uint32_t i = 1; i < iterations; ++i) {
            u = hmac.of(u);
            for (std::size_t k = 0; k < result.size(); ++k) result[k] ^= u[k];
        }
        return result;
    }

    /// SHA-256 of what comes in pieces.
    class Hash {
    public:
        void update(BytesView data) {
            for (const std::byte octet : data) {
                block_[used_++] = std::to_integer<std::uint8_t>(octet);
                ++size_;
                if (used_ == block_.size()) compress();
            }
        }

        Digest finish() {
            const std::uint64_t bits = size_ * 8;
            block_[used_++] = 0x80;
            if (used_ > 56) {
                while (used_ < 64) block_[used_++] = 0;
                compress();
            }
            while (used_ < 56) block_[used_++] = 0;
            for (int shift = 56; shift >= 0; shift -= 8) {
                block_[used_++] = static_cast<std::uint8_t>(bits >> shift);
            }
            compress();
            Digest digest;
            for (std::size_t i = 0; i < 32; ++i) {
                digest[i] = static_cast<std::byte>((state_[i / 4] >> (24 - 8 * (i % 4))) & 0xff);
            }
            return digest;
        }

    private:
        void compress() {
            static constexpr std::array<std::uint32_t, 64> k{
                0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
                0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
                0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
                0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
                0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
                0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
                0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
                0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
                0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
                0xc67178f2};
            std::array<std::uint32_t, 64> w{};
            for (std::size_t i = 0; i < 16; ++i) {
                w[i] = (std::uint32_t{block_[4 * i]} << 24) |
                       (std::uint32_t{block_[4 * i + 1]} << 16) |
                       (std::uint32_t{block_[4 * i + 2]} << 8) | block_[4 * i + 3];
            }
            for (std::size_t i = 16; i < 64; ++i) {
                const std::uint32_t s0 =
                    std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
                const std::uint32_t s1 =
                    std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
                w[i] = w[i - 16] + s0 + w[i - 7] + s1;
            }
            auto [a, b, c, d, e, f, g, h] = state_;
            for (std::size_t i = 0; i < 64; ++i) {
                const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
                const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i];
                const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
                const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
                h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
            }
            const std::array<std::uint32_t, 8> sum{a, b, c, d, e, f, g, h};
            for (std::size_t i = 0; i < 8; ++i) state_[i] += sum[i];
            used_ = 0;
        }

        std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
        std::array<std::uint8_t, 64> block_{};
        std::size_t used_ = 0;
        std::uint64_t size_ = 0;
    };

    class Hmac {
    public:
        explicit Hmac(BytesView key) {
            std::array<std::byte, 64> block{};
            if (key.size() > block.size()) {
                const Digest hashed = sha256(key);
                std::memcpy(block.data(), hashed.data(), hashed.size());
            } else if (!key.empty()) {
                std::memcpy(block.data(), key.data(), key.size());
            }
            for (std::byte& octet : block) octet ^= std::byte{0x36};
            inner_.update(block);
            for (std::byte& octet : block) octet ^= std::byte{0x36 ^ 0x5c};
            outer_.update(block);
        }
        Digest of(BytesView data) const {
            Hash inner = inner_;
            inner.update(data);
            Hash outer = outer_;
            outer.update(inner.finish());
            return outer.finish();
        }

    private:
        Hash inner_;
        Hash outer_;
    };
};

static_assert(ScramCrypto<ReferenceCrypto>);

}  // namespace quicchat::test
