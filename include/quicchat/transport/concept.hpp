#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// How much of what was written to a stream waits to be sent for the first time, in bytes.
struct Backlog {
    std::size_t bytes = 0;  ///< Not sent yet.
};

/// A connection's peer can be talked to on a new stream.
template <class T>
concept OpensStreams = requires(T transport, ConnectionId connection) {
    { transport.open_stream(connection) } -> std::same_as<Result<StreamId>>;
};

/// Bytes go out in order on a stream, until it ends or is abandoned.
template <class T>
concept WritesStreams = requires(T transport, const T& view, ConnectionId connection,
                                 StreamId stream, Bytes bytes, bool fin, std::uint64_t code) {
    { transport.write(connection, stream, bytes, fin) } -> std::same_as<Result<Backlog>>;
    { transport.reset_stream(connection, stream, code) } -> std::same_as<void>;
    { view.backlog(connection, stream) } -> std::same_as<Backlog>;
};

/// It says how much it keeps for peers.
template <class T>
concept CountsWhatItHolds = requires(const T& view, ConnectionId connection) {
    { view.unacknowledged(connection) } -> std::same_as<std::size_t>;
    { view.unacknowledged() } -> std::same_as<std::size_t>;
};

/// Its peers send more only as the application takes what came.
template <class T>
concept GrantsCredit = requires(T transport, ConnectionId connection, StreamId stream,
                                std::size_t bytes) {
    { transport.consume(connection, stream, bytes) } -> std::same_as<void>;
};

/// What need not arrive can be sent without a stream.
template <class T>
concept SendsDatagrams = requires(T transport, ConnectionId connection, Bytes bytes) {
    { transport.send_datagram(connection, bytes) } -> std::same_as<bool>;
};

/// A login can be bound to the connection that it travels on.
template <class T>
concept BindsChannels = requires(const T& view, ConnectionId connection) {
    { view.channel_binding(connection) } -> std::same_as<Result<ChannelBinding>>;
};

/// A connection can be ended, with a reason.
template <class T>
concept ClosesConnections = requires(T transport, ConnectionId connection, Errc why,
                                     std::string_view text) {
    { transport.close(connection, why, text) } -> std::same_as<void>;
};

/// News waits until it is asked for.
template <class T>
concept ReportsEvents = requires(T transport) {
    { transport.poll_event() } -> std::same_as<std::optional<TransportEvent>>;
};

/// Time comes in from outside, and it says when it must.
template <class T>
concept KeepsTime = requires(T transport, const T& view, TimePoint now) {
    { transport.handle_timeout(now) } -> std::same_as<void>;
    { view.next_deadline() } -> std::same_as<std::optional<TimePoint>>;
};

/// Carries ordered byte streams between peers. `quic::Endpoint` and `memory::Transport` model it.
///
/// Beyond the signatures a transport promises that
///  - it never calls back: all news waits in `poll_event` until asked for;
///  - a connection's events start with Connected and end with Disconnected, and there is exactly
///    one Disconnected for each connection that was connected or dialled, also after our own
///    `close`;
///  - `write` takes all bytes by reference and keeps them until the peer acknowledged them. It
///    fails with `not_ready` on a stream that is unknown, finished or reset, and does nothing then;
///  - `write` returns the backlog. Once that reached `Limits::stream_backlog_bytes_max`, a Writable
///    follows when it has fallen below half of it, unless the stream or connection ended before;
///  - `unacknowledged` is how many bytes of a connection, or of all, it keeps: what was written and
///    the peer does not have. It may count until the peer consumed them. Of who has everything, and
///    of a connection that ended, it keeps none;
///  - the peer's credit comes back only by `consume`; a peer that is not credited stops sending;
///  - a stream that the peer reset or that we reset reports nothing after StreamReset, and the ids
///    of streams that a client opens on one connection are ascending;
///  - calls that name an unknown or ended connection do nothing and fail with `not_ready`;
///  - `channel_binding` is available from Connected on, equal at both ends, and fails rather than
///    making something up;
///  - what a call causes on the wire happens at the next turn of the driver, never inside the call;
///  - `close` sends what it can of the reason; streams are cut, not flushed.
///
/// tests/conformance checks these promises on every transport.
template <class T>
concept Transport = std::movable<T> && OpensStreams<T> && WritesStreams<T> &&
    CountsWhatItHolds<T> && GrantsCredit<T> && SendsDatagrams<T> && BindsChannels<T> &&
    ClosesConnections<T> && ReportsEvents<T> && KeepsTime<T>;

/// A transport that can dial the peer it was made for. Connected or Disconnected follows.
template <class T>
concept DialingTransport = Transport<T> && requires(T transport, TimePoint now) {
    { transport.connect(now) } -> std::same_as<Result<ConnectionId>>;
};

}  // namespace quicchat
