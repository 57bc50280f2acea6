#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/entropy.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat::test {

/// Gives the fields of a message random values. It has the functions of FieldWriter, so it visits
/// every field that is written, also the ones that are added later.
class RandomFields {
public:
    explicit RandomFields(Entropy& entropy) : entropy_(entropy) {}

    void number(std::uint64_t& value) {
        // All lengths of varints are equally likely.
        value = (entropy_.draw_number() & varint_max) >> draw(0, 61);
    }
    void flag(bool& value) { value = draw(0, 1) == 1; }
    template <class Enum>
    void choice(Enum& value, Enum last) {
        value = static_cast<Enum>(draw(0, static_cast<std::uint64_t>(last)));
    }
    void epoch(Epoch& value) { value = Epoch{entropy_.draw_number()}; }
    void time(WallTime& value) {
        std::uint64_t count = 0;
        number(count);
        value = WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(count)}};
    }
    void id(auto& value) { value.bytes = entropy_.draw<16>(); }
    void text(std::string& value, std::size_t bytes_max) {
        value.resize(draw(0, std::min<std::size_t>(bytes_max, draw(0, 9) == 0 ? 2000 : 20)));
        for (char& c : value) c = static_cast<char>(draw(0, 255));
    }
    void data(Buffer& value, std::size_t bytes_max) {
        std::string bytes;
        text(bytes, bytes_max);
        const BytesView view = as_bytes(bytes);
        value.assign(view.begin(), view.end());
    }
    void texts(std::vector<std::string>& values, std::size_t count_max, std::size_t bytes_max) {
        values.resize(draw(0, std::min<std::size_t>(count_max, 8)));
        for (std::string& value : values) text(value, bytes_max);
    }
    template <class Value, class Fields>
    void list(std::vector<Value>& values, Fields fields) {
        values.resize(draw(0, 8));
        for (Value& value : values) fields(*this, value);
    }

private:
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + entropy_.draw_number() % (high - low + 1);
    }

    Entropy& entropy_;
};

template <class M>
M random_message(Entropy& entropy) {
    M message;
    RandomFields fields{entropy};
    quicchat::detail::fields(fields, message);
    return message;
}

/// Calls `visit.operator()<M>()` for every message of the protocol.
template <class Visitor>
void for_each_message(Visitor visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (visit.template operator()<std::variant_alternative_t<I, Message>>(), ...);
    }
    (std::make_index_sequence<std::variant_size_v<Message>>{});
}

/// A whole frame taken apart.
inline FrameView view_frame(BytesView bytes) {
    FrameView frame;
    frame.type = *read_varint(bytes);
    frame.payload = bytes.subspan(0);
    const std::uint64_t length = *read_varint(frame.payload);
    frame.payload = frame.payload.first(static_cast<std::size_t>(length));
    return frame;
}

/// Each of the frames that were joined to one piece.
inline std::vector<Bytes> split_frames(const Bytes& joined) {
    std::vector<Bytes> frames;
    for (Bytes rest = joined; !rest.empty();) {
        const BytesView payload = view_frame(rest.view()).payload;
        const auto size = static_cast<std::size_t>(payload.data() - rest.data()) + payload.size();
        frames.push_back(rest.first(size));
        rest = rest.from(size);
    }
    return frames;
}

}  // namespace quicchat::test
