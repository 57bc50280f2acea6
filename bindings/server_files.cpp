#include "server_files.hpp"

#include <utility>

#include "server_question.hpp"

namespace quicchat::python {
namespace {

/// The same, where an error of `ask` is the answer.
template <class Ask>
void post_asking(const RunningServer& server, ProgramTicket ticket, Ask ask) {
    post_question(server, [=, ask = std::move(ask)](ServerDesk& desk) mutable {
        const Errc errc = ask(desk);
        if (errc != Errc{}) desk.answer({ticket, errc});
    });
}

}  // namespace

void program_begin_file(const RunningServer& server, ProgramTicket ticket, std::string author,
                        wire::FileOffer offer) {
    post_asking(server, ticket, [=, offer = std::move(offer)](ServerDesk& desk) mutable {
        return desk.program_files().begin(ticket, author, std::move(offer), desk.now().steady);
    });
}

void program_give_file(const RunningServer& server, ProgramTicket ticket, std::uint64_t transfer,
                       Buffer bytes) {
    post_asking(server, ticket, [=, bytes = std::move(bytes)](ServerDesk& desk) mutable {
        return desk.program_files().give(ticket, transfer, std::move(bytes), desk.now().steady);
    });
}

void program_finish_file(const RunningServer& server, ProgramTicket ticket,
                         std::uint64_t transfer) {
    post_asking(server, ticket,
                [=](ServerDesk& desk) { return desk.program_files().finish(ticket, transfer); });
}

void program_abandon_file(const RunningServer& server, std::uint64_t transfer) {
    post_question(server, [=](ServerDesk& desk) { desk.program_files().abandon(transfer); });
}

void program_find_file(const RunningServer& server, ProgramTicket ticket, std::string room,
                       std::string reader, Offset offset) {
    post_question(server, [=](ServerDesk& desk) {
        auto found = desk.room_admin().file(reader, room, offset);
        if (!found) return desk.answer({ticket, to_errc(found.error())});
        desk.answer({ticket, *std::move(found)});
    });
}

void program_read_file(const RunningServer& server, ProgramTicket ticket, std::string room,
                       std::string reader, Epoch epoch, Offset offset, std::uint64_t from,
                       std::size_t count) {
    post_asking(server, ticket, [=](ServerDesk& desk) {
        return desk.program_files().read(ticket, reader, room, {epoch, offset}, from, count);
    });
}

}  // namespace quicchat::python
