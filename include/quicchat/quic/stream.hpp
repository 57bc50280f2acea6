#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/send_buffer.hpp"

namespace quicchat::quic {

/// A QUIC stream id as ngtcp2 spells it.
using StreamNumber = std::int64_t;

/// Something that the application has not been told yet. What it is about is looked up when it
/// asks, so there is at most one of each kind for a stream, and the queue stays short.
struct Notice {
    /// `connected` and `datagram` are about no stream.
    enum class Kind : std::uint8_t { connected, data, reset, writable, datagram } kind;  ///< Which.
    StreamNumber stream = -1;  ///< -1: about none.
};

/// Both directions of one stream. What a delivery touches comes first: with many rooms all of that
/// is far away in memory.
struct alignas(64) Stream {
    StreamNumber number = -1;  ///< As ngtcp2 has it.

    // Out.
    SendBuffer send{};        ///< What the application wrote and the peer has not acknowledged.
    bool fin_queued = false;  ///< The application writes nothing more.
    bool fin_sent = false;    ///< That was sent, behind all bytes.
    bool scheduled = false;   ///< It is in the queue of streams that want to send.
    bool throttled = false;   ///< Its backlog was too long; Writable follows.
    bool writable_noticed = false;  ///< Writable waits to be fetched.

    // Both.
    bool cut = false;            ///< We or the peer reset it: nothing more either way.
    bool reset_noticed = false;  ///< StreamReset waits to be fetched.
    bool closed = false;         ///< ngtcp2 is done with it and with its bytes.

    // Out.
    std::uint64_t unacknowledged = 0;  ///< Bytes that were sent.
    TimePoint waits_since{};           ///< The latest of them that was acknowledged, or the first.
    std::size_t waits_at = 0;          ///< Its place among those that wait, from 1; 0: it does not.

    // In.
    Buffer received{};           ///< What the application has not fetched yet.
    std::size_t unconsumed = 0;  ///< What it has not given back yet, `received` included.
    bool fin_received = false;   ///< The peer sends nothing behind what has come.
    bool data_noticed = false;   ///< StreamData waits to be fetched.
    /// That of the peer's reset; 0: there was none.
    std::uint64_t reset_code = 0;

    /// Whether bytes or the end of the stream can be sent now.
    bool wants_to_send() const;
    /// Nothing can happen to it any more, and the application knows all that did.
    bool is_spent() const;
};

/// The streams of one connection: pure bookkeeping that never calls ngtcp2, so that its callbacks
/// may use it.
class Streams {
public:
    Streams() = default;
    /// `held_by_all`: where what all connections hold is counted. It outlives this.
    explicit Streams(std::size_t* held_by_all) : held_by_all_(held_by_all) {}
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;
    ~Streams() { count_held(held_, 0); }

    /// nullptr if it is not known, or not any more.
    Stream* find(StreamNumber number) const;

    /// The stream of that number, which is made if there is none. It stays where it is.
    Stream& handle_open(StreamNumber number);

    /// Bytes in order, behind those that came before. `fin`: they are the last.
    void handle_data(Stream& stream, BytesView bytes, bool fin);

    /// The peer sent RESET_STREAM or STOP_SENDING. Either ends both directions for us.
    void handle_reset(StreamNumber number, std::uint64_t code);

    /// Appends to what a stream has to send.
    void hold(Stream& stream, Bytes bytes);

    /// The next so many of its bytes: ngtcp2 put them into a packet, or the peer has them.
    /// @{
    void handle_sent(Stream& stream, std::size_t bytes, TimePoint now);
    void handle_acknowledged(Stream& stream, std::uint64_t bytes, TimePoint now);
    /// @}

    /// Since when the stream that waits longest for an acknowledgement has had none; nothing if
    /// none waits.
    std::optional<TimePoint> waits_since() const;

    /// The streams whose bytes wait for an acknowledgement, in no order.
    const std::vector<Stream*>& waiting() const { return waiting_; }

    /// The bytes of all streams that are kept until the peer acknowledges them.
    std::size_t held() const { return held_; }

    /// ngtcp2 has closed it: its bytes are let go.
    void handle_closed(StreamNumber number);

    /// Puts the stream into the queue of those that want to send.
    void schedule(Stream& stream);

    /// The stream that is to send next, or null. It is not in the queue then: if it has more to
    /// send, `schedule` puts it at the end, so that streams take turns.
    Stream* next_sendable();

    /// The length of that queue, forgotten streams included.
    std::size_t sendable() const { return sendable_.size(); }

    /// Cuts a stream on our side. Returns the bytes that nobody will consume any more.
    std::size_t cut(Stream& stream);

    /// Forgets a stream that is finished in every respect. True if it was.
    bool erase_if_spent(StreamNumber number);

    /// At the end of the queue of news. Whoever calls this sees to it that there is no such notice
    /// yet.
    void notice(Notice notice);
    /// What the application was not told, the oldest first.
    /// @{
    Queue<Notice>& notices() { return notices_; }
    const Queue<Notice>& notices() const { return notices_; }
    /// @}

    /// Streams that the peer cut, and streams that ngtcp2 closed, since the last call.
    std::vector<StreamNumber> take_abandoned();
    /// See `take_abandoned`.
    std::vector<StreamNumber> take_closed();

    /// Streams that are not forgotten.
    std::size_t size() const { return streams_.size(); }

private:
    void count_held(std::size_t before, std::size_t after);
    void begin_to_wait(Stream& stream, TimePoint now);
    void end_waiting(Stream& stream);

    using Numbered = std::pair<StreamNumber, std::unique_ptr<Stream>>;

    std::vector<Numbered>::const_iterator place_of(StreamNumber number) const;

    /// In order. Each delivery looks for one, of as many as there are rooms.
    std::vector<Numbered> streams_;
    std::vector<Stream*> waiting_;  ///< Those with unacknowledged bytes, in no order.
    std::size_t held_ = 0;
    std::size_t* held_by_all_ = nullptr;
    Queue<Stream*> sendable_;  ///< Null: that stream is forgotten.
    Queue<Notice> notices_;
    std::vector<StreamNumber> abandoned_;
    std::vector<StreamNumber> closed_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/stream.ipp"
#endif
