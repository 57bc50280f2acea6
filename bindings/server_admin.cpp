#include "server_admin.hpp"

#include <future>
#include <memory>
#include <string_view>

#include "failure.hpp"
#include "quicchat/session/client_pages.hpp"
#include "server_desk.hpp"
#include "stats.hpp"

namespace quicchat::python {
namespace {

/// What an action gives on the engine thread.
template <class Action>
auto ask(const RunningServer& server, Action action) {
    using Answer = decltype(action(std::declval<ServerDesk&>()));
    auto answer = std::make_shared<std::promise<Answer>>();
    std::future<Answer> future = answer->get_future();
    // The errand alone has the promise, which is broken if the errand is never run.
    server.port.post(ServerErrand{[answer = std::move(answer), action = std::move(action)](
                                      ServerDesk& desk) { answer->set_value(action(desk)); }});
    server.host.wake(server.id);
    return wait_for(std::move(future));
}

void need(Errc errc) {
    if (errc != Errc{}) throw CoreFailure{errc};
}

}  // namespace

std::vector<RoomReport> list_rooms(const RunningServer& server) {
    return ask(server, [](const ServerDesk& s) { return s.rooms(); });
}

std::pair<Epoch, std::vector<RoomRecord>> read_room(const RunningServer& server,
                                                    const std::string& room, Offset after,
                                                    std::size_t count_max) {
    using Records = std::vector<LoggedRecord>;
    const auto [report, logged] = ask(server, [=](const ServerDesk& s) {
        RoomReport found;
        for (RoomReport& each : s.rooms()) {
            if (is_same_name(each.name, room)) found = std::move(each);
        }
        return std::pair<RoomReport, Result<Records>>{found, s.read_room(room, after, count_max)};
    });
    std::vector<RoomRecord> records;
    for (const auto& [offset, r] : value_or_throw(logged)) {
        records.push_back(
            to_record(report.name, report.epoch,
                      {offset, r.time, r.id, r.author, r.text, r.attributes, r.act, r.changed_by}));
    }
    return {report.epoch, std::move(records)};
}

void remove_room(const RunningServer& server, const std::string& room) {
    need(ask(server, [=](ServerDesk& s) { return s.remove_room(room); }));
}

void act_in_room(const RunningServer& server, const std::string& room, const Record& record) {
    need(ask(server, [=](ServerDesk& s) { return s.act_in_room(room, record); }));
}

void keep(const RunningServer& server, const std::string& room, const RetentionChange& change) {
    need(ask(server, [=](ServerDesk& s) { return s.keep(room, change); }));
}

}  // namespace quicchat::python
