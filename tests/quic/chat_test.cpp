#include <poll.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/quic/run.hpp"
#include "quicchat/quic_connect.hpp"
#include "quicchat/quic_serve.hpp"
#include "support/patience.hpp"
#include "support/printers.hpp"

// The short way to a server and to a client, over loopback.

using namespace quicchat;
using namespace std::chrono_literals;

namespace {

quic::ServeOptions free_port() { return {.port = 0, .accounts = {{"ada", "secret"}}}; }

/// A server that runs in a thread of its own.
class Running {
public:
    explicit Running(quic::ServeOptions options = free_port())
        : server_(quic::serve(std::move(options)).value()),
          thread_([this] { ended_ = server_.run(); }) {}
    ~Running() { stop(); }

    quic::ConnectOptions client(std::string password = "secret") const {
        return {.host = "127.0.0.1",
                .port = server_.port(),
                .user = "ada",
                .password = std::move(password),
                .fingerprint = server_.fingerprint()};
    }

    std::error_code stop() {
        server_.stop();
        if (thread_.joinable()) thread_.join();
        return ended_;
    }

private:
    quic::ChatServer server_;
    std::error_code ended_;
    std::thread thread_;
};

/// Ends a chat that takes too long, so that no test hangs.
class Watch {
public:
    explicit Watch(quic::Chat& chat)
        : chat_(&chat), thread_([this] {
              pollfd wait{done_.fd(), POLLIN, 0};
              const auto limit = std::chrono::ceil<std::chrono::milliseconds>(test::patience(30s));
              if (::poll(&wait, 1, static_cast<int>(limit.count())) == 0) chat_->stop();
          }) {}
    ~Watch() {
        done_.stop();
        thread_.join();
    }

private:
    quic::Chat* chat_;
    quic::StopFlag done_;
    std::thread thread_;
};

std::error_code run(quic::Chat& chat) {
    const Watch watch{chat};
    return chat.run();
}

TEST_CASE("a client says what it was told to say, before it is connected", "[quic][chat]") {
    Running server;
    auto chat = quic::connect(server.client()).value();
    std::vector<std::string> seen;
    std::size_t events = 0;
    chat.on([&](const ClientEvent&) { ++events; });
    chat.on([&](const RoomMessage& message) {
        seen.push_back(message.from + ": " + message.text);
        if (message.text == "two") chat.stop();
    });
    CHECK(chat.say("#lobby", "too early") == Errc::not_in_room);
    CHECK(chat.join("#lobby") == Errc{});
    CHECK(chat.join("lobby") == Errc::invalid_name);
    CHECK(chat.say("#lobby", "one") == Errc{});
    CHECK(chat.say("#lobby", "a\x01") == Errc::invalid_text);
    CHECK(chat.say("#lobby", "two") == Errc{});
    CHECK(run(chat) == std::error_code{});
    CHECK(seen == std::vector<std::string>{"ada: one", "ada: two"});
    CHECK(events > seen.size());
    CHECK(server.stop() == std::error_code{});
}

TEST_CASE("a client that is told where keeps the server's address token there", "[quic][chat]") {
    Running server;
    quic::ConnectOptions options = server.client();
    const auto tokens = std::make_shared<quic::AddressTokensInMemory>();
    options.tokens = tokens;
    auto chat = quic::connect(std::move(options)).value();
    chat.on([&](const Acked&) { chat.stop(); });
    CHECK(chat.join("#lobby") == Errc{});
    CHECK(chat.say("#lobby", "one") == Errc{});
    CHECK(run(chat) == std::error_code{});
    CHECK_FALSE(tokens->take().empty());
}

TEST_CASE("a server and a client in one loop of their own", "[quic][chat]") {
    auto server = quic::serve(free_port()).value();
    CHECK(server.address() == "127.0.0.1:" + std::to_string(server.port()));
    std::vector<std::string> in;
    std::vector<std::string> out;
    server.on([&](const PeerLoggedIn& event) { in.push_back(event.user); });
    server.on([&](const PeerDisconnected& event) { out.push_back(event.user); });
    auto chat = quic::connect({.host = "127.0.0.1",
                               .port = server.port(),
                               .user = "ada",
                               .password = "secret",
                               .fingerprint = server.fingerprint()})
                    .value();
    bool offline = false;
    chat.on([&](const Online&) { chat.client().close(); });
    chat.on([&](const Offline&) { offline = true; });

    const TimePoint end = quic::read_clock().steady + test::patience(30s);
    while (out.empty() && quic::read_clock().steady < end) {
        REQUIRE(server.turn() == std::error_code{});
        REQUIRE(chat.turn() == std::error_code{});
        pollfd wait[] = {{server.fd(), POLLIN, 0},
                         {chat.fd(), POLLIN, 0},
                         {server.wake_fds()[0], POLLIN, 0},
                         {chat.wake_fds()[0], POLLIN, 0}};
        if (server.wants_write()) wait[0].events |= POLLOUT;
        const auto next = earlier(server.next_deadline(), chat.next_deadline());
        const auto left = next ? *next - quic::read_clock().steady : Duration{1s};
        ::poll(wait, 4, static_cast<int>(std::max<Duration>(left, 0s) / 1ms) + 1);
    }
    CHECK(in == std::vector<std::string>{"ada"});
    CHECK(out == std::vector<std::string>{"ada"});
    CHECK(offline);
}

TEST_CASE("a handler that is added by a handler begins with the next event", "[quic][chat]") {
    quic::Handlers<std::variant<int, char>> handlers;
    std::vector<std::string> calls;
    handlers.add([&](int first) {
        calls.push_back("first " + std::to_string(first));
        handlers.add([&, first](const int& second) {
            calls.push_back(std::to_string(first) + " then " + std::to_string(second));
        });
    });
    handlers.call(1);
    handlers.call('x');
    handlers.call(2);
    CHECK(calls == std::vector<std::string>{"first 1", "first 2", "1 then 2"});
}

TEST_CASE("what a handler throws ends the run, and the next one goes on", "[quic][chat]") {
    Running server;
    auto chat = quic::connect(server.client()).value();
    bool thrown = false;
    chat.on([&](const Online&) {
        if (!std::exchange(thrown, true)) throw std::runtime_error{"no"};
    });
    chat.on([&](const RoomJoined&) { chat.stop(); });
    CHECK(chat.join("#lobby") == Errc{});
    CHECK_THROWS_AS(run(chat), std::runtime_error);
    CHECK(run(chat) == std::error_code{});
    CHECK(thrown);
}

TEST_CASE("why a client is at its end", "[quic][chat]") {
    Running server;
    SECTION("a wrong password") {
        auto chat = quic::connect(server.client("wrong")).value();
        CHECK(run(chat) == Errc::login_failed);
        CHECK(chat.turn() == Errc::login_failed);
    }
    SECTION("another key") {
        quic::ConnectOptions options = server.client();
        options.fingerprint = "sha256:" + std::string(64, '0');
        auto chat = quic::connect(std::move(options)).value();
        CHECK(run(chat) == Errc::server_key_changed);
    }
    SECTION("nobody vouches for the key") {
        quic::ConnectOptions options = server.client();
        options.fingerprint.clear();
        auto chat = quic::connect(std::move(options)).value();
        CHECK(run(chat) == Errc::certificate_untrusted);
    }
}

TEST_CASE("what no client can be made of", "[quic][chat]") {
    CHECK(quic::connect({.user = "no name", .password = "x"}).error() == Errc::invalid_name);
    CHECK(quic::connect({.user = "ada", .password = ""}).error() == Errc::invalid_text);
    CHECK(quic::connect({.user = "ada", .password = "x", .fingerprint = "sha256:12"}).error() ==
          Errc::invalid_text);
}

TEST_CASE("what no server can be made of", "[quic][chat]") {
    quic::ServeOptions options = free_port();
    SECTION("a name in place of an address") {
        options.address = "localhost";
        CHECK(quic::serve(std::move(options)).error() == Errc::invalid_request);
    }
    SECTION("a port that is taken") {
        const auto other = quic::serve(free_port()).value();
        options.port = other.port();
        CHECK(quic::serve(std::move(options)).error() == std::errc::address_in_use);
    }
    SECTION("two accounts of one name") {
        options.accounts = {{"ada", "secret"}, {"Ada", "other"}};
        CHECK(quic::serve(std::move(options)).error() == Errc::invalid_request);
    }
    SECTION("no password") {
        options.accounts = {{"ada", ""}};
        CHECK(quic::serve(std::move(options)).error() == Errc::invalid_text);
    }
    SECTION("half a pair") {
        options.key_pem = "x";
        CHECK_FALSE(quic::serve(std::move(options)));
    }
    SECTION("limits that do not fit together") {
        options.config.limits.strangers_per_prefix_max = 0;
        CHECK(quic::serve(std::move(options)).error() == Errc::invalid_request);
    }
    SECTION("a room with a wrong name") {
        options.config.rooms = {"lobby"};
        CHECK(quic::serve(std::move(options)).error() == Errc::invalid_name);
    }
}

}  // namespace
