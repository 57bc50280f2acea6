#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "sim/chaos_disk.hpp"
#include "sim/chaos_files.hpp"
#include "sim/chaos_limits.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// Somebody who sends a file, to a server whose disk takes its time.
struct Sender {
    std::shared_ptr<Disk> log = std::make_shared<Disk>(1);
    std::shared_ptr<FileDisk> files = std::make_shared<FileDisk>(2, *log);
    memory::Network network{{.seed = 3}};
    memory::Server server{network.listen("chat", chaos_limits()),
                          DiskLog{log},
                          NameAuthenticator{},
                          Entropy::seeded(4),
                          {.rooms = {"#one"}, .limits = chaos_limits()},
                          ChaosFiles{files}};
    memory::Client client{network.dial("chat", chaos_limits()),
                          *NameLogin::create("ada"),
                          Entropy::seeded(5),
                          {.limits = chaos_limits()}};
    Buffer content = Buffer(900);

    bool is_storing() const {
        return !log->pending.empty() && log->pending.back().record.act.kind == Act::Kind::file &&
               log->pending.back().kind == Disk::Pending::Kind::append;
    }
    bool is_stored() const { return log->rooms.at("#one").head() == 1; }

    void turn() {
        network.advance_to(network.now() + std::chrono::milliseconds{1});
        log->now = files->now = network.now();
        const Now now{network.now(), WallTime{}};
        server.process(now);
        client.process(now);
        while (const auto event = client.poll_event()) {
            const auto* wanted = std::get_if<FileWanted>(&*event);
            if (wanted == nullptr) continue;
            REQUIRE(client.give_file(wanted->request, wanted->offset, content) == Errc{});
        }
    }
};

}  // namespace

TEST_CASE("a file whose sender went while its record was stored stays", "[files]") {
    Sender ada;
    ada.client.connect({ada.network.now(), WallTime{}});
    const Digest digest = ReferenceCrypto::sha256(ada.content);
    const auto request = ada.client.send_file(
        "#one", {.name = "plan", .size = 900, .digest = Buffer(digest.begin(), digest.end())});
    REQUIRE(request);
    for (int turns = 0; turns < 1000 && !ada.is_storing(); ++turns) ada.turn();
    REQUIRE(ada.is_storing());
    ada.log->pending.back().due += std::chrono::seconds{1};
    ada.client.cancel_file(*request);
    for (int turns = 0; turns < 1000 && ada.server.transfers() > 0; ++turns) ada.turn();
    REQUIRE_FALSE(ada.is_stored());
    for (int turns = 0; turns < 60'000; ++turns) ada.turn();  // a minute: more than an upload has
    CHECK(ada.is_stored());
    CHECK(ada.files->files.size() == 1);
    CHECK(ada.server.transfers() == 0);
}
