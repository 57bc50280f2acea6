#include "quicchat/quic/known_servers_file.hpp"
#include "quicchat/transport/fingerprint.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;
namespace fs = std::filesystem;

namespace {

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "quicchat-known-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    fs::path path;
};

Fingerprint key(unsigned number) {
    Fingerprint fingerprint{};
    fingerprint.fill(static_cast<std::byte>(number));
    return fingerprint;
}

unsigned mode(const fs::path& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 0777;
}

}  // namespace

TEST_CASE("the known servers file", "[quic][auth]") {
    const Folder folder;
    const fs::path path = folder.path / "a" / "quicchat" / "known_servers";

    SECTION("is empty until there is one") {
        CHECK(quic::read_known_servers_file(path).value().empty());
        CHECK_FALSE(fs::exists(path));
    }
    SECTION("is made with its folders, for the owner only") {
        const mode_t old = ::umask(0);
        const bool added =
            quic::add_to_known_servers_file(path, {"a:1", key(1), "new"}).has_value();
        ::umask(old);
        REQUIRE(added);
        CHECK(mode(path) == 0600);
        CHECK(mode(path.parent_path()) == 0700);
        CHECK(mode(path.parent_path().parent_path()) == 0700);
        CHECK(*quic::read_known_servers_file(path) ==
              "a:1 " + format_fingerprint(key(1)) + " new\n");
    }
    SECTION("keeps what is there, and takes a server once") {
        fs::create_directories(path.parent_path());
        std::ofstream{path} << "# mine\nbroken line";
        REQUIRE(quic::add_to_known_servers_file(path, {"a:1", key(1), ""}));
        REQUIRE(quic::add_to_known_servers_file(path, {"A:1", key(1), ""}));
        CHECK(*quic::read_known_servers_file(path) ==
              "# mine\nbroken line\na:1 " + format_fingerprint(key(1)) + "\n");
        CHECK(mode(path) == 0600);
    }
    SECTION("never takes a second key for a server") {
        REQUIRE(quic::add_to_known_servers_file(path, {"a:1", key(1), ""}));
        const auto before = quic::read_known_servers_file(path).value();
        CHECK(quic::add_to_known_servers_file(path, {"a:1", key(2), ""}).error() ==
              Errc::server_key_changed);
        CHECK(*quic::read_known_servers_file(path) == before);
    }
    SECTION("survives a run that was killed while writing") {
        fs::create_directories(path.parent_path());
        std::ofstream{path.string() + ".new"} << "half";
        CHECK(quic::add_to_known_servers_file(path, {"a:1", key(1), ""}));
        CHECK(parse_known_servers(*quic::read_known_servers_file(path))->servers.size() == 1);
        CHECK_FALSE(fs::exists(path.string() + ".new"));
    }
    SECTION("may be a link") {
        fs::create_directories(path.parent_path());
        const fs::path real = folder.path / "real";
        std::ofstream{real} << "";
        fs::create_symlink(real, path);
        REQUIRE(quic::add_to_known_servers_file(path, {"a:1", key(1), ""}));
        CHECK(fs::is_symlink(path));
        CHECK(quic::read_known_servers_file(real)->size() > 10);
    }
    SECTION("loses nothing when many add at once") {
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < 4; ++t) {
            threads.emplace_back([&path, t] {
                for (unsigned i = 0; i < 10; ++i) {
                    const std::string address =
                        "host" + std::to_string(t) + ":" + std::to_string(i + 1);
                    if (!quic::add_to_known_servers_file(path, {address, key(t), ""})) return;
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        const auto known = parse_known_servers(*quic::read_known_servers_file(path)).value();
        CHECK(known.servers.size() == 40);
        CHECK(known.bad_lines.empty());
    }
    SECTION("reports what the system refuses") {
        CHECK_FALSE(quic::read_known_servers_file(folder.path));
        std::ofstream{folder.path / "file"} << "x";
        CHECK_FALSE(
            quic::add_to_known_servers_file(folder.path / "file" / "known", {"a:1", key(1), ""}));
        std::ofstream{folder.path / "large"} << std::string(known_servers_bytes_max + 1, '#');
        CHECK(quic::read_known_servers_file(folder.path / "large").error() ==
              Errc::invalid_request);
    }
}
