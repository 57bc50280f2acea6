#pragma once

#include "quicchat/wire/cursor.hpp"

#include <array>
#include <chrono>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL FieldWriter::FieldWriter(Buffer& buffer) : buffer_(buffer) {}

QUICCHAT_DECL void FieldWriter::epoch(const Epoch& value) {
    std::array<std::byte, 8> octets;
    auto rest = static_cast<std::uint64_t>(value);
    for (std::size_t i = octets.size(); i-- > 0; rest >>= 8) {
        octets[i] = static_cast<std::byte>(rest & 0xff);
    }
    append(buffer_, octets);
}

QUICCHAT_DECL void FieldWriter::time(const WallTime& value) {
    const auto count = value.time_since_epoch().count();
    append_varint(buffer_, count > 0 ? static_cast<std::uint64_t>(count) & varint_max : 0);
}

QUICCHAT_DECL void FieldWriter::text(const std::string& value, std::size_t /*bytes_max*/) {
    append_varint(buffer_, value.size());
    append(buffer_, as_bytes(value));
}

QUICCHAT_DECL void FieldWriter::data(const Buffer& value, std::size_t /*bytes_max*/) {
    append_varint(buffer_, value.size());
    append(buffer_, value);
}

QUICCHAT_DECL void FieldWriter::texts(const std::vector<std::string>& values,
                                      std::size_t /*count_max*/, std::size_t bytes_max) {
    append_varint(buffer_, values.size());
    for (const std::string& value : values) text(value, bytes_max);
}

QUICCHAT_DECL void FieldReader::number(std::uint64_t& value) {
    if (!ok_) return;
    const Result<std::uint64_t> read = read_varint(bytes_);
    if (read) {
        value = *read;
    } else {
        ok_ = false;
    }
}

QUICCHAT_DECL void FieldReader::flag(bool& value) {
    std::uint64_t raw = 0;
    number(raw);
    if (raw > 1) ok_ = false;
    value = raw == 1;
}

QUICCHAT_DECL void FieldReader::epoch(Epoch& value) {
    std::uint64_t raw = 0;
    for (const std::byte octet : take(8)) {
        raw = (raw << 8) | std::to_integer<std::uint64_t>(octet);
    }
    value = Epoch{raw};
}

QUICCHAT_DECL void FieldReader::time(WallTime& value) {
    std::uint64_t count = 0;
    number(count);
    value = WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(count)}};
}

QUICCHAT_DECL void FieldReader::data(Buffer& value, std::size_t bytes_max) {
    const BytesView bytes = sized(bytes_max);
    value.assign(bytes.begin(), bytes.end());
}

QUICCHAT_DECL void FieldReader::texts(std::vector<std::string>& values, std::size_t count_max,
                                      std::size_t bytes_max) {
    std::uint64_t count = 0;
    number(count);
    // Each text takes a byte at least, so a count above the rest is a lie.
    if (count > count_max || count > bytes_.size()) ok_ = false;
    values.clear();
    for (std::uint64_t i = 0; ok_ && i < count; ++i) text(values.emplace_back(), bytes_max);
}

QUICCHAT_DECL BytesView FieldReader::sized(std::size_t bytes_max) {
    std::uint64_t size = 0;
    number(size);
    if (size > bytes_max) ok_ = false;
    return ok_ ? take(static_cast<std::size_t>(size)) : BytesView{};
}

QUICCHAT_DECL BytesView FieldReader::take(std::size_t count) {
    if (bytes_.size() < count) ok_ = false;
    if (!ok_) return {};
    const BytesView taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
}

}  // namespace quicchat
