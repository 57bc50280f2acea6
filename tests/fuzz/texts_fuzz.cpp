// Parsers, and rules that are written down twice.

#include "codec.hpp"
#include "frames.hpp"
#include "known_servers.hpp"
#include "names.hpp"
#include "program.hpp"
#include "scram.hpp"
#include "search.hpp"
#include "tickets.hpp"
#include "tokens.hpp"

std::span<const quicchat::test::FuzzTarget> quicchat::test::fuzz_targets() {
    static constexpr FuzzTarget targets[] = {
        {"codec", fuzz_codec},     {"frames", fuzz_frames}, {"known_servers", fuzz_known_servers},
        {"names", fuzz_names},     {"scram", fuzz_scram},   {"search", fuzz_search},
        {"tickets", fuzz_tickets}, {"tokens", fuzz_tokens},
    };
    return targets;
}
