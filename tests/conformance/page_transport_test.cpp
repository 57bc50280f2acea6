#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "../../bindings/web/cpp/page_transport.hpp"
#include "conformance/transport_conformance.hpp"
#include "quicchat/memory/network.hpp"
#include "support/seed.hpp"

namespace quicchat {
namespace {

/// A page's transport over one in memory: what transport.js does with the browser's streams. All
/// that the page asks for goes on at once, and what comes is reported at the next turn.
class PageOverMemory {
public:
    PageOverMemory(memory::Transport inner, const Limits& limits)
        : state_(std::make_unique<State>(std::move(inner), limits)) {}

    Result<ConnectionId> connect(TimePoint now) {
        state_->now = now;
        return page().connect(now);
    }
    Result<StreamId> open_stream(ConnectionId id) { return page().open_stream(id); }
    Result<Backlog> write(ConnectionId id, StreamId stream, Bytes bytes, bool fin) {
        return page().write(id, stream, std::move(bytes), fin);
    }
    void reset_stream(ConnectionId id, StreamId stream, std::uint64_t code) {
        page().reset_stream(id, stream, code);
    }
    void consume(ConnectionId id, StreamId stream, std::size_t bytes) {
        page().consume(id, stream, bytes);
    }
    bool send_datagram(ConnectionId id, Bytes bytes) {
        return page().send_datagram(id, std::move(bytes));
    }
    void close(ConnectionId id, Errc why, std::string_view text) { page().close(id, why, text); }
    Backlog backlog(ConnectionId id, StreamId stream) const {
        return state_->page.backlog(id, stream);
    }
    std::size_t unacknowledged(ConnectionId id) const { return state_->page.unacknowledged(id); }
    std::size_t unacknowledged() const { return state_->page.unacknowledged(); }
    Result<ChannelBinding> channel_binding(ConnectionId id) const {
        return state_->page.channel_binding(id);
    }
    std::optional<TransportEvent> poll_event() {
        std::optional<TransportEvent> event = state_->page.poll_event();
        auto* connected = event ? std::get_if<Connected>(&*event) : nullptr;
        if (connected) connected->peer_address = "which no browser tells";
        return event;
    }
    std::optional<TimePoint> next_deadline() const { return state_->inner.next_deadline(); }

    void handle_timeout(TimePoint now) {
        state_->now = now;
        state_->inner.handle_timeout(now);
        look();
    }

    /// Tells the page what became of what it asked for.
    void look() {
        while (auto event = state_->inner.poll_event()) report(*std::move(event));
        if (!state_->connection) return;
        for (auto& [stream, unsent] : state_->unsent) {
            const std::size_t left = state_->inner.backlog(*state_->connection, stream).bytes;
            page().handle_sent(number(stream), std::exchange(unsent, left) - left);
        }
    }

    // What imports.hpp asks of a page: of the one whose call that is.

    static PageOverMemory& caller() { return *caller_; }
    void dial() {
        auto& [inner, page, now, connection, unsent] = *state_;
        if (connection) inner.close(*connection, Errc::closed, "");
        unsent.clear();
        connection = inner.connect(now).value();
    }
    void open(std::uint32_t stream) {
        REQUIRE(state_->inner.open_stream(*state_->connection).value() == StreamId{stream});
        state_->unsent[StreamId{stream}] = 0;
    }
    void write_out(std::uint32_t stream, BytesView bytes, bool fin) {
        const auto id = StreamId{stream};
        REQUIRE(state_->inner.write(*state_->connection, id, Bytes::copy_of(bytes), fin));
        state_->unsent.at(id) += bytes.size();
    }
    void reset(std::uint32_t stream, std::uint32_t code) {
        state_->unsent.erase(StreamId{stream});
        state_->inner.reset_stream(*state_->connection, StreamId{stream}, code);
    }
    void credit(std::uint32_t stream, std::uint32_t bytes) {
        state_->inner.consume(*state_->connection, StreamId{stream}, bytes);
    }
    void hint(BytesView bytes) {
        (void)state_->inner.send_datagram(*state_->connection, Bytes::copy_of(bytes));
    }
    void end(std::uint32_t code, std::string_view text) {
        state_->inner.close(*state_->connection, from_wire_code(code), text);
    }

private:
    struct State {
        State(memory::Transport transport, const Limits& limits)
            : inner(std::move(transport)), page(limits) {}
        memory::Transport inner;
        web::PageTransport page;
        TimePoint now{};
        std::optional<ConnectionId> connection{};  ///< Below. Of others the page hears nothing.
        std::map<StreamId, std::size_t> unsent{};  ///< As the page knows it.
    };

    static std::uint32_t number(StreamId stream) { return static_cast<std::uint32_t>(stream); }

    /// Before any call of it.
    web::PageTransport& page() {
        caller_ = this;
        return state_->page;
    }

    void report(TransportEvent event) {
        const auto is_ours = [&](const auto& e) { return e.connection == state_->connection; };
        match(
            std::move(event),
            [&](Connected&& e) {
                if (is_ours(e)) page().handle_connected();
            },
            [&](StreamData&& e) {
                if (is_ours(e)) page().handle_data(number(e.stream), e.bytes.view(), e.fin);
            },
            [&](StreamReset&& e) {
                if (!is_ours(e)) return;
                state_->unsent.erase(e.stream);
                page().handle_reset(number(e.stream), e.code);
            },
            [&](Writable&&) {},
            [&](DatagramReceived&& e) {
                if (is_ours(e)) page().handle_datagram(e.bytes.view());
            },
            [&](Disconnected&& e) {
                if (!is_ours(e)) return;
                state_->connection.reset();
                state_->unsent.clear();
                page().handle_closed(std::move(e.reason));
            });
    }

    static inline PageOverMemory* caller_ = nullptr;
    std::unique_ptr<State> state_;
};

static_assert(DialingTransport<PageOverMemory>);

PageOverMemory& caller() { return PageOverMemory::caller(); }
BytesView view(const void* bytes, std::uint32_t size) {
    return {static_cast<const std::byte*>(bytes), size};
}

class PageFixture {
public:
    PageFixture(Limits server_limits, Limits client_limits)
        : network_({.seed = test::seed(), .channel_binding_fails = true}),
          client_limits_(client_limits),
          server_(network_.listen("server", server_limits)) {}

    static constexpr Errc nobody_there = Errc::unreachable;
    static constexpr bool has_channel_binding = false;

    memory::Transport& server() { return server_; }
    PageOverMemory& add_client() { return add("server"); }
    PageOverMemory& add_stray_client() { return add("nowhere"); }
    TimePoint now() const { return network_.now(); }

    bool step() {
        std::optional<TimePoint> next = server_.next_deadline();
        for (const auto& client : clients_) next = earlier(next, client->next_deadline());
        if (!next) return false;
        if (server_.next_deadline() == next) server_.handle_timeout(*next);
        for (const auto& client : clients_) {
            if (client->next_deadline() == next) client->handle_timeout(*next);
        }
        // They are of one network, whose time any of them moves on.
        for (const auto& client : clients_) client->look();
        return true;
    }

    void cut() {
        for (std::uint64_t i = 1; i <= network_.connections_dialled(); ++i) network_.cut(i);
    }

private:
    PageOverMemory& add(std::string_view address) {
        clients_.push_back(std::make_unique<PageOverMemory>(
            network_.dial(std::string{address}, client_limits_), client_limits_));
        return *clients_.back();
    }

    memory::Network network_;
    Limits client_limits_;
    memory::Transport server_;
    std::vector<std::unique_ptr<PageOverMemory>> clients_;
};

// All but "stream limit": a browser lets streams wait that are too many, where other transports
// refuse them. Windows and their sizes are the browser's as well, here those of the memory network.
TEST_CASE("the transport of pages keeps its promises", "[conformance][page]") {
    using namespace conformance;
    using F = PageFixture;
    INFO("seed=" << test::seed());
    SECTION("connecting") { check_connecting<F>(); }
    SECTION("closing") { check_closing<F>(); }
    SECTION("unknown connections") { check_unknown_connections<F>(); }
    SECTION("channel binding") { check_channel_binding<F>(); }
    SECTION("datagrams") { check_datagrams<F>(); }
    SECTION("driving") { check_driving<F>(); }
    SECTION("streams") { check_streams<F>(); }
    SECTION("ends of streams") { check_ends_of_streams<F>(); }
    SECTION("resets") { check_resets<F>(); }
    SECTION("credit") { check_credit<F>(); }
    SECTION("what is kept") { check_unacknowledged<F>(); }
    SECTION("credit of ended streams") { check_credit_of_ended_streams<F>(); }
    SECTION("back-pressure") { check_back_pressure<F>(); }
}

}  // namespace
}  // namespace quicchat

void quicchat_dial() { quicchat::caller().dial(); }
void quicchat_open(std::uint32_t stream) { quicchat::caller().open(stream); }
void quicchat_write(std::uint32_t stream, const void* bytes, std::uint32_t size,
                    std::uint32_t fin) {
    quicchat::caller().write_out(stream, quicchat::view(bytes, size), fin != 0);
}
void quicchat_reset(std::uint32_t stream, std::uint32_t code) {
    quicchat::caller().reset(stream, code);
}
void quicchat_credit(std::uint32_t stream, std::uint32_t bytes) {
    quicchat::caller().credit(stream, bytes);
}
void quicchat_datagram(const void* bytes, std::uint32_t size) {
    quicchat::caller().hint(quicchat::view(bytes, size));
}
void quicchat_close(std::uint32_t code, const char* text, std::uint32_t size) {
    quicchat::caller().end(code, {text, size});
}
