#pragma once

#include <optional>

#include "input.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat::test {

/// Any bytes in any pieces: the frames that come out are those that a single piece gives.
inline void fuzz_frames(BytesView bytes) {
    FuzzInput input{bytes};
    const std::size_t frame_bytes_max = std::size_t{input.octet()} * 4;
    const std::size_t piece_bytes_max = 1 + input.octet() % 32u;

    FrameAssembler whole{frame_bytes_max};
    whole.push(input.rest());
    FrameAssembler assembler{frame_bytes_max};
    while (!input.empty()) {
        assembler.push(input.take(1 + input.rest().size() % piece_bytes_max));
        while (true) {
            const Result<std::optional<FrameView>> frame = assembler.next();
            if (frame && !*frame) break;
            const Result<std::optional<FrameView>> same = whole.next();
            must(frame.has_value() == same.has_value());
            if (!frame) return must(frame.error() == same.error());
            must(same->has_value() && (*frame)->type == (*same)->type);
            must((*frame)->payload.size() <= frame_bytes_max);
            must(std::ranges::equal((*frame)->payload, (*same)->payload));
        }
    }
    const Result<std::optional<FrameView>> last = whole.next();
    must(last && !*last);
    must(assembler.at_boundary() == whole.at_boundary());
}

}  // namespace quicchat::test
