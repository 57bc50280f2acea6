#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

// The two ends of the codec. They have the same member functions, so that one description of a
// message's fields (wire/codec.hpp) both writes and reads it, and the two cannot drift apart.

/// Appends fields to a buffer.
class FieldWriter {
public:
    /// Appends to a buffer, which outlives it.
    explicit FieldWriter(Buffer& buffer);

    /// A varint: at most 2^62 - 1 (RFC 9000 §16).
    void number(const std::uint64_t& value) { append_varint(buffer_, value); }

    /// A varint that is 0 or 1.
    void flag(const bool& value) { append_varint(buffer_, value ? 1 : 0); }

    /// A varint; whoever reads it knows the last one.
    template <class Enum>
    void choice(const Enum& value, Enum /*last*/) {
        append_varint(buffer_, static_cast<std::uint64_t>(value));
    }

    /// All 64 bits, big-endian: an epoch is random and does not fit a varint.
    void epoch(const Epoch& value);

    /// Milliseconds since 1970. A clock before that is written as 1970.
    void time(const WallTime& value);

    /// A MessageId or DeviceId.
    void id(const auto& value) { append(buffer_, value.bytes); }

    /// A length, and so many bytes. Whoever writes has seen to the bounds.
    /// @{
    void text(const std::string& value, std::size_t /*bytes_max*/);

    void data(const Buffer& value, std::size_t /*bytes_max*/);
    /// @}

    /// A count, and so many texts.
    void texts(const std::vector<std::string>& values, std::size_t /*count_max*/,
               std::size_t bytes_max);

    /// As many as there are; `fields` writes one.
    template <class Value, class Fields>
    void list(const std::vector<Value>& values, Fields fields) {
        append_varint(buffer_, values.size());
        for (const Value& value : values) fields(*this, value);
    }

private:
    Buffer& buffer_;
};

/// Reads fields from bytes. After the first failure it reads nothing more, and `ok` is false.
/// Takes no more memory than the bytes that are there.
class FieldReader {
public:
    /// The bytes outlive it.
    explicit FieldReader(BytesView bytes) : bytes_(bytes) {}

    /// Whether all that was read was there, and in its bounds.
    bool ok() const { return ok_; }
    /// What was not read yet.
    BytesView rest() const { return bytes_; }

    /// Any varint.
    void number(std::uint64_t& value);

    /// Fails above 1.
    void flag(bool& value);

    /// A value above `last` is not one of the enumeration.
    template <class Enum>
    void choice(Enum& value, Enum last) {
        std::uint64_t raw = 0;
        number(raw);
        if (raw > static_cast<std::uint64_t>(last)) {
            ok_ = false;
        } else {
            value = static_cast<Enum>(raw);
        }
    }

    /// All 64 bits, big-endian.
    void epoch(Epoch& value);

    /// Milliseconds since 1970, up to 2^62 - 1.
    void time(WallTime& value);

    /// A MessageId or DeviceId.
    void id(auto& value) {
        const BytesView bytes = take(value.bytes.size());
        for (std::size_t i = 0; i < bytes.size(); ++i) value.bytes[i] = bytes[i];
    }

    /// Fails above `bytes_max`. Whether it is UTF-8 is looked at elsewhere.
    void text(std::string& value, std::size_t bytes_max) { value = to_string(sized(bytes_max)); }

    /// Fails above `bytes_max`.
    void data(Buffer& value, std::size_t bytes_max);

    /// Fails above `count_max` texts, or if one is too long.
    void texts(std::vector<std::string>& values, std::size_t count_max, std::size_t bytes_max);

    /// Fails if fewer bytes are left than elements are announced. `fields` reads one.
    template <class Value, class Fields>
    void list(std::vector<Value>& values, Fields fields) {
        std::uint64_t count = 0;
        number(count);
        if (count > bytes_.size()) ok_ = false;  // each takes a byte at least
        values.clear();
        for (std::uint64_t i = 0; ok_ && i < count; ++i) fields(*this, values.emplace_back());
    }

private:
    BytesView sized(std::size_t bytes_max);

    BytesView take(std::size_t count);

    BytesView bytes_;
    bool ok_ = true;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/cursor.ipp"
#endif
