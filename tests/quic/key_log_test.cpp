// The secrets of TLS in a file: only in builds that were asked for it.

#include <catch2/catch_test_macros.hpp>

#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

#ifdef QUICCHAT_TLS_KEY_LOG

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

TEST_CASE("an endpoint that is told a file writes the secrets of TLS to it", "[quic][key_log]") {
    std::string path = (std::filesystem::temp_directory_path() / "quicchat-keys-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    const std::string folder = path;
    const auto lines_of = [&](const std::string& name) {
        std::map<std::string, std::string> lines;
        std::ifstream file{folder + "/" + name};
        for (std::string line; std::getline(file, line);) {
            std::istringstream words{line};
            std::string label, random, secret;
            words >> label >> random >> secret;
            CHECK(random.size() == 64);
            CHECK((secret.size() == 64 || secret.size() == 96));
            CHECK(lines.emplace(label, random + secret).second);
        }
        return lines;
    };

    const auto count_lines = [&](const std::string& name) {
        std::ifstream file{folder + "/" + name};
        std::size_t count = 0;
        for (std::string line; std::getline(file, line);) ++count;
        return count;
    };

    World world;
    quic::Config config = World::config(1);
    config.key_log_file = folder + "/server";
    world.add_server({}, config);
    quic::Config client_config = World::config(2);
    client_config.key_log_file = folder + "/client";
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, client_config);
    client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(client) != nullptr; }));
    world.run_for(1s);

    const auto at_client = lines_of("client");
    for (const char* label : {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                              "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}) {
        CAPTURE(label);
        CHECK(at_client.contains(label));
    }
    CHECK(lines_of("server") == at_client);
    for (const char* name : {"client", "server"}) {
        struct stat status {};
        REQUIRE(stat((folder + "/" + name).c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
    }

    // What is there stays, and a file that cannot be had costs nobody a connection.
    quic::Config other_config = World::config(3);
    other_config.key_log_file = folder + "/no such folder/client";
    Host& other = world.add_client({.trust = quic::Trust::insecure()}, other_config);
    other.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(other) != nullptr; }));
    world.run_for(1s);
    CHECK(count_lines("server") == 2 * at_client.size());
    CHECK(count_lines("client") == at_client.size());
    std::filesystem::remove_all(folder);
}

#else

namespace {

template <class Config>
concept HasKeyLog = requires(Config config) {
    config.key_log_file;
};

}  // namespace

TEST_CASE("no endpoint of this build can write the secrets of TLS", "[quic][key_log]") {
    STATIC_CHECK_FALSE(HasKeyLog<quic::Config>);
}

#endif
