#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/memory/random.hpp"
#include "quicchat/transport/concept.hpp"
#include "support/printers.hpp"

namespace quicchat::conformance {

using namespace std::chrono_literals;

template <class T>
concept TransportReference = std::is_lvalue_reference_v<T> && Transport<std::remove_reference_t<T>>;

template <class T>
concept DialingTransportReference =
    TransportReference<T> && DialingTransport<std::remove_reference_t<T>>;

/// What a model of Transport provides to be checked. The fixture owns the transports; their
/// addresses do not change (but a test may move a transport away and back by assignment).
///
///  - `F(server_limits, client_limits)` makes one server, which is listening;
///  - `add_client()` makes another client of it; `add_stray_client()` makes one that dials where
///    nobody listens, which it learns as `F::nobody_there`;
///  - `step()` moves time on to the next moment at which something is due: it calls
///    `handle_timeout` on every transport whose `next_deadline` has come, and carries what lies
///    between the transports, and nothing else. It polls no events. False: nothing will ever be
///    due;
///  - datagrams get lost as rarely as on a cable.
///
/// Optional: `cut()` breaks all connections in a way that both sides notice;
/// `fail_channel_binding()` makes `channel_binding` fail from then on; `F::has_channel_binding` is
/// false where it always does; `F::own_bytes_max` is how much of a window the model may take for
/// itself; `measure()` makes what the server counts exact, where it may count too much until it was
/// asked again.
template <class F>
concept TransportFixture = std::constructible_from<F, Limits, Limits> &&
    requires(F fixture, const F& view) {
    { fixture.server() } -> TransportReference;
    { fixture.add_client() } -> DialingTransportReference;
    { fixture.add_stray_client() } -> DialingTransportReference;
    { fixture.step() } -> std::same_as<bool>;
    { view.now() } -> std::same_as<TimePoint>;
    { F::nobody_there } -> std::convertible_to<Errc>;
};

template <class F>
constexpr bool has_channel_binding() {
    if constexpr (requires { F::has_channel_binding; }) return F::has_channel_binding;
    return true;
}

template <class F>
constexpr std::size_t own_bytes_max() {
    if constexpr (requires { F::own_bytes_max; }) return F::own_bytes_max;
    return 0;
}

/// What one side received on one stream.
struct Inbox {
    Buffer bytes{};
    bool fin = false;
    std::optional<std::uint64_t> reset{};
    std::size_t unconsumed = 0;
};

/// One transport and all it ever reported. What a transport must never do, whatever the test, is
/// checked here, event by event.
template <class T>
class Side {
public:
    Side(std::string name, T& transport, Limits limits)
        : transport_(&transport), name_(std::move(name)), limits_(limits) {}

    T& operator*() { return *transport_; }
    T* operator->() { return transport_; }

    bool reads = true;     ///< Polls events.
    bool consumes = true;  ///< Gives credit for what it read, at once.

    std::vector<TransportEvent> events{};
    ConnectionId id{};  ///< The latest that connected.

    /// Reads all news.
    void poll() {
        while (reads) {
            std::optional<TransportEvent> event = transport_->poll_event();
            if (!event) return;
            INFO(name_ << ": " << test::describe(*event));
            match(*event, [&](const auto& e) { check(e); });
            events.push_back(std::move(*event));
        }
    }

    /// Notes that the test itself reset a stream: one StreamReset may follow, and nothing else.
    void expect_silence(StreamId stream) { silenced_.insert({id, stream}); }

    void consume(StreamId stream, std::size_t bytes) {
        Inbox& inbox = inboxes_[{id, stream}];
        inbox.unconsumed -= bytes;
        unconsumed_[id] -= bytes;
        transport_->consume(id, stream, bytes);
    }
    void consume_all(StreamId stream) { consume(stream, inboxes_[{id, stream}].unconsumed); }

    Inbox& inbox(StreamId stream) { return inboxes_[{id, stream}]; }
    std::size_t unconsumed() { return unconsumed_[id]; }
    bool connected(ConnectionId which) const { return connected_.contains(which); }
    bool connected() const { return connected(id); }
    bool ended(ConnectionId which) const { return ended_.contains(which); }
    bool ended() const { return ended(id); }
    const CloseReason& reason(ConnectionId which) const { return ended_.at(which); }
    const CloseReason& reason() const { return reason(id); }

    template <class Event>
    std::size_t count() const {
        std::size_t n = 0;
        for (const TransportEvent& event : events) n += std::holds_alternative<Event>(event);
        return n;
    }
    template <class Event>
    const Event& last() const {
        const Event* found = nullptr;
        for (const TransportEvent& event : events) {
            if (const Event* e = std::get_if<Event>(&event)) found = e;
        }
        REQUIRE(found != nullptr);
        return *found;
    }

private:
    void check(const Connected& e) {
        CHECK(connected_.insert(e.connection).second);
        CHECK_FALSE(ended(e.connection));
        CHECK_FALSE(e.peer_address.empty());
        id = e.connection;
    }
    void check(const StreamData& e) {
        check_alive(e.connection);
        Inbox& inbox = inboxes_[{e.connection, e.stream}];
        CHECK_FALSE(inbox.fin);
        CHECK_FALSE(inbox.reset);
        CHECK_FALSE(silenced_.contains({e.connection, e.stream}));
        CHECK((e.fin || !e.bytes.empty()));
        append(inbox.bytes, e.bytes.view());
        inbox.fin = e.fin;
        inbox.unconsumed += e.bytes.size();
        unconsumed_[e.connection] += e.bytes.size();
        CHECK(inbox.unconsumed <= limits_.stream_receive_window);
        CHECK(unconsumed_[e.connection] <= limits_.connection_receive_window);
        if (!consumes || e.bytes.empty()) return;
        inbox.unconsumed -= e.bytes.size();
        unconsumed_[e.connection] -= e.bytes.size();
        transport_->consume(e.connection, e.stream, e.bytes.size());
    }
    void check(const StreamReset& e) {
        check_alive(e.connection);
        Inbox& inbox = inboxes_[{e.connection, e.stream}];
        CHECK_FALSE(inbox.reset);
        inbox.reset = e.code;
        // What was not consumed by now need not be, and may be.
        unconsumed_[e.connection] -= inbox.unconsumed;
        inbox.unconsumed = 0;
    }
    void check(const Writable& e) {
        check_alive(e.connection);
        CHECK_FALSE(inboxes_[{e.connection, e.stream}].reset);
        CHECK_FALSE(silenced_.contains({e.connection, e.stream}));
        CHECK(transport_->backlog(e.connection, e.stream).bytes <
              limits_.stream_backlog_bytes_max / 2);
    }
    void check(const DatagramReceived& e) { check_alive(e.connection); }
    void check(const Disconnected& e) {
        CHECK(ended_.insert({e.connection, e.reason}).second);
        CHECK_FALSE(transport_->channel_binding(e.connection).has_value());
        CHECK_FALSE(transport_->open_stream(e.connection).has_value());
    }
    void check_alive(ConnectionId connection) const {
        CHECK(connected(connection));
        CHECK_FALSE(ended(connection));
    }

    T* transport_;
    std::string name_;
    Limits limits_;
    std::map<std::pair<ConnectionId, StreamId>, Inbox> inboxes_{};
    std::map<ConnectionId, std::size_t> unconsumed_{};
    std::set<std::pair<ConnectionId, StreamId>> silenced_{};
    std::set<ConnectionId> connected_{};
    std::map<ConnectionId, CloseReason> ended_{};
};

/// A server and a client of it, driven by their deadlines alone.
template <TransportFixture F>
class World {
public:
    using Server = std::remove_reference_t<decltype(std::declval<F&>().server())>;
    using Client = std::remove_reference_t<decltype(std::declval<F&>().add_client())>;

    explicit World(Limits server_limits = {}, Limits client_limits = {})
        : fixture(server_limits, client_limits),
          server("server", fixture.server(), server_limits),
          client("client", fixture.add_client(), client_limits) {}

    /// Lets things happen until `done()`; false if they took longer than `patience`.
    template <class Predicate>
    bool run_until(Predicate done, Duration patience = 60s) {
        const TimePoint last = fixture.now() + patience;
        std::size_t steps_at_once = 0;
        for (TimePoint before = fixture.now();;) {
            server.poll();
            client.poll();
            if (done()) return true;
            if (fixture.now() > last || !fixture.step()) return false;
            ++steps;
            steps_at_once = fixture.now() == before ? steps_at_once + 1 : 0;
            before = fixture.now();
            if (steps_at_once == 10'000) FAIL("a deadline that is always due");
        }
    }

    /// Lets a time pass, or less if nothing is due any more.
    void run_for(Duration duration) {
        run_until([] { return false; }, duration);
    }

    /// Connects the client; afterwards both sides know their `id`.
    void connect() {
        const Result<ConnectionId> dialled = client->connect(fixture.now());
        REQUIRE(dialled.has_value());
        const std::size_t before = server.template count<Connected>();
        REQUIRE(run_until([&] {
            return client.connected(*dialled) && server.template count<Connected>() > before;
        }));
        REQUIRE(client.id == *dialled);
    }

    /// A stream that the server knows, because it got a byte on it.
    StreamId open() {
        const Result<StreamId> stream = client->open_stream(client.id);
        REQUIRE(stream.has_value());
        REQUIRE(client->write(client.id, *stream, Bytes{Buffer{std::byte{'!'}}}, false));
        REQUIRE(run_until([&] { return server.inbox(*stream).bytes.size() == 1; }));
        if (!server.consumes) server.consume_all(*stream);
        return *stream;
    }

    std::size_t backlog(auto& side, StreamId stream) {
        return measured([&] { return side->backlog(side.id, stream).bytes; });
    }
    std::size_t unacknowledged(auto& side) {
        return measured([&] { return side->unacknowledged(side.id); });
    }

    F fixture;
    Side<Server> server;
    Side<Client> client;
    std::size_t steps = 0;

private:
    std::size_t measured(const auto& count) {
        const std::size_t first = count();
        if constexpr (requires { fixture.measure(); }) {
            fixture.measure();
            CHECK(count() <= first);
        }
        return count();
    }
};

/// Bytes that tell where they belong: each depends on the seed and on its place.
inline Buffer pattern(std::uint64_t seed, std::size_t length) {
    memory::Random random{seed};
    Buffer bytes(length);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next() >> 56);
    return bytes;
}

/// The first byte of `World::open`, and then the pattern.
inline Buffer after_opening(std::uint64_t seed, std::size_t length) {
    Buffer bytes{std::byte{'!'}};
    append(bytes, pattern(seed, length));
    return bytes;
}

}  // namespace quicchat::conformance
