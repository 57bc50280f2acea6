#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
    explicit Bytes(Buffer buffer) {
        if (buffer.empty()) return;
        auto owner = std::make_shared<const Buffer>(std::move(buffer));
        view_ = BytesView{*owner};
        owner_ = std::move(owner);
    }
    static Bytes copy_of(BytesView view) { return Bytes{Buffer(view.begin(), view.end())}; }

    BytesView view() const { return view_; }
    const std::byte* data() const { return view_.data(); }
    std::size_t size() const { return view_.size(); }
    bool empty() const { return view_.empty(); }

    /// The bytes from `offset` on; they share this object's memory.
    Bytes from(std::size_t offset) const {
        Bytes rest = *this;
        rest.view_ = view_.subspan(offset);
        return rest;
    }

    /// The first `count` bytes; they share this object's memory.
    Bytes first(std::size_t count) const {
        Bytes head = *this;
        head.view_ = view_.first(count);
        return head;
    }

    friend bool operator==(const Bytes& a, const Bytes& b) {
        return a.size() == b.size() &&
               (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
    }

private:
    std::shared_ptr<const Buffer> owner_;
    BytesView view_;
};

inline BytesView as_bytes(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

inline std::string_view as_text(BytesView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string to_string(BytesView bytes) { return std::string{as_text(bytes)}; }

inline void append(Buffer& buffer, BytesView bytes) {
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}

}  // namespace quicchat
