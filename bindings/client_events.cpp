#include "client_events.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "convert.hpp"
#include "python_records.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/base/match.hpp"

namespace quicchat::python {
namespace {

py::tuple offline_tuple(const CloseReason& r) {
    return py::make_tuple(to_python(r.errc), r.by_peer, to_python(r.text), r.transport_code,
                          r.datagrams_received, to_python(r.peer_key));
}

std::string_view kind_name(RequestKind kind) {
    switch (kind) {
        case RequestKind::join:
            return "join";
        case RequestKind::rejoin:
            return "rejoin";
        case RequestKind::message:
            return "message";
        case RequestKind::creation:
            return "creation";
        case RequestKind::members:
            return "members";
        case RequestKind::rooms:
            return "rooms";
        case RequestKind::history:
            return "history";
        case RequestKind::search:
            return "search";
        case RequestKind::profile:
            return "profile";
        case RequestKind::file_sent:
            return "file_sent";
        case RequestKind::file_fetched:
            return "file_fetched";
    }
    return "message";
}

std::string_view cause_name(RoomGap::Cause cause) {
    switch (cause) {
        case RoomGap::Cause::retention:
            return "retention";
        case RoomGap::Cause::new_epoch:
            return "new_epoch";
        case RoomGap::Cause::rolled_back:
            return "rolled_back";
    }
    return "retention";
}

std::uint64_t number(Epoch epoch) { return static_cast<std::uint64_t>(epoch); }
int number(Role role) { return static_cast<int>(role); }
int number(RoomAccess access) { return static_cast<int>(access); }

py::str text(const std::string& s) { return to_python(std::string_view{s}); }

/// The kind of an event, and its fields.
using Pair = std::pair<const char*, py::tuple>;

/// What all records of a room have first.
template <class R>
py::tuple head_tuple(const R& r) {
    return py::make_tuple(text(r.room), number(r.epoch), r.offset, to_python(r.time),
                          to_python(r.id), text(r.from));
}

/// Size and digest, or None.
py::object file_tuple(const std::optional<FileInfo>& file) {
    if (!file) return py::none();
    return py::make_tuple(file->size, text(file->digest));
}

Pair record_pair(const RoomMessage& e) {
    const bool edited = e.changed_by != 0 && !e.deleted;
    const py::tuple more = py::make_tuple(text(e.text), text(e.attributes), e.reply_to, edited,
                                          e.deleted, file_tuple(e.file));
    return {"message", py::tuple(head_tuple(e) + more)};
}

Pair record_pair(const RoomAct& e) {
    const Act& act = e.act;
    const auto pair = [&](const char* kind, auto... fields) {
        return Pair{kind, py::tuple(head_tuple(e) + py::make_tuple(fields...))};
    };
    switch (act.kind) {
        case Act::Kind::edit:
            return pair("edited", act.target, text(e.text), text(e.attributes), e.changed_by != 0);
        case Act::Kind::deletion:
            return pair("deleted", act.target, text(e.text));
        case Act::Kind::reaction:
        case Act::Kind::unreaction:
            return pair("reaction", act.target, text(e.text), act.kind == Act::Kind::unreaction);
        case Act::Kind::topic:
            return pair("topic", text(e.text));
        case Act::Kind::role:
            if (act.value > static_cast<std::uint64_t>(Role::owner)) break;
            return pair("role", text(act.subject), act.value, to_python(act.until), text(e.text));
        case Act::Kind::access:
            if (act.value > static_cast<std::uint64_t>(RoomAccess::archived)) break;
            return pair("access", act.value);
        case Act::Kind::creation:
            if (act.value > static_cast<std::uint64_t>(RoomAccess::archived)) break;
            return pair("created", text(act.subject), act.value, text(e.text));
        case Act::Kind::message:
        case Act::Kind::tombstone:
        case Act::Kind::file:
            break;  // these are RoomMessage
    }
    // A kind or a value that only a later version knows. It has its place all the same.
    return {"unknown", head_tuple(e)};
}

}  // namespace

std::string_view durability_name(Durability durability) {
    switch (durability) {
        case Durability::memory:
            return "memory";
        case Durability::process:
            return "process";
        case Durability::fsync:
            return "fsync";
    }
    return "memory";
}

py::list record_list(const std::vector<RoomRecord>& records) {
    py::list list;
    for (const RoomRecord& record : records) {
        list.append(std::visit([](const auto& r) { return record_pair(r); }, record));
    }
    return list;
}

namespace {

Pair event_pair(const ClientEvent& event) {
    return match(
        event,
        [](const Online& e) {
            return Pair{"online", py::make_tuple(text(e.user), e.limits.message_bytes_max,
                                                 e.limits.attributes_bytes_max, e.limits.rooms_max,
                                                 text(e.peer_address), to_python(e.server_key))};
        },
        [](const Reconnecting& e) {
            const py::tuple more = py::make_tuple(to_python(e.delay), e.attempt);
            return Pair{"reconnecting", py::tuple(offline_tuple(e.reason) + more)};
        },
        [](const Offline& e) {
            return Pair{"offline", offline_tuple(e.reason)};
        },
        [](const GoingAway& e) {
            return Pair{"going_away",
                        py::make_tuple(to_python(e.errc), to_python(e.grace), text(e.text))};
        },
        [](const RoomJoined& e) {
            return Pair{"joined",
                        py::make_tuple(text(e.room), number(e.epoch), e.head, e.next, e.recovered,
                                       number(e.role), number(e.access), e.marker, text(e.topic))};
        },
        [](const RoomLeft& e) {
            return Pair{"left", py::make_tuple(text(e.room), to_python(e.errc), text(e.text))};
        },
        [](const RoomMessage& e) { return record_pair(e); },  // `mail_object` knows better
        [](const RoomAct& e) { return record_pair(e); },
        [](const PrivateMessage& e) {
            return Pair{"private",
                        py::make_tuple(number(e.epoch), e.offset, to_python(e.time),
                                       to_python(e.id), text(e.from), text(e.to), text(e.text),
                                       text(e.attributes), e.reply_to, file_tuple(e.file))};
        },
        [](const Acked& e) {
            return Pair{"acked", py::make_tuple(to_receipt(e))};  // the same
        },
        [](const Refused& e) {
            return Pair{"refused", py::make_tuple(text(e.room), to_python(e.errc),
                                                  to_python(e.retry_after), text(e.text))};
        },
        [](const NoAnswerYet& e) {
            return Pair{"late", py::make_tuple(to_python(kind_name(e.kind)), text(e.room),
                                               to_python(e.waited))};
        },
        [](const RoomGap& e) {
            return Pair{"gap", py::make_tuple(text(e.room), number(e.epoch), e.first, e.last,
                                              std::string{cause_name(e.cause)})};
        },
        [](const HistoryPage& e) {
            return Pair{"history",
                        py::make_tuple(text(e.room), number(e.epoch), record_list(e.records),
                                       e.reaches_start, e.reaches_head)};
        },
        [](const SearchPage& e) {
            return Pair{"search", py::make_tuple(text(e.room), number(e.epoch),
                                                 record_list(e.records), e.next)};
        },
        [](const MemberList& e) {
            py::list people;
            for (const RoomPerson& p : e.people) {
                people.append(
                    py::make_tuple(text(p.user), number(p.role), p.present, text(p.display)));
            }
            return Pair{"members", py::make_tuple(text(e.room), people, e.complete)};
        },
        [](const RoomList& e) {
            py::list rooms;
            for (const RoomSummary& r : e.rooms) {
                rooms.append(py::make_tuple(text(r.room), text(r.topic), number(r.access),
                                            number(r.role), r.head, r.marker, r.unread,
                                            r.mentions));
            }
            return Pair{"rooms", py::make_tuple(rooms, e.complete)};
        },
        [](const MarkerMoved& e) {
            return Pair{"marker", py::make_tuple(text(e.room), text(e.user), e.offset)};
        },
        [](const TypingChanged& e) {
            return Pair{"typing", py::make_tuple(text(e.room), text(e.user), e.typing)};
        },
        [](const PresenceChanged& e) {
            return Pair{"presence",
                        py::make_tuple(text(e.room), text(e.user), e.present, text(e.display))};
        },
        [](const ProfileChanged& e) {
            return Pair{"profile", py::make_tuple(text(e.user), text(e.display))};
        },
        [](const FileWanted& e) {
            return Pair{"file_wanted", py::make_tuple(e.offset, e.bytes_max)};
        },
        [](const FileBegun& e) {
            return Pair{"file_begun",
                        py::make_tuple(text(e.name), e.size, text(encode_hex(e.digest)))};
        },
        [](const FileChunk& e) {
            return Pair{"file_chunk",
                        py::make_tuple(e.offset, py::bytes{std::string{as_text(e.bytes.view())}})};
        },
        [](const FileFetched&) {
            return Pair{"file_fetched", py::tuple{}};
        },
        [](const TokenRenewed&) {  // the runner keeps it
            return Pair{"nothing", py::tuple{}};
        });
}

py::tuple mail_tuple(const ClientMail& mail) {
    if (const Errc* errc = std::get_if<Errc>(&mail.what)) {
        return py::make_tuple("refused", mail.ticket,
                              py::make_tuple("", to_python(*errc), 0.0, ""));
    }
    if (const auto* trouble = std::get_if<StorageTrouble>(&mail.what)) {
        const std::string_view error = trouble->errc == Errc{} ? "" : error_name(trouble->errc);
        return py::make_tuple("trouble", mail.ticket,
                              py::make_tuple(to_python(error), text(trouble->text)));
    }
    auto [kind, fields] = event_pair(std::get<ClientEvent>(mail.what));
    return py::make_tuple(kind, mail.ticket, std::move(fields));
}

}  // namespace

py::object mail_object(const ClientMail& mail) {
    if (const auto* const event = std::get_if<ClientEvent>(&mail.what)) {
        // As nearly all are.
        if (const auto* message = std::get_if<RoomMessage>(event)) return to_message(*message);
        if (const auto* acked = std::get_if<Acked>(event)) {
            return py::make_tuple(mail.ticket, to_receipt(*acked));
        }
    }
    return mail_tuple(mail);
}

}  // namespace quicchat::python
