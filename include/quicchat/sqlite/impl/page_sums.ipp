#pragma once

#include "quicchat/sqlite/page_sums.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::sqlite {

namespace detail {

/// The steps of XXH64.
struct Xxh64 {
    static constexpr std::uint64_t prime_1 = 0x9e3779b185ebca87;
    static constexpr std::uint64_t prime_2 = 0xc2b2ae3d27d4eb4f;
    static constexpr std::uint64_t prime_3 = 0x165667b19e3779f9;
    static constexpr std::uint64_t prime_4 = 0x85ebca77c2b2ae63;
    static constexpr std::uint64_t prime_5 = 0x27d4eb2f165667c5;

    template <class Word>
    static std::uint64_t take(const std::byte*& from) {
        Word word = 0;
        std::memcpy(&word, from, sizeof word);
        from += sizeof word;
        return word;
    }

    static std::uint64_t mix(std::uint64_t sum, std::uint64_t word) {
        return std::rotl(sum + word * prime_2, 31) * prime_1;
    }

    static std::uint64_t merge(std::uint64_t sum, std::uint64_t lane) {
        return (sum ^ mix(0, lane)) * prime_1 + prime_4;
    }
};

}  // namespace detail

QUICCHAT_DECL std::uint64_t sum_of(BytesView bytes) {
    using X = detail::Xxh64;
    const std::byte* from = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t sum = X::prime_5;
    if (left >= 32) {
        std::uint64_t a = X::prime_1 + X::prime_2;
        std::uint64_t b = X::prime_2;
        std::uint64_t c = 0;
        std::uint64_t d = 0 - X::prime_1;
        for (; left >= 32; left -= 32) {
            a = X::mix(a, X::take<std::uint64_t>(from));
            b = X::mix(b, X::take<std::uint64_t>(from));
            c = X::mix(c, X::take<std::uint64_t>(from));
            d = X::mix(d, X::take<std::uint64_t>(from));
        }
        sum = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
        for (const std::uint64_t lane : {a, b, c, d}) sum = X::merge(sum, lane);
    }
    sum += bytes.size();
    for (; left >= 8; left -= 8) {
        sum =
            std::rotl(sum ^ X::mix(0, X::take<std::uint64_t>(from)), 27) * X::prime_1 + X::prime_4;
    }
    if (left >= 4) {
        sum = std::rotl(sum ^ X::take<std::uint32_t>(from) * X::prime_1, 23) * X::prime_2 +
              X::prime_3;
        left -= 4;
    }
    for (; left > 0; --left) {
        sum = std::rotl(sum ^ X::take<std::uint8_t>(from) * X::prime_5, 11) * X::prime_1;
    }
    sum = (sum ^ sum >> 33) * X::prime_2;
    sum = (sum ^ sum >> 29) * X::prime_3;
    return sum ^ sum >> 32;
}

QUICCHAT_DECL void PageSums::note_write(std::uint64_t at, BytesView bytes) {
    visit_blocks(at, bytes, [this](std::uint64_t block, BytesView whole) {
        const std::uint64_t sum = whole.empty() ? 0 : sum_of_block(whole);
        const std::lock_guard lock{mutex_};
        this->at(block) = sum;
    });
}

QUICCHAT_DECL bool PageSums::check_read(std::uint64_t at, BytesView bytes) {
    bool is_same = true;
    visit_blocks(at, bytes, [&](std::uint64_t block, BytesView whole) {
        if (whole.empty()) return;
        const std::uint64_t sum = sum_of_block(whole);
        const std::lock_guard lock{mutex_};
        std::uint64_t& known = this->at(block);
        if (known == 0) known = sum;
        is_same = is_same && known == sum;
    });
    return is_same;
}

QUICCHAT_DECL void PageSums::forget(std::uint64_t at, std::size_t size) {
    const std::lock_guard lock{mutex_};
    for (std::uint64_t block = at / block_bytes; block * block_bytes < at + size; ++block) {
        if (block < sums_.size()) sums_[static_cast<std::size_t>(block)] = 0;
    }
}

QUICCHAT_DECL void PageSums::forget_all() {
    const std::lock_guard lock{mutex_};
    sums_.clear();
}

QUICCHAT_DECL void PageSums::truncate(std::uint64_t size) {
    const std::lock_guard lock{mutex_};
    const auto blocks = static_cast<std::size_t>(size / block_bytes);
    if (blocks < sums_.size()) sums_.resize(blocks);
}

QUICCHAT_DECL std::vector<std::uint64_t> PageSums::all() const {
    const std::lock_guard lock{mutex_};
    return sums_;
}

QUICCHAT_DECL void PageSums::restore(std::vector<std::uint64_t> sums) {
    const std::lock_guard lock{mutex_};
    sums_ = std::move(sums);
}

template <class Visit>
void PageSums::visit_blocks(std::uint64_t at, BytesView bytes, const Visit& visit) {
    while (!bytes.empty()) {
        const std::size_t before = at % block_bytes;
        const std::size_t size = std::min(block_bytes - before, bytes.size());
        visit(at / block_bytes, size == block_bytes ? bytes.first(size) : BytesView{});
        at += size;
        bytes = bytes.subspan(size);
    }
}

QUICCHAT_DECL std::uint64_t PageSums::sum_of_block(BytesView bytes) {
    return std::max<std::uint64_t>(sum_of(bytes), 1);
}

QUICCHAT_DECL std::uint64_t& PageSums::at(std::uint64_t block) {
    const auto place = static_cast<std::size_t>(block);
    if (place >= sums_.size()) sums_.resize(place + 1);
    return sums_[place];
}

}  // namespace quicchat::sqlite
