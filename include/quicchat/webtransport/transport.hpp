#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/transport/stats.hpp"
#include "quicchat/webtransport/codes.hpp"
#include "quicchat/webtransport/session.hpp"

namespace quicchat::webtransport {

/// A transport that HTTP/3 can be spoken over: it opens unidirectional streams as well, and says in
/// Connected which application protocol both sides agreed on. `quic::Endpoint` models it.
template <class T>
concept CarriesHttp = quicchat::Transport<T> && requires(T transport, ConnectionId connection) {
    { transport.open_uni_stream(connection) } -> std::same_as<Result<StreamId>>;
};

/// How long a connection may be there without a page's request: as long as a handshake.
inline constexpr Duration request_timeout = std::chrono::seconds{10};
/// The reason of a close travels on a stream, so the connection lives on for so long, unless the
/// page ends it before. Those above have heard of its end by then.
inline constexpr Duration farewell = std::chrono::seconds{1};

/// A server's transport whose peers speak quicchat over QUIC or, from a page, over WebTransport:
/// the ALPN of each connection decides. All but those of HTTP/3 pass through untouched. Those above
/// see no difference but in Connected, and that a page has no `channel_binding`: no browser gives
/// it the TLS exporter, and what is the same for all connections must not be taken for one.
///
/// A page is Connected when its request was accepted; who never gets there is never heard of.
template <CarriesHttp Inner>
class Transport {
public:
    /// Takes the transport below over. `config`: which pages may come, see `set_config`.
    Transport(Inner inner, Config config)
        : state_(std::make_unique<State>(std::move(inner), std::move(config))) {}

    // --- Requests; see transport/concept.hpp for their promises.

    /// PROTOCOL.md §2.1: a page opens its streams itself.
    Result<StreamId> open_stream(ConnectionId id);
    /// As the concept Transport has it. Streams of a page count from 0.
    /// @{
    Result<Backlog> write(ConnectionId id, StreamId stream, Bytes bytes, bool fin);
    void reset_stream(ConnectionId id, StreamId stream, std::uint64_t code);
    Backlog backlog(ConnectionId id, StreamId stream) const;
    std::size_t unacknowledged(ConnectionId id) const;
    std::size_t unacknowledged() const { return state_->inner.unacknowledged(); }
    void consume(ConnectionId id, StreamId stream, std::size_t bytes);
    bool send_datagram(ConnectionId id, Bytes bytes);
    Result<ChannelBinding> channel_binding(ConnectionId id) const;
    void close(ConnectionId id, Errc why, std::string_view text);
    /// @}

    // --- Inputs and outputs.

    /// As the concept Transport has it.
    /// @{
    std::optional<TransportEvent> poll_event();
    void handle_timeout(TimePoint now);
    std::optional<TimePoint> next_deadline() const;
    /// @}

    // --- What the transport below may do beyond the concept.

    /// See `quic::Endpoint::note_login`.
    void note_login(ConnectionId id) requires requires(Inner i) { i.note_login(id); }
    { state_->inner.note_login(id); }
    /// See `quic::Endpoint::look_ahead`. Nothing is done for pages.
    void look_ahead(ConnectionId id, StreamId stream) const requires requires(const Inner& i) {
        i.look_ahead(id, stream);
    }
    {
        if (find(id) == nullptr) state_->inner.look_ahead(id, stream);
    }
    /// Of the transport below.
    TransportStats stats() const requires MeasuresItself<Inner> { return state_->inner.stats(); }
    /// Nothing also for a connection that was not Connected yet.
    std::optional<PathStats> path_stats(ConnectionId id) const requires MeasuresItself<Inner> {
        return is_heard_of(id) ? state_->inner.path_stats(id) : std::nullopt;
    }

    /// The transport below: for its socket and timers, not to write to.
    /// @{
    Inner& inner() { return state_->inner; }
    const Inner& inner() const { return state_->inner; }
    /// @}

    /// Asks all pages to end soon: the server does.
    void drain();
    /// A session that we closed waits for its page to acknowledge that, for `farewell` at most: who
    /// ends an endpoint earlier may leave a page that was never told.
    bool says_farewell() const;
    /// For requests that come from now on: pages that are there stay, whatever it says of them.
    void set_config(Config config) { state_->config = std::move(config); }
    /// Connections with HTTP/3, those included that have no session yet or no more.
    std::size_t pages() const { return state_->pages.size(); }

private:
    struct Page {
        Page(const Config& config, Connected facts)
            : session(config), connected(std::move(facts)) {}
        Session session;
        Connected connected;  ///< As the transport below said it.
        std::optional<StreamId> control{};
        /// What the page said when it ended the session: better than what its transport says.
        std::optional<CloseReason> reason{};
        bool told_connected = false;
        bool told_disconnected = false;
    };
    struct State {
        State(Inner transport, Config settings)
            : inner(std::move(transport)), config(std::move(settings)) {}
        Inner inner;
        Config config;
        std::unordered_map<ConnectionId, std::unique_ptr<Page>> pages;
        DeadlineQueue<ConnectionId> ends;      ///< Until when a connection may go on without one.
        DeadlineQueue<ConnectionId> sessions;  ///< When a session wants its turn.
        Queue<TransportEvent> events;
        TimePoint now{};
    };

    Page* find(ConnectionId id) {
        return const_cast<Page*>(std::as_const(*this).find(id));  // NOLINT: of a mutable object
    }
    const Page* find(ConnectionId id) const {
        if (state_->pages.empty()) return nullptr;  // native clients pay for no look-up
        const auto found = state_->pages.find(id);
        return found != state_->pages.end() ? found->second.get() : nullptr;
    }
    bool is_heard_of(ConnectionId id) const {
        const Page* page = find(id);
        return page == nullptr || (page->told_connected && !page->told_disconnected);
    }
    /// The number below of an open page's stream.
    static std::optional<StreamId> outer_stream(const Page& page, StreamId stream) {
        return page.session.is_open() ? page.session.outer_stream(stream) : std::nullopt;
    }

    void begin(Connected connected);
    void take(ConnectionId id, Page& page, TransportEvent event);
    void act(ConnectionId id, Page& page);
    void do_action(ConnectionId id, Page& page, Action action);
    void write_control(ConnectionId id, Page& page, Buffer bytes);
    void tell_end(ConnectionId id, Page& page, CloseReason reason);
    void forget(ConnectionId id, Page& page, CloseReason reason);

    std::unique_ptr<State> state_;
};

}  // namespace quicchat::webtransport

#include "quicchat/webtransport/impl/transport.ipp"
