#pragma once

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

    void connect() {
        session.handle_connected({ConnectionId{1}, "memory:1", {}}, control, "M", hex("aa"));
    }
    void negotiate() {
        connect();
        REQUIRE(receive(control, welcome()) == Errc{});
    }
    void go_online() {
        negotiate();
        REQUIRE(receive(control, wire::LoginDone{"ada", {}}) == Errc{});
        REQUIRE(session.poll_login());
        session.login_complete();
        (void)event<Online>();
        (void)sent();
    }
    /// In #lobby, of which `head` records exist, on `room_stream`.
    void join_lobby(Offset head = 0) {
        go_online();
        REQUIRE(session.may_join("#lobby") == Errc{});
        REQUIRE(session.join(room_stream, "#lobby", {}) == 1);
        REQUIRE(receive(room_stream, joined(1, head)) == Errc{});
        (void)event<RoomJoined>();
        (void)sent();
    }

    static wire::Welcome welcome() { return {0, {}, {100, 50, 3}, "{}"}; }
    static wire::Joined joined(RequestId request, Offset head) {
        return {request, "#lobby", epoch, head, head + 1, false};
    }
    static wire::Event message(Offset offset, std::string text = "hi") {
        return {offset, {}, wire::Event::Kind::message, {}, "bob", std::move(text), "{}"};
    }

    ClientSession session;
};

}  // namespace quicchat::test
