#include <poll.h>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_conformance.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"
#include "sqlite/temporary_folder.hpp"

namespace quicchat {
namespace {

/// One class for all of them: the suite is compiled for each class anew.
class SqliteLogHarness {
public:
    static constexpr bool outlives_restart = true;
    // Of what is opened from now on.
    inline static Durability durability = Durability::fsync;
    inline static std::size_t records_per_commit_max = 256;

    SqliteLog& log() { return log_; }

    void wait() {
        pollfd wake{store_.lock()->wake_fd(), POLLIN, 0};
        (void)::poll(&wake, 1, 20);
    }

    void restart() {
        log_ = SqliteLog{nullptr};
        log_ = open();
    }

private:
    SqliteLog open() {
        auto store = sqlite::Store::open(
            {.path = folder_.file("chat.db"),
             .durability = durability,
             .commit = {.records_per_commit_max = records_per_commit_max, .wal_pages_max = 50}},
            Entropy::seeded(++opened_));
        if (!store) FAIL(store.error().text);
        store_ = *store;
        return SqliteLog{*store};
    }

    test::TemporaryFolder folder_;
    std::uint64_t opened_ = 0;
    std::weak_ptr<sqlite::Store> store_;
    SqliteLog log_ = open();
};

void check_log(Durability durability, std::size_t records_per_commit_max) {
    SqliteLogHarness::durability = durability;
    SqliteLogHarness::records_per_commit_max = records_per_commit_max;
    conformance::check_log<SqliteLogHarness>();
}

TEST_CASE("the SQLite log keeps its promises", "[conformance][log][sqlite]") {
    SECTION("synced at every commit") { check_log(Durability::fsync, 256); }
    SECTION("handed to the operating system") { check_log(Durability::process, 256); }
    SECTION("one record per commit") { check_log(Durability::process, 1); }
}

}  // namespace
}  // namespace quicchat
