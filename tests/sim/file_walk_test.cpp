#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/courier.hpp"
#include "support/seed.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// People who send, fetch and delete files at random, connections that break, a server that stops
/// and crashes. What was acknowledged is remembered here, and compared with what is there.
class FileWalk {
public:
    explicit FileWalk(std::uint64_t seed)
        : random_(Entropy::seeded(seed)),
          town_({.seed = seed,
                 .server = {.limits = {.room_log_records_max = 12,
                                       .room_age_min = {},
                                       .transfers_per_connection_max = 2}}}) {
        for (const char* user : {"ada", "bob", "carl"}) {
            couriers_.push_back(
                std::make_unique<Courier>(Courier{town_, town_.add_in(user, "#lobby")}));
        }
    }

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            act();
            if (one_in(3)) town_.run_for(std::chrono::milliseconds{draw(0, 300)});
            look();
        }
        settle();
        check();
    }

private:
    struct Sent {
        std::size_t by;
        MessageId id;
        Buffer content;
    };

    void act() {
        const std::size_t index = draw(0, couriers_.size() - 1);
        Courier& courier = *couriers_[index];
        switch (draw(0, 11)) {
            case 0:
                return town_.cut();
            case 1:
                return one_in(2) ? town_.crash() : town_.restart();
            case 2:
                courier.wanted_max = one_in(2) ? SIZE_MAX : draw(1, 9000);
                return;
            case 3:
                return delete_one(courier);
            case 4:
                if (!asked_.empty() && one_in(3)) {
                    const auto& [place, sent] = *asked_.begin();
                    couriers_[place.first]->person.client.cancel_file(place.second);
                    asked_.erase(asked_.begin());
                }
                return;
            case 5:
            case 6:
                return fetch(index);
            case 7:
                return send_again(index);
            default:
                return send(index, make_content(draw(0, 40'000), draw(0, 1000)), new_id());
        }
    }

    void send(std::size_t index, Buffer content, MessageId id) {
        const auto request = couriers_[index]->send("#lobby", content, "f", id);
        if (request) asked_[{index, *request}] = {index, id, std::move(content)};
    }

    void send_again(std::size_t index) {
        for (const auto& [offset, sent] : stored_) {
            if (sent.by == index) return send(index, sent.content, sent.id);
        }
    }

    void fetch(std::size_t index) {
        if (stored_.empty()) return;
        auto chosen = stored_.begin();
        std::advance(chosen, draw(0, stored_.size() - 1));
        const auto request = couriers_[index]->fetch("#lobby", chosen->first);
        if (request) fetching_[{index, *request}] = chosen->second.content;
    }

    void delete_one(Courier& courier) {
        if (stored_.empty() || !courier.person.online()) return;
        const auto& [offset, sent] = *stored_.begin();
        if (couriers_[sent.by].get() != &courier) return;
        const auto request =
            courier.person.client.act("#lobby", {.kind = Act::Kind::deletion, .target = offset});
        if (request) deleting_.insert(offset);
    }

    /// Takes in what everybody was told.
    void look() {
        for (std::size_t i = 0; i < couriers_.size(); ++i) {
            Courier& courier = *couriers_[i];
            courier.look();
            for (const auto& [request, acked] : courier.acked) {
                const auto asked = asked_.extract({i, request});
                if (asked.empty()) continue;
                const auto [place, added] = stored_.emplace(acked.offset, asked.mapped());
                // The same file again has its first place.
                CHECK((added || place->second.id == asked.mapped().id));
            }
            for (const auto& [request, errc] : courier.refused) {
                const auto asked = asked_.extract({i, request});
                if (!asked.empty() && errc == Errc::no_such_file) {
                    CHECK_FALSE(is_there(asked.mapped().id));  // it went with its record
                } else {
                    CHECK((asked.empty() || errc == Errc::queue_full));
                }
                if (fetching_.erase({i, request}) == 0) continue;
                CHECK(errc == Errc::no_such_file);
            }
            for (auto& [request, file] : courier.fetched) {
                if (!file.complete) continue;
                const auto asked = fetching_.extract({i, request});
                if (asked.empty()) continue;
                CHECK(file.bytes == asked.mapped());
                file.bytes.clear();
            }
        }
    }

    bool is_there(const MessageId& id) {
        const auto log = town_.server->log().files("#lobby");
        REQUIRE(log);
        return std::ranges::any_of(*log, [&](const LoggedRecord& r) { return r.record.id == id; });
    }

    void settle() {
        for (const auto& courier : couriers_) courier->wanted_max = SIZE_MAX;
        for (int i = 0; i < 200; ++i) {
            town_.run_for(std::chrono::milliseconds{500});
            look();
        }
        CHECK(asked_.empty());
        CHECK(fetching_.empty());
    }

    /// Every file that was acknowledged is there as long as its record, and no other file.
    void check() {
        town_.restart();
        look();
        Courier& ada = *couriers_.front();
        std::size_t there = 0;
        const auto log = town_.server->log().files("#lobby");
        REQUIRE(log);
        std::set<Offset> offsets;
        for (const LoggedRecord& record : *log) offsets.insert(record.offset);
        for (const auto& [offset, sent] : stored_) {
            const bool kept = offsets.count(offset) != 0;
            if (!kept) {
                const LogHead head = town_.server->log().head("#lobby");
                CHECK((offset < head.first || deleting_.count(offset) != 0));
            }
            const auto request = ada.fetch("#lobby", offset);
            const Errc errc = ada.outcome(request);
            CHECK(errc == (kept ? Errc{} : Errc::no_such_file));
            if (kept) CHECK(ada.fetched[*request].bytes == sent.content);
            there += kept ? 1 : 0;
        }
        // A transfer that was cancelled may have been stored all the same.
        CHECK(offsets.size() >= there);
        for (const Offset offset : offsets) {
            CHECK(ada.outcome(ada.fetch("#lobby", offset)) == Errc{});
        }
        CHECK(town_.server->transfers() == 0);
    }

    MessageId new_id() { return {random_.draw<16>()}; }
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }
    bool one_in(std::uint64_t n) { return draw(1, n) == 1; }

    using Place = std::pair<std::size_t, RequestId>;

    Entropy random_;
    Town town_;
    std::vector<std::unique_ptr<Courier>> couriers_;
    std::map<Place, Sent> asked_;
    std::map<Place, Buffer> fetching_;
    std::map<Offset, Sent> stored_;  ///< What was acknowledged.
    std::set<Offset> deleting_;
};

}  // namespace

TEST_CASE("whatever breaks, a file that was acknowledged is there, and is the one", "[files]") {
    const std::uint64_t first = seed();
    const std::uint64_t count = seed_is_given() ? 1 : 60;
    for (std::uint64_t i = 0; i < count; ++i) {
        INFO("seed=" << first + i);
        FileWalk walk{first + i};
        walk.run(60);
    }
}
