#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/bytes.hpp"

namespace quicchat::web {

/// SHA-256 (FIPS 180-4 §6.2), piece by piece.
class Sha256 {
public:
    void update(BytesView data) {
        bytes_ += data.size();
        while (!data.empty()) {
            const std::size_t count = std::min(data.size(), block_.size() - filled_);
            std::copy_n(data.begin(), count, block_.begin() + static_cast<std::ptrdiff_t>(filled_));
            data = data.subspan(count);
            filled_ += count;
            if (filled_ == block_.size()) compress();
        }
    }

    /// The digest of all that was given. Afterwards it is of no use.
    Digest finish() {
        const std::uint64_t bits = bytes_ * 8;
        block_[filled_++] = std::byte{0x80};
        if (filled_ > block_.size() - 8) pad_to(block_.size());
        pad_to(block_.size() - 8);
        for (std::size_t i = 0; i < 8; ++i) {
            block_[filled_++] = static_cast<std::byte>(bits >> (56 - 8 * i));
        }
        compress();
        Digest digest;
        for (std::size_t i = 0; i < digest.size(); ++i) {
            digest[i] = static_cast<std::byte>(state_[i / 4] >> (24 - 8 * (i % 4)));
        }
        return digest;
    }

private:
    using Word = std::uint32_t;

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2).
    static constexpr std::array<Word, 64> round_constants{
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

    void pad_to(std::size_t end) {
        while (filled_ < end) block_[filled_++] = std::byte{};
        if (filled_ == block_.size()) compress();
    }

    Word word(std::size_t i) const {
        const auto at = [&](std::size_t k) { return std::to_integer<Word>(block_[4 * i + k]); };
        return at(0) << 24 | at(1) << 16 | at(2) << 8 | at(3);
    }

    void compress() {
        filled_ = 0;
        std::array<Word, 64> w;
        for (std::size_t i = 0; i < 16; ++i) w[i] = word(i);
        for (std::size_t i = 16; i < w.size(); ++i) {
            const Word a = w[i - 15];
            const Word b = w[i - 2];
            w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) + w[i - 7] +
                   (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
        }
        auto [a, b, c, d, e, f, g, h] = state_;
        for (std::size_t i = 0; i < w.size(); ++i) {
            const Word t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                            ((e & f) ^ (~e & g)) + round_constants[i] + w[i];
            const Word t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                            ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        const std::array<Word, 8> worked{a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < state_.size(); ++i) state_[i] += worked[i];
    }

    std::array<Word, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::byte, 64> block_{};
    std::size_t filled_ = 0;
    std::uint64_t bytes_ = 0;
};

/// HMAC with SHA-256 (RFC 2104). The two states that depend on the key alone are made once.
class HmacSha256 {
public:
    explicit HmacSha256(BytesView key) {
        std::array<std::byte, 64> pad{};
        if (key.size() > pad.size()) {
            Sha256 hash;
            hash.update(key);
            const Digest digest = hash.finish();
            std::copy(digest.begin(), digest.end(), pad.begin());
        } else {
            std::copy(key.begin(), key.end(), pad.begin());
        }
        for (std::byte& b : pad) b ^= std::byte{0x36};
        inner_.update(pad);
        for (std::byte& b : pad) b ^= std::byte{0x36 ^ 0x5c};
        outer_.update(pad);
        secure_wipe(pad);
    }

    Digest of(BytesView a, BytesView b = {}) const {
        Sha256 inner = inner_;
        inner.update(a);
        inner.update(b);
        const Digest digest = inner.finish();
        Sha256 outer = outer_;
        outer.update(digest);
        return outer.finish();
    }

private:
    Sha256 inner_;
    Sha256 outer_;
};

/// Models ScramCrypto without a library: wolfSSL would be most of what a page loads.
struct PageCrypto {
    static Digest sha256(BytesView bytes) {
        Sha256 hash;
        hash.update(bytes);
        return hash.finish();
    }

    static Digest hmac_sha256(BytesView key, BytesView message) {
        return HmacSha256{key}.of(message);
    }

    /// RFC 8018 §5.2, one block.
    static Digest pbkdf2_hmac_sha256(BytesView password, BytesView salt, std::uint32_t iterations) {
        const HmacSha256 prf{password};
        constexpr std::array block{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
        Digest u = prf.of(salt, block);
        Digest result = u;
        for (std::uint32_t i = 1; i < iterations; ++i) {
            u = prf.of(u);
            for (std::size_t k = 0; k < result.size(); ++k) result[k] ^= u[k];
        }
        secure_wipe(u);
        return result;
    }
};

static_assert(ScramCrypto<PageCrypto>);

}  // namespace quicchat::web
