#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/power_failure.hpp"
#include "sqlite/room_script.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

// Cuts the power before every write and sync of a script, and looks at what is found then.

namespace quicchat {
namespace {

using namespace sqlite;
using test::DiskFiles;
using test::FaultyDisk;
using test::PowerFailure;

constexpr std::size_t operations_min = 2000;

/// What the caller was told by then: the state that must be found, or the one after it.
struct Mark {
    std::size_t operations = 0;
    std::string state;
};

DatabaseConfig config(const FaultyDisk& disk, std::optional<std::int64_t> synchronous) {
    return {.path = "chat.db", .vfs = disk.vfs(), .synchronous = synchronous};
}

/// A run of the script: what it did to the disk, and what it was told when.
struct Run {
    DiskFiles before{{"chat.db", {}}};
    std::vector<test::DiskOperation> operations;
    std::vector<Mark> marks;
};

Run run_script(std::optional<std::int64_t> synchronous, memory::Random& random) {
    Run run;
    FaultyDisk disk{run.before};
    Entropy entropy = Entropy::seeded(1);
    auto database = open_database(config(disk, synchronous), entropy);
    REQUIRE(database);
    auto writer = Writer::create(*std::move(database), Durability::fsync);
    REQUIRE(writer);
    run.marks.push_back({0, ""});
    test::RoomScript script{*writer};
    run.marks.push_back({disk.operations().size(), script.state()});
    while (disk.operations().size() < operations_min) {
        REQUIRE(script.run_batch(random));
        run.marks.push_back({disk.operations().size(), script.state()});
        writer->checkpoint_above(40);
    }
    run.operations = disk.operations();
    return run;
}

struct Verdict {
    std::size_t cuts = 0;
    std::size_t lost = 0;    ///< An older state than the one that was acknowledged.
    std::size_t broken = 0;  ///< Cannot be opened, or a state that never was.
    std::string first;       ///< The first of them, for people.
};

/// Cuts at every `stride`-th operation.
Verdict cut(const Run& run, memory::Random& random, std::size_t stride) {
    Verdict verdict;
    PowerFailure power{run.before};
    std::size_t mark = 0;
    for (std::size_t i = 0; i <= run.operations.size(); ++i) {
        if (i > 0) power.apply(run.operations[i - 1]);
        while (mark + 1 < run.marks.size() && run.marks[mark + 1].operations <= i) ++mark;
        if (i % stride != 0) continue;
        for (const PowerFailure::Fate fate : PowerFailure::fates) {
            ++verdict.cuts;
            FaultyDisk disk{power.image(fate, random)};
            const std::optional<std::string> found = test::reopen_script(disk);
            if (found == run.marks[mark].state) continue;
            if (mark + 1 < run.marks.size() && found == run.marks[mark + 1].state) continue;
            const bool is_older = std::any_of(run.marks.begin(),
                                              run.marks.begin() + static_cast<std::ptrdiff_t>(mark),
                                              [&](const Mark& m) { return m.state == found; });
            ++(is_older ? verdict.lost : verdict.broken);
            if (verdict.lost + verdict.broken == 1) {
                verdict.first = "at operation " + std::to_string(i) + ", fate " +
                                std::to_string(static_cast<int>(fate)) + "\nfound:\n" +
                                found.value_or("nothing that opens") + "\nexpected:\n" +
                                run.marks[mark].state;
            }
        }
    }
    return verdict;
}

TEST_CASE("nothing acknowledged is lost when the power fails", "[sqlite][power]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    memory::Random random{seed};
    const Verdict verdict = cut(run_script({}, random), random, 1);
    INFO(verdict.first);
    CHECK(verdict.cuts > 5 * operations_min);
    CHECK(verdict.lost == 0);
    CHECK(verdict.broken == 0);
}

TEST_CASE("the power failure test notices what is not synced", "[sqlite][power]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    memory::Random random{seed};
    SECTION("without any sync, records are lost or worse") {
        const Verdict verdict = cut(run_script(0, random), random, 50);
        CHECK(verdict.lost + verdict.broken > 0);
    }
    SECTION("with syncs at checkpoints only, records are lost and nothing worse") {
        const Verdict verdict = cut(run_script(1, random), random, 20);
        CHECK(verdict.lost > 0);
        CHECK(verdict.broken == 0);
    }
}

}  // namespace
}  // namespace quicchat
