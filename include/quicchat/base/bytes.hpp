#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/config.hpp"

namespace quicchat {

/// Bytes that somebody else owns.
using BytesView = std::span<const std::byte>;

/// Bytes under construction.
using Buffer = std::vector<std::byte>;

/// Immutable bytes with shared ownership: a message is encoded once and referenced by every
/// recipient until the last of them has acknowledged it. Copies share the same memory.
class Bytes {
public:
    Bytes() = default;
    /// Takes them over, without a copy.
    explicit Bytes(Buffer buffer);
    /// Copies them.
    static Bytes copy_of(BytesView view);

    /// All of them.
    BytesView view() const { return view_; }
    /// The first one.
    const std::byte* data() const { return view_.data(); }
    /// How many.
    std::size_t size() const { return view_.size(); }
    /// There are none.
    bool empty() const { return view_.empty(); }

    /// The bytes from `offset` on; they share this object's memory.
    Bytes from(std::size_t offset) const;

    /// The first `count` bytes; they share this object's memory.
    Bytes first(std::size_t count) const;

    /// These bytes with a count of owners of its own. Copies of the result and copies of this one
    /// do not contend where different threads make them.
    Bytes detached() const;

    /// The same bytes, wherever they are.
    friend bool operator==(const Bytes& a, const Bytes& b) {
        return a.size() == b.size() &&
               (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
    }

private:
    std::shared_ptr<const Buffer> owner_;
    BytesView view_;
};

/// The same memory, seen the other way. Nothing is copied or checked.
/// @{
QUICCHAT_DECL BytesView as_bytes(std::string_view text);

QUICCHAT_DECL std::string_view as_text(BytesView bytes);
/// @}

/// A copy.
inline std::string to_string(BytesView bytes) { return std::string{as_text(bytes)}; }

/// Copies the bytes to the end of the buffer, of which they must not be a part.
QUICCHAT_DECL void append(Buffer& buffer, BytesView bytes);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/bytes.ipp"
#endif
