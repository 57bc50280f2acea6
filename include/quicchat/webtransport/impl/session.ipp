#pragma once

#include "quicchat/webtransport/session.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/error.hpp"
#include "quicchat/webtransport/codes.hpp"
#include "quicchat/wire/varint.hpp"
#include "quicchat/wire/version.hpp"

namespace quicchat::webtransport {
namespace detail {

inline std::uint64_t number(StreamId stream) { return static_cast<std::uint64_t>(stream); }

/// A frame of RFC 9114 §7.1, or a capsule of RFC 9297 §3.2.
inline void append_framed(Buffer& buffer, std::uint64_t type, BytesView payload) {
    append_varint(buffer, type);
    append_varint(buffer, payload.size());
    append(buffer, payload);
}

/// What both browsers of 2026 take for a server of WebTransport. A number above 1 would promise
/// flow control of sessions, which nobody has.
inline Buffer our_settings() {
    Buffer settings;
    for (const std::uint64_t setting :
         {codes::setting_connect_protocol, codes::setting_datagram, codes::setting_draft_02,
          codes::setting_draft_07, codes::setting_draft_13, codes::setting_wt_enabled}) {
        append_varint(settings, setting);
        append_varint(settings, 1);
    }
    return settings;
}

/// `text` cut to what a close may carry, never in the middle of a character.
inline std::string_view bounded_close_text(std::string_view text) {
    if (text.size() <= close_text_bytes_max) return text;
    std::size_t size = close_text_bytes_max;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    return text.substr(0, size);
}

}  // namespace detail

QUICCHAT_DECL Session::Session(const Config& config) : config_(&config) {
    Buffer bytes;
    append_varint(bytes, codes::control_stream);
    detail::append_framed(bytes, codes::frame_settings, detail::our_settings());
    push(actions::WriteControl{std::move(bytes)});
}

// --- What comes.

QUICCHAT_DECL void Session::handle_data(StreamId stream, Bytes bytes, bool fin) {
    if (over_) {
        consume(stream, bytes.size());
        if (fin && stream == connect_) take_note();
        return;
    }
    const auto place = streams_.try_emplace(stream).first;
    Incoming& in = place->second;
    switch (in.kind) {
        case Incoming::Kind::page:
            if (connect_) {
                push(actions::PageData{*page_stream(stream), std::move(bytes), fin});
            } else {  // it is consumed when its session is there
                hold(in, bytes.view());
                in.fin = fin;
            }
            break;
        case Incoming::Kind::unknown:
            read_head(stream, in, bytes, fin);
            break;
        default:
            consume(stream, bytes.size());
            read_frames(stream, in, bytes.view());
    }
    if (!fin || over_) return;
    finish(stream, in);
    const bool waits = in.kind == Incoming::Kind::page && !connect_;
    if (waits || over_) return;
    drop_held(in);
    streams_.erase(place);
}

/// What kind of stream it is. RFC 9114 §6: the first integer of a unidirectional one says it; the
/// others are requests, or begin with the signal of a WebTransport stream.
QUICCHAT_DECL void Session::read_head(StreamId stream, Incoming& in, const Bytes& bytes, bool fin) {
    const std::size_t before = in.held.size();
    Bytes head = bytes;
    if (before > 0) {
        Buffer joined = in.held;
        append(joined, bytes.view());
        head = Bytes{std::move(joined)};
    }
    BytesView rest = head.view();
    const auto type = read_varint(rest);
    const bool is_page = type && !is_uni(stream) && *type == codes::page_stream;
    const auto session = is_page ? read_varint(rest) : type;
    if (!session) {
        consume(stream, bytes.size());
        return hold(in, bytes.view());
    }
    drop_held(in);
    if (is_page) {
        const std::size_t size = head.size() - rest.size();
        consume(stream, size - before);
        in.session = StreamId{*session};
        return read_page_head(stream, in, head.from(size), fin);
    }
    consume(stream, bytes.size());
    if (is_uni(stream)) return read_uni_head(stream, in, head.view());
    if (++requests_ > requests_max) return violate("too many requests");
    in.kind = Incoming::Kind::request;
    next_request_ = std::max(next_request_, detail::number(stream) + 4);
    read_frames(stream, in, head.view());
}

QUICCHAT_DECL void Session::read_uni_head(StreamId stream, Incoming& in, BytesView head) {
    switch (*read_varint(head)) {
        case codes::control_stream:
            if (std::exchange(has_control_stream_, true)) return violate("two control streams");
            in.kind = Incoming::Kind::control;
            return read_frames(stream, in, head);
        case codes::push_stream:
            return violate("a push to the server");
        case codes::page_uni_stream:
            return violate("a unidirectional stream of the page");
        default:
            // QPACK's have nothing to say while there is no dynamic table. RFC 9114 §6.2: streams
            // of unknown types are no error.
            in.kind = Incoming::Kind::ignored;
    }
}

QUICCHAT_DECL void Session::read_page_head(StreamId stream, Incoming& in, Bytes first, bool fin) {
    in.kind = Incoming::Kind::page;
    in.fin = fin;
    if (connect_) return join(stream, in, std::move(first));
    hold(in, first.view());
}

/// The session of a page's stream is there, or another one.
QUICCHAT_DECL void Session::join(StreamId stream, Incoming& in, Bytes first) {
    const auto number = page_stream(stream);
    if (in.session == connect_ && number) {
        if (first.empty() && !in.fin) return;
        push(actions::PageData{*number, std::move(first), in.fin});
    } else {
        consume(stream, first.size());
        refuse(stream, in, codes::session_gone);
    }
}

QUICCHAT_DECL void Session::refuse(StreamId stream, Incoming& in, std::uint64_t code) {
    in.kind = Incoming::Kind::ignored;
    push(actions::Reset{stream, code});
}

QUICCHAT_DECL void Session::read_frames(StreamId stream, Incoming& in, BytesView bytes) {
    if (in.kind == Incoming::Kind::ignored) return;
    in.frames.read(bytes, [&](const Piece& piece) {
        switch (in.kind) {
            case Incoming::Kind::control:
                return handle_control_piece(in, piece);
            case Incoming::Kind::request:
            case Incoming::Kind::connect:
                return handle_request_piece(stream, in, piece);
            default:
                return false;
        }
    });
}

QUICCHAT_DECL bool Session::handle_control_piece(Incoming& in, const Piece& piece) {
    const bool is_settings = piece.type == codes::frame_settings;
    // RFC 9114 §6.2.1: SETTINGS come first; §7.2.4: and never again.
    if (is_settings == in.settings_seen || !codes::may_be_on_control_stream(piece.type)) {
        return violate("an unexpected frame on the control stream"), false;
    }
    if (!is_settings) return true;  // all else is about pushes and priorities
    if (!collect(in, piece, settings_bytes_max)) return !over_;
    in.settings_seen = true;
    check_settings(in.held);
    drop_held(in);
    return !over_;
}

QUICCHAT_DECL bool Session::handle_request_piece(StreamId stream, Incoming& in,
                                                 const Piece& piece) {
    const bool is_connect = in.kind == Incoming::Kind::connect;
    const bool is_headers = piece.type == codes::frame_headers;
    const bool is_data = piece.type == codes::frame_data;
    // RFC 9114 §4.1 and §4.4: HEADERS come first, and DATA alone after those of a CONNECT.
    if (!codes::may_be_on_request_stream(piece.type) || (is_connect ? is_headers : is_data)) {
        return violate("an unexpected frame on a request stream"), false;
    }
    if (is_data) handle_capsules(piece.bytes);
    if (!is_headers) return !over_;
    if (!collect(in, piece, request_bytes_max)) return !over_;
    const Buffer section = in.held;
    drop_held(in);
    handle_request(stream, in, section);
    return !over_;
}

/// Keeps a payload that is wanted as a whole. True if it is complete.
QUICCHAT_DECL bool Session::collect(Incoming& in, const Piece& piece, std::size_t bytes_max) {
    if (piece.length > bytes_max) return violate("a frame is too long"), false;
    hold(in, piece.bytes);
    return piece.is_last && !over_;
}

QUICCHAT_DECL void Session::check_settings(BytesView settings) {
    while (!settings.empty()) {
        const auto setting = read_varint(settings);
        const auto value = setting ? read_varint(settings) : setting;
        if (!value || codes::is_setting_of_http2(*setting)) return violate("wrong SETTINGS");
    }
}

QUICCHAT_DECL void Session::handle_request(StreamId stream, Incoming& in, BytesView section) {
    const std::optional<Fields> request = decode_fields(section);
    if (!request) return violate("a field section cannot be read");
    const unsigned status = judge(*request);
    if (status == 200) return establish(stream, in, *request);
    answer(stream, status, {}, true);
    in.kind = Incoming::Kind::ignored;
}

/// The status of HTTP for a request.
QUICCHAT_DECL unsigned Session::judge(const Fields& request) const {
    const auto field = [&](std::string_view name) {
        return find_field(request, name).value_or(std::string_view{});
    };
    const std::string_view method = field(":method");
    if (method.empty()) return 400;
    if (method == "GET" || method == "HEAD") return 404;  // there is nothing to see
    if (method != "CONNECT") return 405;
    // RFC 8441 §4, which RFC 9220 refers to, leaves other protocols to the server.
    if (!codes::is_webtransport(field(":protocol"))) return 501;
    const std::string_view path = field(":path");
    if (path.substr(0, path.find('?')) != config_->path) return 404;
    const bool may_come = std::any_of(
        config_->origins.begin(), config_->origins.end(),
        [&](const std::string& origin) { return origin == "*" || origin == field("origin"); });
    if (!may_come) return 403;
    return connect_ ? 429 : 200;
}

QUICCHAT_DECL void Session::answer(StreamId stream, unsigned status, const Fields& fields,
                                   bool fin) {
    Buffer frame;
    detail::append_framed(frame, codes::frame_headers, encode_response(status, fields));
    push(actions::Write{stream, std::move(frame), fin});
}

QUICCHAT_DECL void Session::establish(StreamId stream, Incoming& in, const Fields& request) {
    in.kind = Incoming::Kind::connect;
    connect_ = stream;
    origin_ = find_field(request, "origin").value_or(std::string_view{});
    Fields fields{{"sec-webtransport-http3-draft", "draft02"}};
    const std::string ours = '"' + std::string{protocol_alpn} + '"';
    const auto offered = find_field(request, "wt-available-protocols");
    if (offered && offered->find(ours) != offered->npos) fields.emplace_back("wt-protocol", ours);
    answer(stream, 200, fields, false);
    push(actions::Established{});
    for (auto place = streams_.begin(); place != streams_.end();) {  // those that overtook it
        const auto current = place++;
        auto& [other, early] = *current;
        if (early.kind != Incoming::Kind::page) continue;
        Bytes first{Buffer{early.held}};
        drop_held(early);
        join(other, early, std::move(first));
        if (early.fin) streams_.erase(current);
    }
}

QUICCHAT_DECL void Session::handle_capsules(BytesView bytes) {
    capsules_.read(bytes, [&](const Piece& piece) {
        if (piece.type != codes::capsule_close_session) return true;  // RFC 9297 §3.2
        constexpr std::size_t code_bytes = 4;
        if (piece.length < code_bytes || piece.length > code_bytes + close_text_bytes_max) {
            return violate("a close of the wrong length"), false;
        }
        append(capsule_, piece.bytes);
        if (!piece.is_last) return true;
        std::uint64_t code = 0;
        const BytesView close = capsule_;
        for (const std::byte octet : close.first(code_bytes)) {
            code = code << 8 | std::to_integer<std::uint64_t>(octet);
        }
        end(code, to_string(close.subspan(code_bytes)));
        return false;
    });
}

/// A stream has ended.
QUICCHAT_DECL void Session::finish(StreamId stream, Incoming& in) {
    switch (in.kind) {
        case Incoming::Kind::control:
            return violate("the control stream ended");  // RFC 9114 §6.2.1
        case Incoming::Kind::connect:
            return end(wire_code(Errc::closed), "");
        case Incoming::Kind::request:
            return refuse(stream, in, codes::request_incomplete);
        case Incoming::Kind::unknown:
            if (!is_uni(stream)) refuse(stream, in, codes::request_incomplete);
            return;
        default:
            return;
    }
}

QUICCHAT_DECL void Session::handle_reset(StreamId stream, std::uint64_t code, TimePoint now) {
    if (over_ && stream == connect_) take_note();
    if (over_) return;
    const auto place = streams_.find(stream);
    const bool is_known = place != streams_.end();
    const auto kind = is_known ? place->second.kind : Incoming::Kind::page;
    if (kind == Incoming::Kind::control) return violate("the control stream was reset");
    if (kind == Incoming::Kind::connect) {
        const bool in_peace = code == codes::no_error || code == codes::request_cancelled;
        return end(wire_code(in_peace ? Errc::closed : Errc::transport_failed), "");
    }
    if (is_known) {
        drop_held(place->second);
        streams_.erase(place);
    }
    const auto number = connect_ && !is_uni(stream) ? page_stream(stream) : std::nullopt;
    if (kind != Incoming::Kind::page || !number) return;
    if (codes::is_of_application(code)) {
        push(actions::PageReset{*number, codes::from_http(code)});
    } else {
        held_resets_.push_back({*number, now + reset_patience});
    }
}

QUICCHAT_DECL void Session::handle_timeout(TimePoint now) {
    if (over_) return;
    while (!held_resets_.empty() && held_resets_.front().until <= now) {
        push(actions::PageReset{held_resets_.front().stream, wire_code(Errc::closed)});
        held_resets_.pop_front();
    }
}

QUICCHAT_DECL std::optional<TimePoint> Session::next_deadline() const {
    if (over_ || held_resets_.empty()) return std::nullopt;
    return held_resets_.front().until;
}

// --- What goes.

QUICCHAT_DECL void Session::drain() {
    if (!is_open() || gone_away_) return;
    go_away();
    write_capsule(codes::capsule_drain_session, {}, false);
}

QUICCHAT_DECL void Session::go_away() {
    if (std::exchange(gone_away_, true)) return;
    Buffer goaway;  // RFC 9114 §5.2: requests from that stream on are not looked at
    Buffer first_not_seen;
    append_varint(first_not_seen, next_request_);
    detail::append_framed(goaway, codes::frame_goaway, first_not_seen);
    push(actions::WriteControl{std::move(goaway)});
}

QUICCHAT_DECL void Session::close(std::uint64_t code, std::string_view text) {
    if (!is_open()) return;
    go_away();
    over_ = closing_ = true;
    Buffer close;
    for (int shift = 24; shift >= 0; shift -= 8) {
        close.push_back(static_cast<std::byte>(code >> shift & 0xff));
    }
    append(close, as_bytes(detail::bounded_close_text(text)));
    write_capsule(codes::capsule_close_session, close, true);
}

QUICCHAT_DECL void Session::write_capsule(std::uint64_t type, BytesView value, bool fin) {
    Buffer capsule;
    detail::append_framed(capsule, type, value);
    Buffer frame;
    detail::append_framed(frame, codes::frame_data, capsule);
    push(actions::Write{*connect_, std::move(frame), fin});
}

QUICCHAT_DECL void Session::forget(StreamId page_stream) {
    const auto outer = outer_stream(page_stream);
    if (outer) streams_.erase(*outer);
}

QUICCHAT_DECL std::optional<StreamId> Session::outer_stream(StreamId page_stream) const {
    const std::uint64_t page = detail::number(page_stream);
    if (!connect_ || page % 4 != 0) return std::nullopt;
    const std::uint64_t first = detail::number(*connect_) + 4;
    if (page > varint_max - first) return std::nullopt;
    return StreamId{first + page};
}

QUICCHAT_DECL std::optional<StreamId> Session::page_stream(StreamId outer) const {
    if (!connect_ || outer <= *connect_ || detail::number(outer) % 4 != 0) return std::nullopt;
    return StreamId{detail::number(outer) - detail::number(*connect_) - 4};
}

QUICCHAT_DECL std::optional<Bytes> Session::payload_of(const Bytes& datagram) const {
    BytesView rest = datagram.view();
    const auto quarter = read_varint(rest);  // RFC 9297 §2.1
    if (!quarter || !is_open() || *quarter != detail::number(*connect_) / 4) return std::nullopt;
    return datagram.from(datagram.size() - rest.size());
}

QUICCHAT_DECL Buffer Session::datagram_head() const {
    Buffer head;
    append_varint(head, detail::number(*connect_) / 4);
    return head;
}

// --- Bookkeeping.

QUICCHAT_DECL void Session::hold(Incoming& in, BytesView bytes) {
    held_bytes_ += bytes.size();
    if (held_bytes_ > held_bytes_max) return violate("too much that waits");
    append(in.held, bytes);
}

QUICCHAT_DECL void Session::drop_held(Incoming& in) {
    held_bytes_ -= in.held.size();
    in.held = {};
}

// One function for all: GCC 12 believes that actions could be destroyed unmade where it sees more.
[[gnu::noinline]] QUICCHAT_DECL void Session::push(Action action) {
    actions_.push_back(std::move(action));
}

QUICCHAT_DECL void Session::consume(StreamId stream, std::size_t bytes) {
    if (bytes > 0) push(actions::Consume{stream, bytes});
}

QUICCHAT_DECL void Session::violate(const char* problem) {
    if (std::exchange(over_, true)) return;
    push(actions::Violation{problem});
}

/// The page's side of a session that we closed is closed as well.
QUICCHAT_DECL void Session::take_note() {
    if (!std::exchange(closing_, false)) return;
    push(actions::PageClosed{wire_code(Errc::closed), ""});
}

QUICCHAT_DECL void Session::end(std::uint64_t code, std::string text) {
    if (std::exchange(over_, true)) return;
    push(actions::PageClosed{code, std::move(text)});
}

}  // namespace quicchat::webtransport
