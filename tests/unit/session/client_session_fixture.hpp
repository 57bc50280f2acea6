#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/client_session.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "unit/wire/random_message.hpp"

namespace quicchat::test {

inline constexpr StreamId control{0};
inline constexpr StreamId room_stream{4};
inline constexpr Epoch epoch{7};

/// A client's session and the words of a server, typed in by hand.
struct ClientFixture {
    explicit ClientFixture(Limits limits = {}) : session(limits) {}

    template <class M>
    Errc receive(StreamId stream, const M& message) {
        const Buffer frame = encode(message);
        return session.handle_frame(stream, view_frame(frame));
    }
    Errc receive_hex(StreamId stream, std::string_view text) {
        const Buffer frame = hex(text);
        return session.handle_frame(stream, view_frame(frame));
    }

    /// What the session wants sent, as hex, one text per write.
    std::vector<std::string> sent() {
        std::vector<std::string> all;
        while (const std::optional<Outgoing> out = session.poll_outgoing()) {
            all.push_back(to_hex(out->bytes.view()) + (out->fin ? " fin" : ""));
        }
        return all;
    }

    /// The same, read: stream and message. Ends of streams are left out.
    std::vector<std::pair<StreamId, Message>> sent_messages() {
        std::vector<std::pair<StreamId, Message>> all;
        while (const std::optional<Outgoing> out = session.poll_outgoing()) {
            if (out->fin) continue;
            all.emplace_back(out->stream, *decode(view_frame(out->bytes.view())));
        }
        return all;
    }
    /// Of one kind, in order.
    template <class M>
    std::vector<M> sent_of() {
        std::vector<M> all;
        for (auto& [stream, message] : sent_messages()) {
            if (auto* m = std::get_if<M>(&message)) all.push_back(std::move(*m));
        }
        return all;
    }

    std::vector<ClientEvent> events() {
        std::vector<ClientEvent> all;
        while (std::optional<ClientEvent> event = session.poll_event()) {
            all.push_back(*std::move(event));
        }
        return all;
    }
    /// The one event that there is.
    template <class E>
    E event() {
        std::vector<ClientEvent> all = events();
        REQUIRE(all.size() == 1);
        REQUIRE(std::holds_alternative<E>(all[0]));
        return std::get<E>(all[0]);
    }

    void connect(bool one_flight = false) {
        next_stream_ = 4;
        session.handle_connected({ConnectionId{1}, "memory:1", {}},
                                 {"M", device, hex("aa"), one_flight});
    }
    void negotiate() {
        connect();
        REQUIRE(receive(control, welcome()) == Errc{});
    }
    void log_in() {
        REQUIRE(receive(control, wire::LoginDone{"ada", {}}) == Errc{});
        REQUIRE(session.poll_login());
        session.login_complete();
    }
    void go_online() {
        negotiate();
        log_in();
        (void)event<Online>();
        (void)sent();
    }
    /// Opens a stream for each room that waits for one: 4, 8 and so on.
    void open_rooms() {
        while (const std::optional<std::string> room = session.poll_join()) {
            session.join_on(StreamId{next_stream_}, *room);
            next_stream_ += 4;
        }
    }
    Result<RequestId> join(std::string_view room, Position position = {}) {
        const Result<RequestId> request = session.join(room, position);
        open_rooms();
        return request;
    }
    /// Why a join is not even taken.
    Errc join_error(std::string_view room, Position position = {}) {
        const Result<RequestId> request = session.join(room, position);
        return request ? Errc{} : to_errc(request.error());
    }
    /// The connection breaks, and there will be another one.
    void lose() {
        session.handle_disconnected();
        session.retry({.errc = Errc::transport_failed}, std::chrono::seconds{1}, 1);
    }
    /// The same, and the next one is logged in.
    void come_back() {
        lose();
        negotiate();
        log_in();
        open_rooms();
    }
    /// In #lobby, of which `head` records exist, on `room_stream`.
    void join_lobby(Offset head = 0) {
        go_online();
        REQUIRE(*join("#lobby") == 1);
        REQUIRE(receive(room_stream, joined(1, head)) == Errc{});
        (void)event<RoomJoined>();
        (void)sent();
    }

    static wire::Welcome welcome() { return {0, {}, {100, 50, 3}, "{}"}; }
    static wire::Joined joined(RequestId request, Offset head) {
        return {request, "#lobby", epoch, head, head + 1, false};
    }
    static wire::Event message(Offset offset, std::string text = "hi") {
        return {offset, {}, {}, "bob", std::move(text), "{}"};
    }

    static constexpr DeviceId device{{std::byte{0xdd}}};

    ClientSession session;

private:
    std::uint64_t next_stream_ = 4;
};

}  // namespace quicchat::test
