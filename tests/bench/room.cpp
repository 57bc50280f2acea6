// What people cost a room, without a network: its memory, and the question whether somebody may
// write. `room --help` says how to use it.

#include <malloc.h>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "process_figures.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/rooms/authorizer.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

/// Everybody has an account.
class Everybody : public AccountFinder {
public:
    std::optional<std::string> find_account(const std::string& name) const override { return name; }
};

std::size_t allocated() { return mallinfo2().uordblks; }

constexpr std::string_view help =
    "Measures what people cost a room, without a network.\n"
    "\n"
    "  room [--people N] [--checks N]\n"
    "\n"
    "  --people N  people in the room (10000)\n"
    "  --checks N  questions whether somebody may write (1000000)\n";

}  // namespace

int main(int argc, char** argv) {
    std::size_t people = 10'000;
    std::size_t checks = 1'000'000;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const char* value = i + 1 < argc ? argv[++i] : nullptr;
        if (option == "--people" && value) {
            people = std::stoul(value);
        } else if (option == "--checks" && value) {
            checks = std::stoul(value);
        } else {
            std::fputs(help.data(), option == "--help" ? stdout : stderr);
            return option == "--help" ? 0 : 64;
        }
    }
    const ServerConfig config{.limits = {.members_max = people}};
    const Everybody accounts;
    Hub hub{MemoryLog{Entropy::seeded(1)}, config, accounts};
    (void)hub.add_room("#lobby");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < people; ++i) names.push_back("somebody" + std::to_string(i));

    const std::size_t empty = allocated();
    std::vector<Member*> members;
    members.reserve(people);
    for (std::size_t i = 0; i < people; ++i) {
        const ConnectionId id{i + 1};
        hub.handle_login(id, names[i]);
        const auto member = hub.join({id, names[i], {}}, StreamId{4}, {1, "#lobby", {}});
        if (!member) return std::fprintf(stderr, "cannot join\n"), 1;
        members.push_back(*member);
        while (hub.next_frame(**member)) {
        }
    }
    (void)hub.settle();
    while (hub.fan_out().poll_waiting() != nullptr) {
    }
    const std::size_t present = allocated();
    for (std::size_t i = 0; i < people; ++i) {
        hub.leave(*members[i]);
        hub.handle_disconnected(ConnectionId{i + 1}, names[i]);
    }
    const std::size_t away = allocated();
    const auto per_person = [&](std::size_t bytes) {
        return static_cast<double>(bytes - empty) / static_cast<double>(people);
    };
    std::printf("%zu people in a room: %.1f MiB, %.0f bytes each (their connections not counted)\n",
                people, static_cast<double>(present - empty) / (1 << 20), per_person(present));
    std::printf("all of them away:     %.1f MiB, %.0f bytes each (also in the log's state)\n",
                static_cast<double>(away - empty) / (1 << 20), per_person(away));

    Directory directory{{"root"}};
    Room& room = directory.add(Room{"#lobby", {}, 256});
    for (const std::string& name : names) room.people().make_member(room.people().at(name));
    const MemoryLog log{Entropy::seeded(2)};
    const Limits limits;
    const Authorizer judge{directory, log, limits, {}};
    std::size_t allowed = 0;
    const std::uint64_t begin = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (std::size_t i = 0; i < checks; ++i) {
        allowed += judge.judge(room, names[i * 7919 % people], {}) == Errc{} ? 1 : 0;
    }
    const std::uint64_t end = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (allowed != checks) return std::fprintf(stderr, "not all were allowed\n"), 1;
    std::printf("may somebody write:   %.0f ns of CPU for each message\n",
                static_cast<double>(end - begin) / static_cast<double>(checks));
    return 0;
}
