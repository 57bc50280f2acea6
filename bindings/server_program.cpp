#include "server_program.hpp"

#include <utility>

#include "quicchat/session/client_pages.hpp"
#include "server_question.hpp"

namespace quicchat::python {
namespace {

/// Answers by what `ask` gives for a reader who may see the room, or by why not.
template <class Ask>
void post_for_reader(const RunningServer& server, ProgramTicket ticket, std::string room,
                     std::string reader, Ask ask) {
    post_question(server, [=, ask = std::move(ask)](ServerDesk& desk) {
        const RoomAdmin& admin = desk.room_admin();
        const Errc errc = reader.empty() ? Errc{} : admin.may_read(reader, room);
        if (errc != Errc{}) return desk.answer({ticket, errc});
        auto found = ask(admin, room);
        if (!found) return desk.answer({ticket, to_errc(found.error())});
        desk.answer({ticket, *std::move(found)});
    });
}

Result<ServerPage> make_page(const RoomAdmin& admin, const std::string& room,
                             std::vector<LoggedRecord> logged, Offset next) {
    auto place = admin.place(room);
    if (!place) return place.error();
    ServerPage page{.room = std::move(place->first), .place = place->second, .next = next};
    for (auto& [offset, r] : logged) {
        page.records.push_back(
            to_record(page.room, page.place.epoch,
                      {offset, r.time, r.id, r.author, r.text, r.attributes, r.act, r.changed_by}));
    }
    return page;
}

}  // namespace

void program_say(const RunningServer& server, ProgramTicket ticket, std::string room,
                 Record record) {
    post_question(server, [=, record = std::move(record)](ServerDesk& desk) mutable {
        const Errc errc = desk.say(ticket, room, std::move(record));
        if (errc != Errc{}) desk.answer({ticket, errc});
    });
}

void program_create(const RunningServer& server, ProgramTicket ticket, wire::CreateRoom m,
                    std::string owner) {
    post_question(server, [=, m = std::move(m)](ServerDesk& desk) {
        const Errc errc = desk.create_room(ticket, m, owner);
        if (errc != Errc{}) desk.answer({ticket, errc});
    });
}

void program_page(const RunningServer& server, ProgramTicket ticket, std::string room,
                  std::string reader, std::optional<Offset> after, std::size_t count) {
    post_for_reader(server, ticket, std::move(room), reader,
                    [=](const RoomAdmin& admin, const std::string& name) -> Result<ServerPage> {
                        const Offset from = after ? *after : admin.marker(reader, name);
                        auto logged = admin.read(name, from, count);
                        if (!logged) return logged.error();
                        return make_page(admin, name, *std::move(logged), from);
                    });
}

void program_search(const RunningServer& server, ProgramTicket ticket, std::string room,
                    std::string reader, std::string words, Offset before, std::size_t count) {
    post_for_reader(server, ticket, std::move(room), std::move(reader),
                    [=, words = std::move(words)](const RoomAdmin& admin,
                                                  const std::string& name) -> Result<ServerPage> {
                        auto found = admin.search(name, words, before, count);
                        if (!found) return found.error();
                        return make_page(admin, name, std::move(found->records), found->next);
                    });
}

void program_people(const RunningServer& server, ProgramTicket ticket, std::string room,
                    std::string reader, std::string after) {
    post_for_reader(server, ticket, std::move(room), std::move(reader),
                    [after = std::move(after)](const RoomAdmin& admin, const std::string& name) {
                        return admin.people(name, after);
                    });
}

void program_reports(const RunningServer& server, ProgramTicket ticket) {
    post_question(server, [=](ServerDesk& desk) { desk.answer({ticket, desk.rooms()}); });
}

void program_rooms_of(const RunningServer& server, ProgramTicket ticket, std::string user,
                      std::string after) {
    post_question(server, [=, user = std::move(user), after = std::move(after)](ServerDesk& desk) {
        auto found = desk.room_admin().list_for(user, after);
        if (!found) return desk.answer({ticket, to_errc(found.error())});
        desk.answer({ticket, *std::move(found)});
    });
}

void program_name(const RunningServer& server, ProgramTicket ticket, std::string user,
                  std::string display) {
    post_question(server,
                  [=, user = std::move(user), display = std::move(display)](ServerDesk& desk) {
                      const Errc errc = desk.set_profile(ticket, user, display);
                      if (errc != Errc{}) desk.answer({ticket, errc});
                  });
}

void program_mark_read(const RunningServer& server, ProgramTicket ticket, std::string room,
                       std::string user, std::optional<Epoch> epoch, Offset offset, bool shared) {
    post_question(server, [=, room = std::move(room), user = std::move(user)](ServerDesk& desk) {
        const Errc errc = desk.mark_read(room, user, epoch, offset, shared);
        if (errc != Errc{}) return desk.answer({ticket, errc});
        desk.answer({ticket, std::size_t{1}});
    });
}

void program_person(const RunningServer& server, ProgramTicket ticket, std::string user) {
    post_question(server, [=, user = std::move(user)](ServerDesk& desk) {
        desk.answer({ticket, std::pair{std::vector{desk.people_admin().find(user)}, true}});
    });
}

void program_online(const RunningServer& server, ProgramTicket ticket, std::string after) {
    post_question(server, [=, after = std::move(after)](ServerDesk& desk) {
        desk.answer({ticket, desk.people_admin().online(after)});
    });
}

void program_disconnect(const RunningServer& server, ProgramTicket ticket, std::string user) {
    post_question(server, [=, user = std::move(user)](ServerDesk& desk) {
        desk.answer({ticket, desk.disconnect(user)});
    });
}

void program_listen(const RunningServer& server, bool on) {
    post_question(server, [=](ServerDesk& desk) { desk.listen(on); });
}

void program_watch_people(const RunningServer& server, bool on) {
    post_question(server, [=](ServerDesk& desk) { desk.watch_people(on); });
}

void program_watch(const RunningServer& server, std::string room, bool on) {
    post_question(server, [=, room = std::move(room)](ServerDesk& desk) {
        on ? desk.watch(room) : desk.unwatch(room);
    });
}

}  // namespace quicchat::python
