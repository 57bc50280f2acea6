#include <chrono>
#include <memory>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_mixture.hpp"
#include "sim/chaos_disk.hpp"

namespace quicchat {
namespace {

/// The log that simulations judge servers by.
class DiskLogHarness {
public:
    static constexpr bool outlives_restart = true;
    static constexpr Durability durability = Durability::fsync;

    test::DiskLog& log() { return log_; }
    void wait() { disk_->now += std::chrono::milliseconds{8}; }
    void restart() { log_ = test::DiskLog{disk_}; }

private:
    std::shared_ptr<test::Disk> disk_ = std::make_shared<test::Disk>(1);
    test::DiskLog log_{disk_};
};

TEST_CASE("the simulated disk takes any mixture as the memory log does", "[conformance][log]") {
    conformance::check_mixture<DiskLogHarness>({.has_trims = false, .has_haste = false});
}

}  // namespace
}  // namespace quicchat
