#include <poll.h>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_conformance.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"
#include "sqlite/temporary_folder.hpp"

namespace quicchat {
namespace {

template <Durability level, std::size_t records_per_commit = 256>
class SqliteLogHarness {
public:
    static constexpr bool outlives_restart = true;
    static constexpr Durability durability = level;

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
             .durability = level,
             .commit = {.records_per_commit_max = records_per_commit, .wal_pages_max = 50}},
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

TEST_CASE("the SQLite log keeps its promises", "[conformance][log][sqlite]") {
    SECTION("synced at every commit") {
        conformance::check_log<SqliteLogHarness<Durability::fsync>>();
    }
    SECTION("handed to the operating system") {
        conformance::check_log<SqliteLogHarness<Durability::process>>();
    }
    SECTION("one record per commit") {
        conformance::check_log<SqliteLogHarness<Durability::process, 1>>();
    }
}

}  // namespace
}  // namespace quicchat
