#include "quicchat/server/io/request_cost.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;
using std::chrono::seconds;

namespace {

constexpr TimePoint start{seconds{1000}};

struct Spent {
    const char* name;
    Rate Limits::*rate;
    std::uint64_t cost;
};

struct Case {
    const char* name;
    ServerRequest request;
    std::vector<Spent> spent;  ///< Of all other budgets nothing.
};

const std::vector<std::pair<const char*, Rate Limits::*>> budgets = {
    {"messages_per_account", &Limits::messages_per_account},
    {"messages_per_room", &Limits::messages_per_room},
    {"messages_per_prefix", &Limits::messages_per_prefix},
    {"stored_bytes_per_account", &Limits::stored_bytes_per_account},
    {"output_bytes_per_account", &Limits::output_bytes_per_account},
    {"file_bytes_per_account", &Limits::file_bytes_per_account},
    {"upload_bytes_per_account", &Limits::upload_bytes_per_account},
    {"requests_per_connection", &Limits::requests_per_connection},
    {"requests_per_account", &Limits::requests_per_account},
    {"markers_per_account", &Limits::markers_per_account},
    {"failed_logins_per_account", &Limits::failed_logins_per_account},
    {"failed_logins_per_prefix", &Limits::failed_logins_per_prefix},
};

/// A message of so many bytes, which so many get.
std::vector<Spent> message(std::uint64_t bytes, std::uint64_t readers) {
    return {{"messages_per_account", &Limits::messages_per_account, 1},
            {"messages_per_room", &Limits::messages_per_room, 1},
            {"messages_per_prefix", &Limits::messages_per_prefix, 1},
            {"stored_bytes_per_account", &Limits::stored_bytes_per_account, bytes},
            {"output_bytes_per_account", &Limits::output_bytes_per_account, bytes * readers}};
}

std::vector<Spent> requests(std::uint64_t count) {
    return {{"requests_per_connection", &Limits::requests_per_connection, count},
            {"requests_per_account", &Limits::requests_per_account, count}};
}

}  // namespace

TEST_CASE("what each request costs") {
    Directory rooms{std::vector<std::string>{}};
    Room& lobby = rooms.add(Room{"#lobby", LogHead{}, 10});
    std::vector<Member> members(3);
    for (std::size_t i = 0; i < members.size(); ++i) {
        members[i].user = "user" + std::to_string(i);
        lobby.add(members[i]);
    }
    const std::string text(100, 'x');
    const std::string json(20, ' ');
    const std::vector<Case> cases = {
        {"Publish", wire::Publish{.request = 1, .text = text, .attributes = json},
         message(64 + 100 + 20, 3)},
        {"Tell", wire::Tell{.request = 1, .to = "bob", .text = text, .attributes = json},
         message(64 + 100 + 20, 2)},
        {"FileOffer to a room",
         wire::FileOffer{
             .request = 1, .room = "#lobby", .name = "plan.pdf", .digest = {}, .attributes = json},
         message(64 + 8 + 20, 3)},
        {"FileOffer to nobody's room",
         wire::FileOffer{
             .request = 1, .room = "#none", .name = "plan.pdf", .digest = {}, .attributes = json},
         message(64 + 8 + 20, 1)},
        {"Join", wire::Join{}, requests(1)},
        {"MembersRequest", wire::MembersRequest{}, requests(1)},
        {"HistoryRequest", wire::HistoryRequest{}, requests(1)},
        {"FileRequest", wire::FileRequest{}, requests(1)},
        {"SetProfile", wire::SetProfile{}, requests(1)},
        {"RoomsRequest", wire::RoomsRequest{}, requests(1)},
        {"CreateRoom", wire::CreateRoom{}, requests(1)},
        {"SearchRequest", wire::SearchRequest{}, requests(10)},
        {"MarkRead", wire::MarkRead{}, {{"markers_per_account", &Limits::markers_per_account, 1}}},
        {"FileData", wire::FileData{Buffer(1000)}, {}},  // counted when they are taken in
        {"LoginBegin", wire::LoginBegin{}, {}},
        {"LoginResponse", wire::LoginResponse{}, {}},
        {"nothing", std::monostate{}, {}},
    };
    // Each alternative of a request has a row.
    std::vector<bool> seen(std::variant_size_v<ServerRequest>);
    for (const Case& c : cases) seen[c.request.index()] = true;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        CAPTURE(i);
        CHECK(seen[i]);
    }
    for (const Case& c : cases) {
        for (const auto& [name, budget] : budgets) {
            CAPTURE(c.name, name);
            std::uint64_t cost = 0;
            for (const Spent& spent : c.spent) cost = spent.rate == budget ? spent.cost : cost;
            // This budget is empty after what the request should cost, and the others are large:
            // the second time it waits for as long as that takes, or not at all.
            Limits limits;
            for (const auto& [other, rate] : budgets) limits.*rate = {1'000'000, 1'000'000};
            limits.*budget = {.burst = cost == 0 ? 1 : cost, .per_second = 1};
            RateLimits rates{limits};
            ServerConnection caller{ServerSession{limits, ""}, "192.0.2.1:1"};
            (void)caller.session.login_accepted("ada", {});
            CHECK(charge(rates, caller, &members[0], rooms, c.request, start) == Duration{});
            CHECK(charge(rates, caller, &members[0], rooms, c.request, start) ==
                  seconds{static_cast<Duration::rep>(cost)});
            CHECK(charge(rates, caller, &members[0], rooms, c.request,
                         start + seconds{static_cast<Duration::rep>(cost)}) == Duration{});
        }
    }
}
