#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/webtransport/config.hpp"
#include "quicchat/webtransport/piece_reader.hpp"
#include "quicchat/webtransport/qpack.hpp"

// One WebTransport session over HTTP/3, the server's side, without I/O: RFC 9114, RFC 9220,
// RFC 9297 and draft-ietf-webtrans-http3. A connection carries one session and nothing else.

namespace quicchat::webtransport {

// What one connection may cost before anybody is logged in.

/// Bytes that wait on all its streams: heads, requests, what came before the session.
inline constexpr std::size_t held_bytes_max = 16 * 1024;
inline constexpr std::size_t request_bytes_max = 8 * 1024;  ///< Of one; browsers send half of one.
inline constexpr std::size_t settings_bytes_max = 1024;     ///< Browsers send less than 100.
inline constexpr std::size_t requests_max = 16;             ///< Of a page there is one.
/// draft-ietf-webtrans-http3: the text of a close has at most 1024 bytes.
inline constexpr std::size_t close_text_bytes_max = 1024;
/// A page that goes away resets its streams first, in Firefox with a code of HTTP/3. What is no
/// news of the session by then was a stream's.
inline constexpr Duration reset_patience = std::chrono::milliseconds{50};

/// What a session wants done with the connection below it, or has to tell.
namespace actions {

/// To our control stream, which is opened by the first one.
struct WriteControl {
    Buffer bytes;  ///< Behind those of the one before.
};
/// To a stream of the peer's.
struct Write {
    StreamId stream;   ///< One that is open.
    Buffer bytes;      ///< Empty only if the stream ends.
    bool fin = false;  ///< Nothing more follows on that stream from us.
};
/// Abandon a stream.
struct Reset {
    StreamId stream;         ///< In both directions.
    std::uint64_t code = 0;  ///< Of HTTP/3 (RFC 9114 §8.1) or of WebTransport.
};
/// So many bytes of a stream need no memory any more.
struct Consume {
    StreamId stream;        ///< Of the peer.
    std::size_t bytes = 0;  ///< Which the peer may then send anew.
};
/// The peer is no page that we serve: end the connection. The text says why.
struct Violation {
    std::string text;  ///< A clause.
};

/// The page is there.
struct Established {};
/// Bytes of the page's stream of that number, counted within the session.
struct PageData {
    StreamId stream;   ///< Counted from 0, see `page_stream`.
    Bytes bytes;       ///< Empty only if the stream ends.
    bool fin = false;  ///< The page says nothing more on that stream.
};
/// The page abandoned that stream, with a code of ours.
struct PageReset {
    StreamId stream;         ///< Counted from 0, see `page_stream`.
    std::uint64_t code = 0;  ///< Of ours (PROTOCOL.md §8).
};
/// The page ended the session, or took note that we did.
struct PageClosed {
    std::uint64_t code = 0;  ///< Of ours.
    std::string text;        ///< From the network: clean it before showing it.
};

}  // namespace actions

/// Do them in their order.
using Action = std::variant<actions::WriteControl, actions::Write, actions::Reset, actions::Consume,
                            actions::Violation, actions::Established, actions::PageData,
                            actions::PageReset, actions::PageClosed>;

/// Takes in what a connection with HTTP/3 receives. After each call `poll_action` has what is to be
/// done. Neither a clock nor I/O; single-threaded.
class Session {
public:
    /// `config` must outlive it.
    explicit Session(const Config& config);

    /// Bytes of any stream of the connection, in order.
    void handle_data(StreamId stream, Bytes bytes, bool fin);
    /// The peer gave up a stream of the connection.
    void handle_reset(StreamId stream, std::uint64_t code, TimePoint now);
    /// Tells of the resets that waited for `reset_patience`.
    void handle_timeout(TimePoint now);

    /// The oldest one; nothing: there is none.
    std::optional<Action> poll_action() { return pop_front(actions_); }
    /// When `handle_timeout` has something to do.
    std::optional<TimePoint> next_deadline() const;

    /// Asks the page to end the session soon: the server does.
    void drain();
    /// Ends the session: the page is told this code of ours, and the text as far as there is room.
    void close(std::uint64_t code, std::string_view text);
    /// Nothing more is to be told of that stream: we abandoned it.
    void forget(StreamId page_stream);

    /// The page is there, and neither side has closed.
    bool is_open() const { return connect_.has_value() && !over_; }
    /// It was there.
    bool was_established() const { return connect_.has_value(); }
    /// Of the page, as its browser says.
    const std::string& origin() const { return origin_; }
    /// Streams that may still bring something.
    std::size_t streams() const { return streams_.size(); }
    /// Bytes that wait; see held_bytes_max.
    std::size_t held_bytes() const { return held_bytes_; }

    // PROTOCOL.md §2.1: the streams of a session count from 0, as those of a connection of our own
    // do. A page opens nothing after its CONNECT request but these.

    /// The connection's number for a stream of the page; nothing if no page has such a stream.
    std::optional<StreamId> outer_stream(StreamId page_stream) const;
    /// The page's number for a stream of the connection; nothing if it is none of the page's.
    std::optional<StreamId> page_stream(StreamId outer) const;

    /// The payload of a datagram of the page; nothing if it is none.
    std::optional<Bytes> payload_of(const Bytes& datagram) const;
    /// What a datagram to the page begins with.
    Buffer datagram_head() const;

private:
    /// A stream of the peer.
    struct Incoming {
        enum class Kind : std::uint8_t { unknown, control, request, connect, page, ignored };
        Kind kind = Kind::unknown;
        bool settings_seen = false;
        bool fin = false;      ///< Of one that came before its session.
        StreamId session{};    ///< Of a page's.
        Buffer held{};         ///< What waits for the rest of it, or for its session.
        PieceReader frames{};  ///< Of control and request streams.
    };
    struct HeldReset {
        StreamId stream{};
        TimePoint until{};
    };
    using Streams = std::map<StreamId, Incoming>;
    using Piece = PieceReader::Piece;

    static bool is_uni(StreamId stream) { return (static_cast<std::uint64_t>(stream) & 2) != 0; }

    void read_head(StreamId stream, Incoming& in, const Bytes& bytes, bool fin);
    void read_uni_head(StreamId stream, Incoming& in, BytesView head);
    void read_page_head(StreamId stream, Incoming& in, Bytes first, bool fin);
    void join(StreamId stream, Incoming& in, Bytes first);
    void refuse(StreamId stream, Incoming& in, std::uint64_t code);
    void read_frames(StreamId stream, Incoming& in, BytesView bytes);
    bool handle_control_piece(Incoming& in, const Piece& piece);
    bool handle_request_piece(StreamId stream, Incoming& in, const Piece& piece);
    bool collect(Incoming& in, const Piece& piece, std::size_t bytes_max);
    void check_settings(BytesView settings);
    void handle_request(StreamId stream, Incoming& in, BytesView section);
    unsigned judge(const Fields& request) const;
    void answer(StreamId stream, unsigned status, const Fields& fields, bool fin);
    void establish(StreamId stream, Incoming& in, const Fields& request);
    void handle_capsules(BytesView bytes);
    void finish(StreamId stream, Incoming& in);

    void hold(Incoming& in, BytesView bytes);
    void drop_held(Incoming& in);
    void go_away();
    void write_capsule(std::uint64_t type, BytesView value, bool fin);
    void push(Action action);
    void consume(StreamId stream, std::size_t bytes);
    void violate(const char* problem);
    void take_note();
    void end(std::uint64_t code, std::string text);

    const Config* config_;
    Streams streams_;
    Queue<Action> actions_;
    Queue<HeldReset> held_resets_;  ///< In order: all wait equally long.
    std::optional<StreamId> connect_;
    std::string origin_;
    PieceReader capsules_;
    Buffer capsule_;
    std::size_t held_bytes_ = 0;
    std::size_t requests_ = 0;
    std::uint64_t next_request_ = 0;  ///< For GOAWAY: those below were seen.
    bool has_control_stream_ = false;
    bool gone_away_ = false;
    bool closing_ = false;  ///< We have closed, and wait for the page to take note.
    bool over_ = false;
};

}  // namespace quicchat::webtransport

#ifndef QUICCHAT_COMPILED
#include "quicchat/webtransport/impl/session.ipp"
#endif
