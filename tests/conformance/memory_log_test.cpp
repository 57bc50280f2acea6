#include <catch2/catch_test_macros.hpp>

#include "conformance/log_conformance.hpp"
#include "quicchat/log/memory_log.hpp"

namespace quicchat {
namespace {

class MemoryLogHarness {
public:
    static constexpr bool outlives_restart = false;
    static constexpr Durability durability = Durability::memory;

    MemoryLog& log() { return log_; }
    void wait() {}
    void restart() {}

private:
    MemoryLog log_{Entropy::seeded(1)};
};

TEST_CASE("the memory log keeps its promises", "[conformance][log]") {
    conformance::check_log<MemoryLogHarness>();
}

}  // namespace
}  // namespace quicchat
