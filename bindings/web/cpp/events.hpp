#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/hex.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/session/outbox.hpp"

// A client's events as JSON: the fields of session/event.hpp under JavaScript's names. Epochs are
// texts, since they use all of 64 bits. So are attributes: what is in them, a peer chose.

namespace quicchat::web {

/// Writes one JSON object (RFC 8259).
class JsonObject {
public:
    JsonObject() = default;
    explicit JsonObject(std::string_view type) { text("type", type); }

    JsonObject& text(std::string_view key, std::string_view value) {
        return raw(key, quoted(value));
    }
    JsonObject& number(std::string_view key, std::uint64_t value) {
        return raw(key, std::to_string(value));
    }
    JsonObject& flag(std::string_view key, bool value) {
        return raw(key, value ? "true" : "false");
    }
    JsonObject& raw(std::string_view key, std::string_view json) {
        if (text_.size() > 1) text_ += ',';
        text_ += quoted(key);
        text_ += ':';
        text_ += json;
        return *this;
    }
    std::string str() const { return text_ + '}'; }

private:
    static std::string quoted(std::string_view text) {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string out = "\"";
        for (const char c : text) {
            const auto code = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                out += '\\';
                out += c;
            } else if (code < 0x20) {
                out += "\\u00";
                out += digits[code >> 4];
                out += digits[code & 15];
            } else {
                out += c;
            }
        }
        return out + '"';
    }

    std::string text_ = "{";
};

template <class T, class F>
std::string json_list(const std::vector<T>& items, F to_text) {
    std::string out = "[";
    for (const T& item : items) {
        if (out.size() > 1) out += ',';
        out += to_text(item);
    }
    return out + "]";
}

inline std::string_view kind_name(RequestKind kind) {
    constexpr std::string_view names[] = {"join",    "rejoin",    "message",     "creation",
                                          "members", "rooms",     "history",     "search",
                                          "profile", "file_sent", "file_fetched"};
    return names[static_cast<std::size_t>(kind)];
}

inline std::string_view cause_name(RoomGap::Cause cause) {
    constexpr std::string_view names[] = {"retention", "new_epoch", "rolled_back"};
    return names[static_cast<std::size_t>(cause)];
}

inline std::string_view durability_name(Durability durability) {
    constexpr std::string_view names[] = {"memory", "process", "fsync"};
    const auto i = static_cast<std::size_t>(durability);
    return i < std::size(names) ? names[i] : names[0];
}

inline std::string epoch_text(Epoch epoch) {
    return std::to_string(static_cast<std::uint64_t>(epoch));
}

inline std::uint64_t milliseconds(WallTime time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// Its name, its number, and what the peer said of it; or what there is to say of it anyway.
inline JsonObject& add_error(JsonObject& json, Errc errc, std::string_view said) {
    const ErrorInfo* info = find_error(errc);
    const bool silent = said.empty() && info != nullptr;
    json.text("error", error_name(errc)).number("code", wire_code(errc));
    return json.text("text", silent ? info->text : said);
}

inline std::string json_of(Errc errc) {
    JsonObject json;
    return add_error(json, errc, {}).str();
}

inline std::string json_of(const CloseReason& reason) {
    JsonObject json;
    return add_error(json, reason.errc, reason.text).flag("byPeer", reason.by_peer).str();
}

/// What all records of a room have first.
template <class R>
JsonObject record_head(std::string_view type, const R& r) {
    JsonObject json{type};
    json.text("room", r.room).text("epoch", epoch_text(r.epoch)).number("offset", r.offset);
    json.number("time", milliseconds(r.time)).text("id", encode_hex(r.id.bytes));
    json.text("sender", r.from);
    return json;
}

inline void add_file(JsonObject& json, const std::optional<FileInfo>& file) {
    if (!file) return;
    json.raw("file", JsonObject{}.number("size", file->size).text("sha256", file->digest).str());
}

inline std::string json_of(const RoomMessage& e) {
    JsonObject json = record_head("message", e);
    json.text("text", e.text).text("attributes", e.attributes).number("replyTo", e.reply_to);
    json.flag("edited", e.changed_by != 0 && !e.deleted).flag("deleted", e.deleted);
    add_file(json, e.file);
    return json.str();
}

inline std::string json_of(const RoomAct& e) {
    const Act& act = e.act;
    const auto head = [&](std::string_view type) { return record_head(type, e); };
    switch (act.kind) {
        case Act::Kind::edit:
            return head("edited")
                .number("target", act.target)
                .text("text", e.text)
                .text("attributes", e.attributes)
                .flag("deleted", e.changed_by != 0)
                .str();
        case Act::Kind::deletion:
            return head("deleted").number("target", act.target).text("reason", e.text).str();
        case Act::Kind::reaction:
        case Act::Kind::unreaction:
            return head("reaction")
                .number("target", act.target)
                .text("text", e.text)
                .flag("removed", act.kind == Act::Kind::unreaction)
                .str();
        case Act::Kind::topic:
            return head("topic").text("topic", e.text).str();
        case Act::Kind::role:
            return head("role")
                .text("user", act.subject)
                .number("role", act.value)
                .number("until", milliseconds(act.until))
                .text("reason", e.text)
                .str();
        case Act::Kind::access:
            return head("access").number("access", act.value).str();
        case Act::Kind::creation:
            return head("created")
                .text("name", act.subject)
                .number("access", act.value)
                .text("topic", e.text)
                .str();
        case Act::Kind::message:
        case Act::Kind::tombstone:
        case Act::Kind::file:
            break;  // these are RoomMessage
    }
    return head("unknown").str();  // of a later version
}

inline std::string json_of(const std::vector<RoomRecord>& records) {
    return json_list(records, [](const RoomRecord& record) {
        return std::visit([](const auto& r) { return json_of(r); }, record);
    });
}

inline std::string json_of(const RoomPerson& p) {
    return JsonObject{}
        .text("user", p.user)
        .number("role", static_cast<std::uint64_t>(p.role))
        .flag("present", p.present)
        .text("displayName", p.display)
        .str();
}

inline std::string json_of(const RoomSummary& r) {
    return JsonObject{}
        .text("room", r.room)
        .text("topic", r.topic)
        .number("access", static_cast<std::uint64_t>(r.access))
        .number("role", static_cast<std::uint64_t>(r.role))
        .number("head", r.head)
        .number("marker", r.marker)
        .number("unread", r.unread)
        .number("mentions", r.mentions)
        .str();
}

/// A message that an earlier page did not get an answer to.
inline std::string json_of(RequestId request, const UnsentMessage& m) {
    JsonObject json{"restored"};
    json.number("request", request).text("id", encode_hex(m.id.bytes));
    json.text("room", m.room).text("recipient", m.to).text("text", m.text);
    return json.str();
}

inline std::string json_of(const ClientEvent& event) {
    using Json = JsonObject;
    return match(
        event,
        [](const Online& e) {
            return Json{"online"}
                .text("user", e.user)
                .number("messageBytesMax", e.limits.message_bytes_max)
                .number("attributesBytesMax", e.limits.attributes_bytes_max)
                .number("roomsMax", e.limits.rooms_max)
                .str();
        },
        [](const Reconnecting& e) {
            return Json{"reconnecting"}
                .raw("reason", json_of(e.reason))
                .number("delay", to_milliseconds(e.delay))
                .number("attempt", e.attempt)
                .str();
        },
        [](const Offline& e) { return Json{"offline"}.raw("reason", json_of(e.reason)).str(); },
        [](const GoingAway& e) {
            Json json{"goingAway"};
            return add_error(json, e.errc, e.text).number("grace", to_milliseconds(e.grace)).str();
        },
        [](const RoomJoined& e) {
            return Json{"joined"}
                .number("request", e.request)
                .text("room", e.room)
                .text("epoch", epoch_text(e.epoch))
                .number("head", e.head)
                .number("next", e.next)
                .flag("recovered", e.recovered)
                .number("role", static_cast<std::uint64_t>(e.role))
                .number("access", static_cast<std::uint64_t>(e.access))
                .number("marker", e.marker)
                .text("topic", e.topic)
                .str();
        },
        [](const RoomLeft& e) {
            Json json{"left"};
            return add_error(json, e.errc, e.text).text("room", e.room).str();
        },
        [](const RoomMessage& e) { return json_of(e); },
        [](const RoomAct& e) { return json_of(e); },
        [](const PrivateMessage& e) {
            Json json{"private"};
            json.text("epoch", epoch_text(e.epoch)).number("offset", e.offset);
            json.number("time", milliseconds(e.time)).text("id", encode_hex(e.id.bytes));
            json.text("sender", e.from).text("recipient", e.to).text("text", e.text);
            json.text("attributes", e.attributes).number("replyTo", e.reply_to);
            add_file(json, e.file);
            return json.str();
        },
        [](const Acked& e) {
            return Json{"acked"}
                .number("request", e.request)
                .text("id", encode_hex(e.id.bytes))
                .text("epoch", epoch_text(e.epoch))
                .number("offset", e.offset)
                .text("durability", durability_name(e.durability))
                .number("time", milliseconds(e.time))
                .str();
        },
        [](const Refused& e) {
            Json json{"refused"};
            return add_error(json, e.errc, e.text)
                .number("request", e.request)
                .text("room", e.room)
                .number("retryAfter", to_milliseconds(e.retry_after))
                .str();
        },
        [](const NoAnswerYet& e) {
            return Json{"noAnswerYet"}
                .text("kind", kind_name(e.kind))
                .text("room", e.room)
                .number("waited", to_milliseconds(e.waited))
                .str();
        },
        [](const RoomGap& e) {
            return Json{"gap"}
                .text("room", e.room)
                .text("epoch", epoch_text(e.epoch))
                .number("first", e.first)
                .number("last", e.last)
                .text("cause", cause_name(e.cause))
                .str();
        },
        [](const HistoryPage& e) {
            return Json{"history"}
                .number("request", e.request)
                .text("room", e.room)
                .text("epoch", epoch_text(e.epoch))
                .raw("records", json_of(e.records))
                .flag("reachesStart", e.reaches_start)
                .flag("reachesHead", e.reaches_head)
                .str();
        },
        [](const SearchPage& e) {
            return Json{"search"}
                .number("request", e.request)
                .text("room", e.room)
                .text("epoch", epoch_text(e.epoch))
                .raw("records", json_of(e.records))
                .number("next", e.next)
                .str();
        },
        [](const MemberList& e) {
            return Json{"members"}
                .number("request", e.request)
                .text("room", e.room)
                .raw("people", json_list(e.people, [](const RoomPerson& p) { return json_of(p); }))
                .flag("complete", e.complete)
                .str();
        },
        [](const RoomList& e) {
            return Json{"rooms"}
                .number("request", e.request)
                .raw("rooms", json_list(e.rooms, [](const RoomSummary& r) { return json_of(r); }))
                .flag("complete", e.complete)
                .str();
        },
        [](const MarkerMoved& e) {
            return Json{"marker"}
                .text("room", e.room)
                .text("user", e.user)
                .number("offset", e.offset)
                .str();
        },
        [](const TypingChanged& e) {
            return Json{"typing"}
                .text("room", e.room)
                .text("user", e.user)
                .flag("typing", e.typing)
                .str();
        },
        [](const PresenceChanged& e) {
            return Json{"presence"}
                .text("room", e.room)
                .text("user", e.user)
                .flag("present", e.present)
                .text("displayName", e.display)
                .str();
        },
        [](const ProfileChanged& e) {
            return Json{"profile"}
                .number("request", e.request)
                .text("user", e.user)
                .text("displayName", e.display)
                .str();
        },
        [](const FileWanted& e) {
            return Json{"fileWanted"}
                .number("request", e.request)
                .number("offset", e.offset)
                .number("bytesMax", e.bytes_max)
                .str();
        },
        [](const FileBegun& e) {
            return Json{"fileBegun"}
                .number("request", e.request)
                .text("name", e.name)
                .number("size", e.size)
                .text("sha256", encode_hex(e.digest))
                .str();
        },
        [](const FileFetched& e) { return Json{"fileFetched"}.number("request", e.request).str(); },
        [](const FileChunk&) { return std::string{}; },      // goes by `quicchat_chunk`
        [](const TokenRenewed&) { return std::string{}; });  // the login keeps it
}

}  // namespace quicchat::web
