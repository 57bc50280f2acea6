#pragma once

#include <variant>

#include "input.hpp"
#include "quicchat/base/json.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat::test {

/// Any payload of any type: what can be read can be written, and then reads the same.
inline void fuzz_codec(BytesView bytes) {
    FuzzInput input{bytes};
    const std::uint64_t type = input.octet();
    const BytesView payload = input.rest();
    (void)is_json_object(as_text(payload), 16);
    (void)is_clean_text(as_text(payload));

    const Result<Message> message = decode({type, payload});
    if (!message) return;
    const Buffer frame = std::visit([](const auto& m) { return encode(m); }, *message);
    BytesView rest = frame;
    must(*read_varint(rest) == type);
    must(*read_varint(rest) == rest.size());
    must(rest.size() <= payload.size());  // shortest forms, and no extensions
    const Result<Message> again = decode({type, rest});
    must(again && *again == *message);
}

}  // namespace quicchat::test
