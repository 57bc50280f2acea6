#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/file_conformance.hpp"
#include "quicchat/disk/disk_files.hpp"
#include "sqlite/temporary_folder.hpp"

using namespace quicchat;
using namespace quicchat::test;
namespace fs = std::filesystem;

namespace {

using Files = DiskFiles<ReferenceCrypto>;

const Buffer secret(32, std::byte{7});

Files open_files(const std::string& path) {
    auto files = Files::open(path, secret);
    REQUIRE(files);
    return *std::move(files);
}

auto waiter(const Files& files) {
    return [&files] {
        pollfd wake{*files.wake_fd(), POLLIN, 0};
        REQUIRE(poll(&wake, 1, 10'000) == 1);
    };
}

std::vector<fs::path> list(const std::string& path) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator{path}) found.push_back(entry.path());
    return found;
}

}  // namespace

TEST_CASE("files on disk keep the promises of a store", "[disk]") {
    const TemporaryFolder folder;
    Files files = open_files(folder.file("files"));
    check_file_store(files, waiter(files));
}

TEST_CASE("files on disk outlive the server", "[disk]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("files");
    {
        Files files = open_files(path);
        FileScene scene{files, waiter(files)};
        scene.store("a", "text");
        CHECK(scene.begin("b", 9).size == 0);
        CHECK(scene.write("b", 0, "part") == Errc{});
    }
    Files files = open_files(path);
    FileScene scene{files, waiter(files)};
    CHECK(scene.read("a", 0, 9) == "text");
    CHECK(scene.begin("b", 9).size == 4);
}

TEST_CASE("what was asked is done before a store ends", "[disk]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("files");
    {
        Files files = open_files(path);
        files.begin(1, "a", 4);
        files.write(2, "a", 0, Bytes::copy_of(as_bytes("text")));
        files.finish(3, "a", 4, ReferenceCrypto::sha256(as_bytes("text")));
    }
    Files files = open_files(path);
    FileScene scene{files, waiter(files)};
    CHECK(scene.read("a", 0, 9) == "text");
}

TEST_CASE("names in the folder are made by the server, and for its user only", "[disk]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("files");
    Files files = open_files(path);
    FileScene scene{files, waiter(files)};
    scene.store("../../etc/passwd", "text");
    CHECK(scene.begin("b", 5).size == 0);

    struct stat found {};
    REQUIRE(stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0700);
    const auto names = list(path);
    REQUIRE(names.size() == 2);
    for (const fs::path& name : names) {
        const std::string stem = name.stem().string();
        CHECK(stem.size() == 64);
        CHECK(stem.find_first_not_of("0123456789abcdef") == std::string::npos);
        REQUIRE(stat(name.c_str(), &found) == 0);
        CHECK((found.st_mode & 0777) == 0600);
    }
    // Another secret gives other names.
    const TemporaryFolder other_folder;
    auto other = Files::open(other_folder.file("files"), Buffer(32, std::byte{8}));
    REQUIRE(other);
    FileScene other_scene{*other, waiter(*other)};
    other_scene.store("../../etc/passwd", "text");
    CHECK(list(other_folder.file("files")).front().filename() != names.front().filename());
    CHECK(list(other_folder.file("files")).front().filename() != names.back().filename());
}

TEST_CASE("links that somebody put into the folder are not followed", "[disk]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("files");
    const std::string outside = folder.file("outside");
    std::ofstream{outside} << "do not touch";
    Files files = open_files(path);
    FileScene scene{files, waiter(files)};
    scene.store("a", "text");
    const fs::path name = list(path).front();
    fs::remove(name);
    fs::create_symlink(outside, name);
    CHECK(scene.read("a", 0, 99) == "no_such_file");
    fs::create_symlink(outside, name.string() + ".part");
    fs::remove(name);
    CHECK(scene.begin("a", 4).error != Errc{});
    CHECK(scene.write("a", 0, "evil") != Errc{});
    std::string text;
    std::getline(std::ifstream{outside}, text);
    CHECK(text == "do not touch");
}

TEST_CASE("a folder that cannot be used is refused in words", "[disk]") {
    const TemporaryFolder folder;
    const auto failure = [](const std::string& path) {
        auto files = Files::open(path, secret);
        REQUIRE_FALSE(files);
        return files.error().text;
    };
    CHECK(failure(folder.file("none/files")).find("cannot be made") != std::string::npos);
    std::ofstream{folder.file("a_file")} << "x";
    CHECK(failure(folder.file("a_file")).find("cannot be opened as a folder") != std::string::npos);
    const Files first = open_files(folder.file("files"));
    CHECK(failure(folder.file("files")).find("another server uses the folder") !=
          std::string::npos);
}

TEST_CASE("a full disk is said, and what was begun takes no room", "[disk]") {
    const TemporaryFolder folder;
    Files files = open_files(folder.file("files"));
    FileScene scene{files, waiter(files)};
    scene.store("a", "text");
    CHECK(scene.begin("b", 1000).size == 0);
    // A limit of the process on the size of files is what a test can have of a full disk.
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit small{100, before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const Errc first = scene.write("b", 0, std::string(60, 'x'));
    const Errc second = scene.write("b", 60, std::string(60, 'x'));
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK(first == Errc{});
    CHECK(second == Errc::storage_full);
    CHECK(scene.read("a", 0, 9) == "text");
    // What was begun gives its room back.
    CHECK(list(folder.file("files")).size() == 1);
    CHECK(scene.write("b", 60, std::string(60, 'x')) == Errc::no_such_file);
    CHECK(scene.begin("b", 1000).size == 0);
    CHECK(scene.write("b", 0, std::string(60, 'x')) == Errc{});
}

TEST_CASE("files leave room on the disk for messages", "[disk]") {
    static disk::Space space;
    static bool is_known = true;
    disk::FolderConfig config;
    config.reserve_bytes_max = 500;
    config.space = [](int) { return is_known ? std::optional{space} : std::nullopt; };
    space = {.free = 600, .total = 1'000'000};
    const TemporaryFolder folder;
    const std::string path = folder.file("files");
    auto files = Files::open(path, secret, config);
    REQUIRE(files);
    FileScene scene{*files, waiter(*files)};

    SECTION("so no file is begun that would take it") {
        CHECK(scene.begin("a", 101).error == Errc::storage_full);
        CHECK(list(path).empty());
        CHECK(scene.begin("a", 100).error == Errc{});
    }
    SECTION("and none goes on that would, and then it gives its room back") {
        CHECK(scene.begin("a", 100).error == Errc{});
        CHECK(scene.write("a", 0, std::string(60, 'x')) == Errc{});
        CHECK(scene.write("a", 0, std::string(60, 'x')) == Errc{});  // takes no more
        space.free = 539;
        CHECK(scene.write("a", 0, std::string(60, 'x')) == Errc{});
        CHECK(scene.write("a", 60, std::string(40, 'x')) == Errc::storage_full);
        CHECK(list(path).empty());
        space.free = 400;
        CHECK(scene.begin("a", 1).error == Errc::storage_full);
    }
    SECTION("five hundredths of a small disk") {
        space = {.free = 60, .total = 1000};
        CHECK(scene.begin("a", 11).error == Errc::storage_full);
        CHECK(scene.begin("a", 10).error == Errc{});
    }
    SECTION("if the system says how much there is") {
        is_known = false;
        CHECK(scene.begin("a", 1000).error == Errc{});
        is_known = true;
    }
    SECTION("and what is complete stays") {
        scene.store("a", "text");
        space.free = 0;
        CHECK(scene.begin("a", 4).complete);
        CHECK(scene.read("a", 0, 9) == "text");
    }
}

TEST_CASE("the room of the disk is what the system says", "[disk]") {
    const TemporaryFolder folder;
    const int fd = open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const auto space = disk::space_of(fd);
    close(fd);
    REQUIRE(space);
    const fs::space_info expected = fs::space(folder.path());
    CHECK(space->total == expected.capacity);
    CHECK(space->free > 0);
    CHECK(space->free <= space->total);
}

TEST_CASE("what was begun long ago goes, and what is not ours stays", "[disk]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("files");
    Files files = open_files(path);
    FileScene scene{files, waiter(files)};
    CHECK(scene.begin("old", 5).size == 0);
    const fs::path old = list(path).front();
    const utimbuf yesterday{time(nullptr) - 90'000, time(nullptr) - 90'000};
    REQUIRE(utime(old.c_str(), &yesterday) == 0);
    CHECK(scene.begin("new", 5).size == 0);
    std::ofstream{path + "/notes.txt"} << "mine";
    CHECK(scene.keep_only({}, std::chrono::hours{24}) == 0);
    CHECK(scene.begin("other", 1).error == Errc{});
    CHECK_FALSE(fs::exists(old));
    CHECK(fs::exists(path + "/notes.txt"));
    CHECK(list(path).size() == 3);
}

TEST_CASE("what was begun long ago goes while a server runs, unless somebody goes on with it",
          "[disk]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("files");
    Files files = open_files(path);
    FileScene scene{files, waiter(files)};
    const utimbuf yesterday{time(nullptr) - 90'000, time(nullptr) - 90'000};
    scene.store("whole", "text");
    const fs::path whole = list(path).front();
    REQUIRE(utime(whole.c_str(), &yesterday) == 0);
    for (const char* key : {"left", "resumed"}) {
        CHECK(scene.begin(key, 5).size == 0);
        CHECK(scene.write(key, 0, "01") == Errc{});
    }
    for (const fs::path& file : list(path)) REQUIRE(utime(file.c_str(), &yesterday) == 0);
    CHECK(scene.begin("resumed", 5).size == 2);
    CHECK(scene.drop_begun(std::chrono::hours{24}) == 2);
    CHECK(list(path).size() == 2);
    CHECK(scene.begin("resumed", 5).size == 2);
    CHECK(scene.begin("left", 5).size == 0);
    CHECK(scene.read("whole", 0, 5) == "text");
}
