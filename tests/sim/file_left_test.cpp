#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "sim/chaos_disk.hpp"
#include "sim/chaos_files.hpp"
#include "sim/chaos_limits.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// People who send files, to a server whose disk takes its time.
struct FileScene {
    explicit FileScene(const Limits& l = chaos_limits()) : limits(l) {
        server.emplace(network.listen("chat", limits), DiskLog{log}, NameAuthenticator{},
                       Entropy::seeded(4), ServerConfig{.rooms = {"#one"}, .limits = limits},
                       ChaosFiles{files});
    }

    struct Sender {
        memory::Client client;
        std::map<RequestId, Buffer> sending{};
        std::map<RequestId, Errc> outcomes{};  ///< `Errc{}`: it is stored.
    };
    Sender& add(const std::string& user) {
        senders.push_back(std::make_unique<Sender>(Sender{{network.dial("chat", limits),
                                                           *NameLogin::create(user),
                                                           Entropy::seeded(5 + senders.size()),
                                                           {.limits = limits}}}));
        senders.back()->client.connect({network.now(), WallTime{}});
        return *senders.back();
    }
    static RequestId send(Sender& sender, std::size_t size) {
        Buffer content(size);
        const Digest digest = ReferenceCrypto::sha256(content);
        const auto request = sender.client.send_file(
            "#one", {.name = "plan", .size = size, .digest = Buffer(digest.begin(), digest.end())});
        REQUIRE(request);
        sender.sending[*request] = std::move(content);
        return *request;
    }

    bool is_pending(Disk::Pending::Kind kind) const {
        return !log->pending.empty() && log->pending.back().kind == kind &&
               log->pending.back().record.act.kind == Act::Kind::file;
    }
    bool is_storing() const { return is_pending(Disk::Pending::Kind::append); }
    bool is_stored() const { return log->rooms.at("#one").head() == 1; }

    void turn() {
        network.advance_to(network.now() + std::chrono::milliseconds{1});
        log->now = files->now = network.now();
        const Now now{network.now(), WallTime{}};
        server->process(now);
        for (const auto& sender : senders) {
            sender->client.process(now);
            while (const auto event = sender->client.poll_event()) take(*sender, *event);
        }
    }
    void run_for(std::chrono::milliseconds duration) {
        for (auto turns = duration; turns.count() > 0; --turns) turn();
    }
    /// False: it never holds.
    template <class Holds>
    bool run_until(const Holds& holds) {
        for (int turns = 0; turns < 1000 && !holds(); ++turns) turn();
        return holds();
    }

    Limits limits;
    std::shared_ptr<Disk> log = std::make_shared<Disk>(1);
    std::shared_ptr<FileDisk> files = std::make_shared<FileDisk>(2, *log);
    memory::Network network{{.seed = 3}};
    std::optional<memory::Server> server;
    std::vector<std::unique_ptr<Sender>> senders;

private:
    static void take(Sender& sender, const ClientEvent& event) {
        if (const auto* acked = std::get_if<Acked>(&event)) sender.outcomes[acked->request] = {};
        if (const auto* refused = std::get_if<Refused>(&event)) {
            sender.outcomes[refused->request] = refused->errc;
        }
        const auto* wanted = std::get_if<FileWanted>(&event);
        if (wanted == nullptr) return;
        const BytesView all{sender.sending.at(wanted->request)};
        REQUIRE(sender.client.give_file(wanted->request, wanted->offset,
                                        all.subspan(static_cast<std::size_t>(wanted->offset))) ==
                Errc{});
    }
};

}  // namespace

TEST_CASE("a file whose sender went while its record was stored stays", "[files]") {
    FileScene scene;
    FileScene::Sender& ada = scene.add("ada");
    const RequestId request = FileScene::send(ada, 900);
    REQUIRE(scene.run_until([&] { return scene.is_storing(); }));
    scene.log->pending.back().due += std::chrono::seconds{1};
    ada.client.cancel_file(request);
    REQUIRE(scene.run_until([&] { return scene.server->transfers() == 0; }));
    REQUIRE_FALSE(scene.is_stored());
    scene.run_for(std::chrono::minutes{1});  // more than an upload has
    CHECK(scene.is_stored());
    CHECK(scene.files->files.size() == 1);
    CHECK(scene.server->transfers() == 0);
}

TEST_CASE("a file that is announced is not counted as a begun one as well", "[files]") {
    Limits limits = chaos_limits();
    limits.files_per_room_bytes_max = 2000;
    FileScene scene{limits};
    FileScene::Sender& ada = scene.add("ada");
    FileScene::Sender& bob = scene.add("bob");
    const RequestId first = FileScene::send(ada, 900);
    REQUIRE(scene.run_until([&] { return scene.is_storing(); }));
    scene.log->pending.back().due += std::chrono::milliseconds{200};
    ada.client.cancel_file(first);  // so nobody waits for it
    const RequestId second = FileScene::send(bob, 1100);
    // The log answers both in one turn: the one is stored, the other may come.
    REQUIRE(scene.run_until([&] { return scene.is_pending(Disk::Pending::Kind::look_up); }));
    REQUIRE_FALSE(scene.is_stored());
    scene.log->pending.back().due = scene.log->pending.front().due;
    REQUIRE(scene.run_until([&] { return bob.outcomes.count(second) != 0; }));
    CHECK(bob.outcomes.at(second) == Errc{});
}

TEST_CASE("what a crash left of uploads gives its space back when it is old", "[files]") {
    Limits limits = chaos_limits();
    limits.files_bytes_max = 1000;
    FileScene scene{limits};
    scene.files->files["#one/1/eve/left"] = {.bytes = Buffer(800)};
    scene.files->files["#one/1/eve/empty"] = {};
    FileScene::Sender& ada = scene.add("ada");
    const RequestId early = FileScene::send(ada, 900);
    REQUIRE(scene.run_until([&] { return ada.outcomes.count(early) != 0; }));
    CHECK(ada.outcomes.at(early) == Errc::quota_exceeded);
    scene.run_for(std::chrono::duration_cast<std::chrono::milliseconds>(limits.upload_expiry));
    const RequestId late = FileScene::send(ada, 900);
    REQUIRE(scene.run_until([&] { return ada.outcomes.count(late) != 0; }));
    CHECK(ada.outcomes.at(late) == Errc{});
    CHECK(scene.files->files.size() == 1);
}
