#include "quicchat/quic/qlog_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

namespace fs = std::filesystem;

class Folder {
public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "quicchat-qlog-XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }

    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator{path}) {
            names.push_back(entry.path().filename().string());
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string read(const std::string& name) const {
        std::ifstream file{path / name, std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

    void write(const std::string& name, std::size_t bytes) const {
        std::ofstream{path / name} << std::string(bytes, 'x');
    }

    fs::path path;
};

/// RFC 7464: each text begins with a record separator and ends with a line feed.
std::vector<nlohmann::json> records_of(const std::string& sequence) {
    std::vector<nlohmann::json> records;
    std::size_t at = 0;
    while (at < sequence.size()) {
        REQUIRE(sequence[at] == '\x1e');
        const std::size_t end = std::min(sequence.find('\x1e', at + 1), sequence.size());
        REQUIRE(sequence[end - 1] == '\n');
        records.push_back(nlohmann::json::parse(sequence.substr(at + 1, end - at - 1)));
        at = end;
    }
    return records;
}

std::shared_ptr<quic::QlogFolder> open(const Folder& folder, std::uint64_t bytes_max = 1 << 20) {
    return quic::QlogFolder::open({.directory = folder.path.string(), .bytes_max = bytes_max})
        .value();
}

}  // namespace

TEST_CASE("an endpoint with a folder writes a qlog of each connection", "[quic][qlog]") {
    const Folder folder;
    World world;
    quic::Config config = World::config(1);
    config.qlog = open(folder);
    Host& server = world.add_server({}, config);
    server.echo = true;
    quic::Config client_config = World::config(2);
    client_config.qlog = open(folder);
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, client_config);
    Host& other = world.add_client();  // writes nothing itself

    const ConnectionId id = connected(world, client);
    const ConnectionId other_id = connected(world, other);
    const StreamId stream = client.endpoint.open_stream(id).value();
    REQUIRE(client.endpoint.write(id, stream, text_bytes("a secret text"), true));
    REQUIRE(world.run_until([&] { return client.text == "a secret text"; }));
    client.endpoint.close(id, Errc::closed, "");
    other.endpoint.close(other_id, Errc::closed, "");
    world.run_for(60s);
    REQUIRE(server.endpoint.connections() == 0);

    const std::vector<std::string> names = folder.names();
    REQUIRE(names.size() == 3);
    std::vector<std::string> ids;
    for (const std::string& name : names) {
        CAPTURE(name);
        CHECK(name.substr(8, 1) == "T");
        const bool is_server = name.ends_with("-server.sqlog");
        CHECK((is_server || name.ends_with("-client.sqlog")));
        ids.push_back(name.substr(21, name.rfind('-') - 21));
        struct stat status {};
        REQUIRE(stat((folder.path / name).c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);

        const std::string text = folder.read(name);
        CHECK(text.find("a secret text") == std::string::npos);
        const std::vector<nlohmann::json> records = records_of(text);
        REQUIRE(records.size() > 10);
        CHECK(records[0]["qlog_format"] == "JSON-SEQ");
        CHECK(records[0]["trace"]["vantage_point"]["type"] == (is_server ? "server" : "client"));
        CHECK(std::any_of(records.begin(), records.end(), [](const nlohmann::json& record) {
            return record.value("name", "").ends_with(":packet_received");
        }));
    }
    // Both ends of a connection have the same id in their names.
    std::sort(ids.begin(), ids.end());
    CHECK(std::unique(ids.begin(), ids.end()) - ids.begin() == 2);
}

TEST_CASE("a folder of qlogs", "[quic][qlog]") {
    const Folder folder;
    const std::string piece(9000, 'x');  // more than is kept in memory

    SECTION("has a bound, and what was not written to for longest goes first") {
        const auto logs = open(folder, 64 * 1024);
        for (int i = 10; i < 50; ++i) {
            logs->begin(std::to_string(i), true)->write(piece);
            CHECK(logs->bytes() <= 64 * 1024);
        }
        REQUIRE(folder.names().size() == 5);  // of three blocks each
        CHECK(folder.names().front().ends_with("Z-45-server.sqlog"));
    }
    SECTION("keeps the file that was written to lately, however old it is") {
        const auto logs = open(folder, 64 * 1024);
        const std::string half(8192, 'x');
        const auto first = logs->begin("01", true);
        first->write(half);
        const std::string oldest = folder.names()[0];
        for (int i = 2; i < 6; ++i) logs->begin("0" + std::to_string(i), true)->write(piece);
        first->write(half);
        CHECK(logs->bytes() == 64 * 1024);
        CHECK(folder.names().size() == 5);
        logs->begin("06", true)->write(piece);
        CHECK(folder.names().size() == 5);
        CHECK(folder.read(oldest).size() == 2 * half.size());
    }
    SECTION("keeps the beginning of a connection that says too much") {
        const auto logs = open(folder, 64 * 1024);
        const auto log = logs->begin("01", false);
        for (int i = 0; i < 20; ++i) log->write(piece);
        REQUIRE(folder.names().size() == 1);
        CHECK(folder.read(folder.names()[0]).size() == piece.size());
        CHECK(logs->bytes() == 12 * 1024);
    }
    SECTION("counts those of earlier runs, and leaves other files alone") {
        const std::string old = "20200101T000000.000Z-00-server.sqlog";
        folder.write(old, 60'000);
        folder.write("20190101T000000.000Z-00-client.sqlog", 10'000);
        folder.write("20190101T000000.000Z.sqlog", 70'000);
        folder.write("notes.txt", 70'000);
        const auto logs = open(folder, 64 * 1024);
        CHECK(folder.names() ==
              std::vector<std::string>{"20190101T000000.000Z.sqlog", old, "notes.txt"});
        logs->begin("01", true)->write(piece);
        CHECK_FALSE(fs::exists(folder.path / old));
        CHECK(folder.names().size() == 3);
    }
    SECTION("goes on when one of its files is removed, or all of it") {
        const auto logs = open(folder, 256 * 1024);
        const auto log = logs->begin("01", true);
        log->write(piece);
        fs::remove_all(folder.path);
        log->write(piece);
        logs->begin("02", true)->write(piece);
        CHECK(logs->bytes() == 0);
        REQUIRE(fs::create_directory(folder.path));
        CHECK(folder.names().empty());
    }
    SECTION("follows no link") {
        const auto logs = open(folder, 256 * 1024);
        const auto log = logs->begin("01", true);
        log->write(piece);
        const fs::path name = folder.path / folder.names()[0];
        folder.write("valuable", 10);
        fs::remove(name);
        fs::create_symlink(folder.path / "valuable", name);
        log->write(piece);
        CHECK(folder.read("valuable").size() == 10);
    }
    SECTION("must be there, and have room") {
        const auto error_of = [](const std::string& path, std::uint64_t bytes_max = 1 << 20) {
            const auto opened = quic::QlogFolder::open({.directory = path, .bytes_max = bytes_max});
            REQUIRE_FALSE(opened);
            return opened.error();
        };
        CHECK(error_of((folder.path / "nowhere").string()).value() == ENOENT);
        folder.write("file", 1);
        CHECK(error_of((folder.path / "file").string()).value() == ENOTDIR);
        CHECK(error_of(folder.path.string(), 1000) == make_error_code(Errc::invalid_request));
        CHECK(error_of("/proc").value() != 0);  // nothing can be written there
    }
}
