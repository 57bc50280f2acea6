#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/power_failure.hpp"
#include "sqlite/room_script.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

// Lets the k-th write or sync fail, for every k that there is.

namespace quicchat {
namespace {

using namespace sqlite;
using test::FaultyDisk;
using test::PowerFailure;

constexpr RoomKey room{1};
constexpr Retention much{1000, 10'000'000};

Record make_record(std::size_t number) {
    Record record;
    record.id.bytes[0] = static_cast<std::byte>(number);
    record.id.bytes[1] = static_cast<std::byte>(number >> 8);
    record.author = "ada";
    record.text = std::to_string(number) + std::string(number % 7 == 0 ? 6000 : 50, '.');
    return record;
}

AppendRecord append(std::size_t number) {
    return {room, "#a", Epoch{1}, number, make_record(number), {}, false};
}

StorageResult<Writer> open_writer(const FaultyDisk& disk) {
    Entropy entropy = Entropy::seeded(1);
    auto database = open_database({.path = "chat.db", .vfs = disk.vfs()}, entropy);
    if (!database) return database.error();
    return Writer::create(*std::move(database), Durability::fsync);
}

/// What one run was told: by the number of the record.
struct Run {
    std::vector<Errc> errors{};
    std::vector<Offset> offsets{};
    bool failed = false;
    std::optional<StorageError> failure{};
};

/// Fifteen commits of four records, with checkpoints. `after` is called after each commit.
template <class After>
Run run_script(Writer& writer, FaultyDisk& disk, const After& after) {
    writer.add(CreateRoom{room, "#a", Epoch{1}});
    writer.add(SetRetention{room, much});
    Run run;
    for (std::size_t batch = 0; batch < 15; ++batch) {
        for (std::size_t i = 0; i < 4; ++i) writer.add(append(4 * batch + i));
        for (const WriteDone& done : writer.commit()) {
            REQUIRE(done.news.token == run.errors.size());
            run.errors.push_back(done.news.error);
            run.offsets.push_back(done.news.offset);
        }
        writer.checkpoint_above(10);
        after(batch);
    }
    run.failed = disk.has_failed();
    run.failure = writer.failure();
    return run;
}

/// Everything that was acknowledged is found on such a disk, and nothing twice or in between.
void check_disk(const test::DiskFiles& files, const Run& run) {
    FaultyDisk disk{files};
    auto writer = open_writer(disk);
    if (!writer) FAIL(writer.error().text);
    const bool has_room = writer->rooms().contains(room);
    Offset expected = 0;
    for (std::size_t i = 0; i < run.errors.size(); ++i) {
        if (run.errors[i] == Errc{}) expected = std::max(expected, run.offsets[i]);
    }
    REQUIRE((has_room || expected == 0));
    if (!has_room) return;
    REQUIRE(writer->rooms().at(room).head >= expected);
    writer->add(SetRetention{room, much});
    for (std::size_t i = 0; i < run.errors.size(); ++i) writer->add(append(i));
    const std::vector<WriteDone> done = writer->commit();
    REQUIRE(done.size() == run.errors.size());
    for (std::size_t i = 0; i < done.size(); ++i) {
        REQUIRE(done[i].news.error == Errc{});
        if (run.errors[i] != Errc{}) continue;
        REQUIRE(done[i].news.duplicate);
        REQUIRE(done[i].news.offset == run.offsets[i]);
    }
    REQUIRE(writer->rooms().at(room).head == done.size());  // each is there exactly once
}

void check_disks(const FaultyDisk& disk, const Run& run) {
    check_disk(disk.files(), run);
    PowerFailure power{{{"chat.db", {}}}};
    for (const test::DiskOperation& operation : disk.operations()) power.apply(operation);
    memory::Random random{1};
    check_disk(power.image(PowerFailure::Fate::all_lost, random), run);
}

TEST_CASE("after an error of the disk nothing is acknowledged any more", "[sqlite][io]") {
    std::size_t k = 0;
    for (bool failed = true; failed;) {
        ++k;
        INFO("k=" << k);
        FaultyDisk disk{{{"chat.db", {}}}};
        auto writer = open_writer(disk);
        REQUIRE(writer);
        disk.fail_after(k, SQLITE_IOERR, false);
        const Run run = run_script(*writer, disk, [](std::size_t) {});
        failed = run.failed;
        REQUIRE(run.failure.has_value() == failed);
        bool is_over = false;
        for (const Errc error : run.errors) {
            REQUIRE((error == Errc{} || error == Errc::storage_failed));
            REQUIRE((!is_over || error == Errc::storage_failed));
            is_over = is_over || error != Errc{};
        }
        check_disks(disk, run);
    }
    CHECK(k > 100);
}

TEST_CASE("a full disk refuses appends until there is room again", "[sqlite][io]") {
    std::size_t refused = 0;
    std::size_t k = 0;
    for (bool failed = true; failed;) {
        ++k;
        INFO("k=" << k);
        FaultyDisk disk{{{"chat.db", {}}}};
        auto writer = open_writer(disk);
        REQUIRE(writer);
        disk.fail_after(k, SQLITE_FULL, true);
        std::optional<std::size_t> full_at;
        const Run run = run_script(*writer, disk, [&](std::size_t batch) {
            if (disk.has_failed() && !full_at) full_at = batch;
            if (full_at && batch == *full_at + 2) disk.fail_after(0, SQLITE_OK, false);
        });
        failed = full_at.has_value();
        REQUIRE_FALSE(run.failure);
        Offset head = 0;
        for (std::size_t i = 0; i < run.errors.size(); ++i) {
            REQUIRE((run.errors[i] == Errc{} || run.errors[i] == Errc::storage_full));
            if (run.errors[i] == Errc{}) REQUIRE(run.offsets[i] == ++head);
            // What does not fit in is refused; what came later, when there was room, is not.
            const bool later = full_at && i >= 4 * (*full_at + 3);
            if (later || !full_at) REQUIRE(run.errors[i] == Errc{});
            refused += run.errors[i] == Errc::storage_full;
        }
        check_disks(disk, run);
    }
    CHECK(k > 100);
    CHECK(refused > 500);
}

/// What is found on a disk as the process left it, and after a power failure.
std::vector<std::optional<std::string>> find_states(const FaultyDisk& disk) {
    PowerFailure power{{{"chat.db", {}}}};
    for (const test::DiskOperation& operation : disk.operations()) power.apply(operation);
    memory::Random random{1};
    std::vector<std::optional<std::string>> found;
    for (const auto& files : {disk.files(), power.image(PowerFailure::Fate::all_lost, random)}) {
        FaultyDisk copy{files};
        found.push_back(test::reopen_script(copy));
    }
    return found;
}

TEST_CASE("an error of the disk leaves records and what they change together", "[sqlite][io]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    std::size_t k = 0;
    for (bool failed = true; failed;) {
        ++k;
        INFO("k=" << k);
        memory::Random random{seed};
        FaultyDisk disk{{{"chat.db", {}}}};
        auto writer = open_writer(disk);
        REQUIRE(writer);
        test::RoomScript script{*writer};
        disk.fail_after(k, SQLITE_IOERR, false);
        std::string before;
        for (int i = 0; i < 25 && !writer->failure(); ++i) {
            before = script.state();
            script.run_batch(random);
            writer->checkpoint_above(10);
        }
        failed = disk.has_failed();
        for (const auto& found : find_states(disk)) {
            if (found == script.state()) continue;
            CHECK(found.value_or("nothing that opens") == before);
            REQUIRE(failed);
        }
    }
    CHECK(k > 100);
}

TEST_CASE("a full disk loses no state that was stored without a record", "[sqlite][io]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    std::size_t refused = 0;
    std::size_t k = 0;
    for (bool failed = true; failed;) {
        ++k;
        INFO("k=" << k);
        memory::Random random{seed};
        FaultyDisk disk{{{"chat.db", {}}}};
        auto writer = open_writer(disk);
        REQUIRE(writer);
        test::RoomScript script{*writer};
        for (int i = 0; i < 40; ++i) REQUIRE(script.run_alone(random));  // retention drops some
        disk.fail_after(k, SQLITE_FULL, true);
        failed = false;
        for (int full = 0, left = 25; left > 0; --left) {
            refused += !script.run_alone(random);
            writer->checkpoint_above(10);
            if (!disk.has_failed()) continue;
            failed = true;
            if (full++ == 0) left = 20;
            if (full == 10) disk.fail_after(0, SQLITE_OK, false);  // there is room again
        }
        disk.fail_after(0, SQLITE_OK, false);
        writer->commit();
        CHECK_FALSE(writer->has_postponed());
        REQUIRE_FALSE(writer->failure());
        for (const auto& found : find_states(disk)) {
            REQUIRE(found.value_or("nothing that opens") == script.state());
        }
    }
    CHECK(k > 50);
    CHECK(refused > 500);
}

TEST_CASE("a full disk still answers for what it has", "[sqlite][io]") {
    FaultyDisk disk{{{"chat.db", {}}}};
    auto writer = open_writer(disk);
    REQUIRE(writer);
    run_script(*writer, disk, [](std::size_t) {});
    disk.fail_after(1, SQLITE_FULL, true);
    Record other = make_record(1);
    other.text = "another";
    writer->add(append(1000));
    writer->add(append(7));
    writer->add({AppendRecord{room, "#a", Epoch{1}, 2, other, {}, false}});
    writer->add(append(1000));
    const auto done = writer->commit();
    REQUIRE(done.size() == 4);
    CHECK(done[0].news.error == Errc::storage_full);
    CHECK(done[1].news.duplicate);
    CHECK(done[1].news.offset == 8);
    CHECK(done[2].news.error == Errc::conflict);
    CHECK(done[3].news.error == Errc::storage_full);

    SECTION("also to somebody who only asks") {
        writer->add(StoreState{room, {{"key", "waits"}}});
        for (const std::size_t number : {1000u, 7u}) {
            AppendRecord question = append(number);
            question.only_look_up = true;
            writer->add(question);
        }
        const auto answers = writer->commit();
        REQUIRE(answers.size() == 2);
        CHECK(answers[0].news.error == Errc::no_such_message);
        CHECK(answers[1].news.duplicate);
    }
    SECTION("and keeps what is no append until there is room") {
        writer->add(CreateRoom{RoomKey{2}, "#b", Epoch{2}});
        writer->add(SetRetention{RoomKey{2}, much});
        for (int i = 0; i < 100; ++i) {
            writer->add(StoreState{RoomKey{2}, {{"key", std::to_string(i)}}});
        }
        writer->add(DropRoom{room});
        writer->add(ChangeDevices{.ticket = 5, .account = "ada"});
        CHECK(writer->commit().empty());
        CHECK(writer->has_postponed());
        CHECK(writer->saved() == 0);
        disk.fail_after(0, SQLITE_OK, false);
        writer->add(AppendRecord{RoomKey{2}, "#b", Epoch{2}, 9, make_record(1), {}, false});
        CHECK(writer->commit().at(0).news.offset == 1);
        CHECK_FALSE(writer->has_postponed());
        CHECK(writer->saved() == 5);
        CHECK_FALSE(writer->rooms().contains(room));
    }
}

/// A store on a faulty disk, and the names that it needs.
struct FaultyStore {
    FaultyStore() {
        {
            Entropy entropy = Entropy::seeded(1);
            auto database = open_database({.path = path, .vfs = disk.vfs()}, entropy);
            REQUIRE(database);
            REQUIRE(database->run("INSERT INTO account VALUES('ada', 'Ada', '', 1, 0, 0)") ==
                    SQLITE_OK);
        }
        auto opened = Store::open({.path = path, .vfs = disk.vfs()}, Entropy::seeded(1));
        if (!opened) FAIL(opened.error().text);
        store = *opened;
        REQUIRE(store->open_room("#a", much));
    }

    LogNews append(std::size_t number) {
        store->append(number, "#a", make_record(number));
        for (int i = 0; i < 100; ++i) {
            if (auto done = store->poll_news()) return *std::move(done);
            pollfd wake{store->wake_fd(), POLLIN, 0};
            (void)::poll(&wake, 1, 100);
        }
        FAIL("no completion came");
        return {};
    }

    test::TemporaryFolder folder;
    std::string path = real_path(folder.file("chat.db"));
    FaultyDisk disk{{{path, {}}}};
    std::shared_ptr<Store> store;
};

TEST_CASE("a store whose disk is full", "[sqlite][io]") {
    FaultyStore f;
    for (std::size_t i = 0; i < 10; ++i) REQUIRE(f.append(i).error == Errc{});
    f.disk.fail_after(1, SQLITE_FULL, true);

    SECTION("can be read, and written again when there is room") {
        CHECK(f.append(100).error == Errc::storage_full);
        REQUIRE(f.store->trouble());
        CHECK(f.store->trouble()->errc == Errc::storage_full);
        CHECK(f.append(3).duplicate);
        CHECK(f.store->read("#a", 0, 100)->size() == 10);
        CHECK(f.store->head("#a").head == 10);
        CHECK_FALSE(f.store->failure());
        f.disk.fail_after(0, SQLITE_OK, false);
        CHECK(f.append(100).offset == 11);
        CHECK_FALSE(f.store->trouble());
    }
    SECTION("saves devices when there is room, without being asked again") {
        const SaveTicket ticket =
            f.store->change_devices({.account = "ada", .write = ChangeDevices::Write::insert});
        CHECK(f.append(100).error == Errc::storage_full);
        CHECK(f.store->saved() < ticket);
        CHECK_FALSE(f.store->poll_news());
        f.disk.fail_after(0, SQLITE_OK, false);
        pollfd wake{f.store->wake_fd(), POLLIN, 0};
        CHECK(::poll(&wake, 1, 5000) == 1);
        CHECK(f.store->saved() == ticket);
    }
}

TEST_CASE("a store whose disk fails says so, and can still be read", "[sqlite][io]") {
    FaultyStore f;
    for (std::size_t i = 0; i < 10; ++i) REQUIRE(f.append(i).error == Errc{});
    f.disk.fail_after(1, SQLITE_IOERR, false);
    for (std::size_t i = 100; i < 110; ++i) CHECK(f.append(i).error == Errc::storage_failed);
    REQUIRE(f.store->failure());
    CHECK(f.store->failure()->errc == Errc::storage_failed);
    CHECK(f.store->failure()->text.find(f.path) != std::string::npos);
    CHECK(f.store->read("#a", 0, 100)->size() == 10);
    CHECK(f.store->head("#a").head == 10);
}

}  // namespace
}  // namespace quicchat
