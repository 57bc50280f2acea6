#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "imports.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat::web {

/// Models DialingTransport over a page's WebTransport object (https://www.w3.org/TR/webtransport).
/// What it is asked goes out by imports.hpp; what the page reports waits for `poll_event`.
///
/// Streams count as in PROTOCOL.md §2.1: the page opens the first as 0, the next one as 4.
class PageTransport {
public:
    /// Of the limits, those of streams' backlogs. Windows are the browser's.
    explicit PageTransport(const Limits& limits = {})
        : backlog_max_(limits.stream_backlog_bytes_max) {}

    // As of DialingTransport. The browser says neither its peer's address, nor that there are too
    // many streams: those wait in it.
    Result<ConnectionId> connect(TimePoint);
    Result<StreamId> open_stream(ConnectionId connection);
    Result<Backlog> write(ConnectionId connection, StreamId stream, Bytes bytes, bool fin);
    void reset_stream(ConnectionId connection, StreamId stream, std::uint64_t code);
    Backlog backlog(ConnectionId connection, StreamId stream) const;
    std::size_t unacknowledged(ConnectionId connection) const;
    std::size_t unacknowledged() const { return unsent_; }
    void consume(ConnectionId connection, StreamId stream, std::size_t bytes);
    bool send_datagram(ConnectionId connection, Bytes bytes);
    /// No browser tells it: logins of pages are bound to what the page pinned (PROTOCOL.md §5.9).
    Result<ChannelBinding> channel_binding(ConnectionId connection) const {
        return is_up(connection) ? Errc::unsupported : Errc::not_ready;
    }
    void close(ConnectionId connection, Errc why, std::string_view text);
    std::optional<TransportEvent> poll_event();
    void handle_timeout(TimePoint) {}
    std::optional<TimePoint> next_deadline() const { return std::nullopt; }

    // What the page reports. What is about an earlier connection it keeps to itself.

    void handle_connected();
    void handle_data(std::uint32_t stream, BytesView bytes, bool fin);
    void handle_reset(std::uint32_t stream, std::uint64_t code);
    /// The browser took so many bytes of a stream.
    void handle_sent(std::uint32_t stream, std::size_t bytes);
    void handle_datagram(BytesView bytes);
    void handle_closed(CloseReason reason);

private:
    /// A stream in our direction. Bytes that the browser has not taken are the backlog.
    struct Stream {
        std::size_t unsent = 0;
        bool finished = false;  ///< By us.
        bool ended = false;     ///< By the server.
        bool throttled = false;
    };
    using Streams = std::map<std::uint32_t, Stream>;

    enum class Phase { idle, dialling, connected, closing };

    /// Browsers promise to send datagrams that are as small as this.
    static constexpr std::size_t datagram_bytes_max = 1000;

    static std::uint32_t number(StreamId stream) { return static_cast<std::uint32_t>(stream); }
    ConnectionId id() const { return ConnectionId{connections_}; }
    bool is_up(ConnectionId connection) const;
    void drop(std::uint32_t stream);
    void forget_events(StreamId stream);
    void settle(Streams::iterator place);

    std::deque<TransportEvent> events_;  ///< As many as the browser may report of what has credit.
    Streams streams_;
    std::size_t unsent_ = 0;  ///< Over all streams.
    std::uint64_t connections_ = 0;
    std::uint32_t next_stream_ = 0;
    Phase phase_ = Phase::idle;
    CloseReason ours_;  ///< Why we are closing.
    std::size_t backlog_max_;
};

static_assert(DialingTransport<PageTransport>);

inline bool PageTransport::is_up(ConnectionId connection) const {
    return phase_ == Phase::connected && connection == id();
}

inline Result<ConnectionId> PageTransport::connect(TimePoint) {
    streams_.clear();
    unsent_ = 0;
    next_stream_ = 0;
    ++connections_;
    phase_ = Phase::dialling;
    quicchat_dial();
    return id();
}

inline Result<StreamId> PageTransport::open_stream(ConnectionId connection) {
    if (!is_up(connection)) return Errc::not_ready;
    const std::uint32_t stream = std::exchange(next_stream_, next_stream_ + 4);
    streams_.emplace(stream, Stream{});
    quicchat_open(stream);
    return StreamId{stream};
}

inline Result<Backlog> PageTransport::write(ConnectionId connection, StreamId id, Bytes bytes,
                                            bool fin) {
    const auto found = streams_.find(number(id));
    if (!is_up(connection) || found == streams_.end() || found->second.finished) {
        return Errc::not_ready;
    }
    Stream& stream = found->second;
    stream.finished = fin;
    stream.unsent += bytes.size();
    unsent_ += bytes.size();
    if (stream.unsent >= backlog_max_) stream.throttled = true;
    quicchat_write(number(id), bytes.data(), static_cast<std::uint32_t>(bytes.size()), fin);
    const Backlog backlog{stream.unsent};
    settle(found);
    return backlog;
}

inline void PageTransport::drop(std::uint32_t stream) {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    unsent_ -= found->second.unsent;
    streams_.erase(found);
}

/// What is not read of a stream that we reset is of no interest.
inline void PageTransport::forget_events(StreamId stream) {
    std::erase_if(events_, [&](const TransportEvent& event) {
        return match_some(
            event, false,
            [&](const StreamData& e) { return e.connection == id() && e.stream == stream; },
            [&](const StreamReset& e) { return e.connection == id() && e.stream == stream; },
            [&](const Writable& e) { return e.connection == id() && e.stream == stream; });
    });
}

/// Forgets a stream that is over in both directions.
inline void PageTransport::settle(Streams::iterator place) {
    const Stream& stream = place->second;
    if (stream.finished && stream.ended && stream.unsent == 0) streams_.erase(place);
}

inline void PageTransport::reset_stream(ConnectionId connection, StreamId stream,
                                        std::uint64_t code) {
    if (!is_up(connection) || !streams_.contains(number(stream))) return;
    drop(number(stream));
    forget_events(stream);
    quicchat_reset(number(stream), static_cast<std::uint32_t>(code));
}

inline Backlog PageTransport::backlog(ConnectionId connection, StreamId stream) const {
    const auto found = streams_.find(number(stream));
    return {is_up(connection) && found != streams_.end() ? found->second.unsent : 0};
}

inline std::size_t PageTransport::unacknowledged(ConnectionId connection) const {
    return is_up(connection) ? unsent_ : 0;
}

inline void PageTransport::consume(ConnectionId connection, StreamId stream, std::size_t bytes) {
    if (is_up(connection) && bytes != 0) {
        quicchat_credit(number(stream), static_cast<std::uint32_t>(bytes));
    }
}

inline bool PageTransport::send_datagram(ConnectionId connection, Bytes bytes) {
    if (!is_up(connection) || bytes.size() > datagram_bytes_max) return false;
    quicchat_datagram(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    return true;
}

inline void PageTransport::close(ConnectionId connection, Errc why, std::string_view text) {
    if (connection != id() || phase_ == Phase::idle || phase_ == Phase::closing) return;
    phase_ = Phase::closing;
    ours_ = {.errc = why, .text = std::string{text}};
    streams_.clear();
    unsent_ = 0;
    quicchat_close(static_cast<std::uint32_t>(wire_code(why)), text.data(),
                   static_cast<std::uint32_t>(text.size()));
}

inline std::optional<TransportEvent> PageTransport::poll_event() {
    if (events_.empty()) return std::nullopt;
    std::optional<TransportEvent> event{std::move(events_.front())};
    events_.pop_front();
    return event;
}

inline void PageTransport::handle_connected() {
    if (phase_ != Phase::dialling) return;
    phase_ = Phase::connected;
    events_.push_back(Connected{id(), {}, {}});
}

inline void PageTransport::handle_data(std::uint32_t stream, BytesView bytes, bool fin) {
    const auto found = streams_.find(stream);
    if (phase_ != Phase::connected || found == streams_.end() || found->second.ended) return;
    events_.push_back(StreamData{id(), StreamId{stream}, Bytes::copy_of(bytes), fin});
    found->second.ended = fin;
    settle(found);
}

inline void PageTransport::handle_reset(std::uint32_t stream, std::uint64_t code) {
    if (phase_ != Phase::connected || !streams_.contains(stream)) return;
    drop(stream);
    events_.push_back(StreamReset{id(), StreamId{stream}, code});
}

inline void PageTransport::handle_sent(std::uint32_t stream, std::size_t bytes) {
    const auto found = streams_.find(stream);
    if (phase_ != Phase::connected || found == streams_.end()) return;
    Stream& of = found->second;
    const std::size_t taken = std::min(bytes, of.unsent);
    of.unsent -= taken;
    unsent_ -= taken;
    if (of.throttled && of.unsent < backlog_max_ / 2) {
        of.throttled = false;
        events_.push_back(Writable{id(), StreamId{stream}});
    }
    settle(found);
}

inline void PageTransport::handle_datagram(BytesView bytes) {
    if (phase_ == Phase::connected) {
        events_.push_back(DatagramReceived{id(), Bytes::copy_of(bytes)});
    }
}

inline void PageTransport::handle_closed(CloseReason reason) {
    if (phase_ == Phase::idle) return;
    if (phase_ == Phase::closing) reason = ours_;
    phase_ = Phase::idle;
    streams_.clear();
    unsent_ = 0;
    events_.push_back(Disconnected{id(), std::move(reason)});
}

}  // namespace quicchat::web
