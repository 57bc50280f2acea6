#include <string_view>
#include <utility>

#include "quicchat/base/hex.hpp"
#include "quicchat/base/match.hpp"
#include "server_handle.hpp"

namespace quicchat::python {
namespace {

std::uint64_t number(ConnectionId id) { return static_cast<std::uint64_t>(id); }
std::uint64_t number(HookTicket ticket) { return static_cast<std::uint64_t>(ticket); }
std::uint64_t number(CheckTicket ticket) { return static_cast<std::uint64_t>(ticket); }

std::string_view kind_name(MessageQuestion::Kind kind) {
    switch (kind) {
        case MessageQuestion::Kind::message:
            return "message";
        case MessageQuestion::Kind::edit:
            return "edit";
        case MessageQuestion::Kind::file:
            return "file";
    }
    return "message";
}

py::tuple person_row(const PersonReport& p) {
    return py::make_tuple(to_python(std::string_view{p.user}),
                          to_python(std::string_view{p.display}), p.connections);
}

/// Ticket, kind, and what is of that kind.
py::tuple answer_fields(const ServerAnswer& answer) {
    const auto text = [](const std::string& s) { return to_python(std::string_view{s}); };
    const auto fields = [&](const char* kind, auto&&... rest) -> py::tuple {
        return py::make_tuple(answer.ticket, kind, std::forward<decltype(rest)>(rest)...);
    };
    return match(
        answer.what, [&](Errc errc) { return fields("refused", to_python(errc)); },
        [&](const wire::Ack& m) {
            return fields("stored", to_python(m.epoch), m.offset,
                          to_python(durability_name(m.durability)), to_python(m.time));
        },
        [&](const ServerPage& page) {
            return fields("page", text(page.room), to_python(page.place.epoch), page.place.first,
                          page.place.head, record_list(page.records), page.next);
        },
        [&](const std::pair<std::vector<RoomPerson>, bool>& found) {
            py::list rows;
            for (const RoomPerson& p : found.first) {
                rows.append(py::make_tuple(text(p.user), static_cast<int>(p.role), p.present,
                                           text(p.display)));
            }
            return fields("people", std::move(rows), found.second);
        },
        [&](const std::pair<std::vector<RoomSummary>, bool>& found) {
            py::list rows;
            for (const RoomSummary& r : found.first) {
                rows.append(py::make_tuple(text(r.room), text(r.topic), static_cast<int>(r.access),
                                           static_cast<int>(r.role), r.head, r.marker, r.unread,
                                           r.mentions));
            }
            return fields("rooms", std::move(rows), found.second);
        },
        [&](const std::vector<RoomReport>& reports) {
            py::list rows;
            for (const RoomReport& report : reports) rows.append(report_row(report));
            return fields("reports", std::move(rows));
        },
        [&](const std::pair<std::vector<PersonReport>, bool>& found) {
            py::list rows;
            for (const PersonReport& person : found.first) rows.append(person_row(person));
            return fields("persons", std::move(rows), found.second);
        },
        [&](std::size_t count) { return fields("count", count); },
        [&](const StoredFile& file) {
            return fields("file", to_python(file.epoch), text(file.name), file.size,
                          text(encode_hex(file.digest)));
        },
        [&](const ProgramFileWanted& wanted) { return fields("wanted", wanted.offset); },
        [&](const Bytes& piece) {
            const BytesView view = piece.view();
            return fields("piece",
                          py::bytes{reinterpret_cast<const char*>(view.data()), view.size()});
        });
}

}  // namespace

py::tuple report_row(const RoomReport& r) {
    const auto text = [](const std::string& s) { return to_python(std::string_view{s}); };
    const auto numbers = [](const RoomRetention& kept) {
        return py::make_tuple(kept.records_max, kept.bytes_max, kept.age_max.count());
    };
    return py::make_tuple(text(r.name), text(r.topic), text(r.creator), static_cast<int>(r.access),
                          r.first, r.head, r.accounts, r.members, numbers(r.retention),
                          numbers(r.chosen));
}

py::tuple server_mail_tuple(const ServerMail& mail) {
    const auto text = [](const std::string& s) { return to_python(std::string_view{s}); };
    if (std::holds_alternative<ServerStopped>(mail)) {
        return py::make_tuple("stopped", py::make_tuple());
    }
    const auto tuple = [](const char* kind, py::tuple fields) -> py::tuple {
        return py::make_tuple(kind, std::move(fields));
    };
    if (const auto* news = std::get_if<RoomNews>(&mail)) {
        return tuple("news", py::make_tuple(text(news->room), to_python(news->place.epoch),
                                            news->place.first, news->place.head, news->is_gone));
    }
    if (const auto* told = std::get_if<ToldNews>(&mail)) {
        return tuple("told", py::make_tuple(text(told->room)));
    }
    if (const auto* news = std::get_if<PersonNews>(&mail)) {
        return tuple("person", person_row(news->person));
    }
    if (const auto* answer = std::get_if<ServerAnswer>(&mail)) {
        return tuple("answer", answer_fields(*answer));
    }
    if (const auto* asked = std::get_if<DeferredQuestion>(&mail)) {
        const AccountQuestion& q = asked->question;
        return tuple("question",
                     py::make_tuple(number(asked->ticket), text(q.user), text(q.peer_address),
                                    text(q.mechanism), to_hex(q.device)));
    }
    if (const auto* asked = std::get_if<CheckQuestion>(&mail)) {
        const MessageQuestion& q = asked->question;
        return tuple("check", py::make_tuple(number(asked->ticket), text(q.user), text(q.room),
                                             text(q.text), text(q.attributes),
                                             to_python(kind_name(q.kind)), text(q.recipient)));
    }
    return match(
        std::get<ServerEvent>(mail),
        [&](const PeerConnected& e) {
            return tuple("connected", py::make_tuple(number(e.connection), text(e.peer_address)));
        },
        [&](const PeerLoggedIn& e) {
            return tuple("logged_in", py::make_tuple(number(e.connection), text(e.user)));
        },
        [&](const PeerRefused& e) {
            return tuple("refused", py::make_tuple(number(e.connection), text(e.user),
                                                   text(e.peer_address), to_python(e.errc)));
        },
        [&](const LoginsLocked& e) {
            return tuple("locked", py::make_tuple(text(e.user), text(e.peer_address)));
        },
        [&](const PeerDisconnected& e) {
            return tuple("disconnected", py::make_tuple(number(e.connection), text(e.user),
                                                        to_python(e.reason.errc), e.reason.by_peer,
                                                        text(e.reason.text)));
        },
        [&](const CheckFailed& e) {
            return tuple("check_failed", py::make_tuple(text(e.user), text(e.room), text(e.text)));
        },
        [&](const StorageTrouble& e) {
            const std::string_view error = e.errc == Errc{} ? "" : error_name(e.errc);
            return tuple("storage_trouble", py::make_tuple(to_python(error), text(e.text)));
        },
        [&](const ServerFailed& e) {
            return tuple("failed", py::make_tuple(to_python(e.errc), text(e.text)));
        });
}

}  // namespace quicchat::python
