#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat::shards {

/// What the chat asks a shard to do for one connection. A write is the command that there are
/// many of.
struct Command {
    /// What is to be done.
    enum class Kind : std::uint8_t {
        write,          ///< Bytes to a stream.
        reset,          ///< Abandon a stream.
        consume,        ///< Give a peer credit back.
        send_datagram,  ///< Send a datagram.
        note_login,     ///< The peer is logged in.
        measure,        ///< Say how much waits; nothing else.
        close,          ///< End the connection.
    };

    Kind kind = Kind::write;    ///< See Kind.
    bool fin = false;           ///< Of a write.
    bool same = false;          ///< Of a write: its bytes are those of the command before.
    bool measures = false;      ///< `Measured` is to follow, when what can be sent has been.
    bool full = false;          ///< Of a write: nothing more is written until Writable comes.
    ConnectionId connection{};  ///< By the chat's id.
    StreamId stream{};          ///< Or `no_stream`.
    /// Of a reset its code, of a close its Errc, of `consume` how many bytes. Of all that measure:
    /// how many bytes were ever written to the stream.
    std::uint64_t number = 0;
    std::uint64_t written = 0;  ///< Of all that measure: to the connection.
    Bytes bytes{};              ///< To write or to send; of a close its text.
};

/// In a `measure` that is about the connection alone.
inline constexpr StreamId no_stream{~std::uint64_t{0}};

/// A connection, with what the chat may ask about it later.
struct Opened {
    Connected connected;             ///< As the transport reported it, with the chat's id.
    Result<ChannelBinding> binding;  ///< That of `channel_binding` at that time.
};

/// How much of what was written waits. The first four are those of the command that asked.
struct Measured {
    /// As in the Command.
    /// @{
    ConnectionId connection;
    StreamId stream;
    std::uint64_t number = 0;
    std::uint64_t written = 0;
    /// @}

    std::size_t backlog = 0;         ///< Of the stream.
    std::size_t unacknowledged = 0;  ///< Of the connection.
    bool was_reset = false;          ///< It answers a reset: the stream reports no more.
};

/// What a shard tells the chat.
using News = std::variant<Opened, StreamData, StreamReset, Writable, DatagramReceived, Disconnected,
                          Measured>;

/// Datagrams that wait to be read, in one place; those that come then are lost.
inline constexpr std::size_t datagrams_waiting_max = 512;

/// A shard as its link knows it; see Carrier. Only for `Link::run` and `Link::post_call`.
class CarrierPort {
public:
    virtual ~CarrierPort() = default;
    /// Since the start.
    virtual TransportStats stats() const = 0;
    /// By the chat's id.
    virtual std::optional<PathStats> path_stats(ConnectionId id) const = 0;
    /// Asks pages to end soon, if there are any.
    virtual void drain() = 0;
};

/// The two ways between the thread of the chat and that of one shard. What goes either way waits
/// for the other's next turn, in order; whoever puts something into an empty way wakes the other.
///
/// Bounded by what the chat writes (it knows what it wrote and what is left), and by the credit
/// that peers have.
class Link {
public:
    /// `chat` wakes the chat's thread; all its links share it.
    explicit Link(std::shared_ptr<const WakeFd> chat);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // --- Of the chat's thread.

    /// Hands commands over, and leaves an empty vector.
    void post(std::vector<Command>& commands);

    /// The news since the last call, behind those that are in `taken`.
    void take_news(std::vector<News>& taken);

    /// Does something with the shard between two of its turns, and waits for the end of it: at the
    /// shard's thread, or here if it has none.
    void run(const std::function<void(CarrierPort&)>& action);

    /// The same without waiting.
    void post_call(std::function<void(CarrierPort&)> action);

    /// Bytes of writes that are held no more, since the start: a peer has them, or nobody wants
    /// them.
    std::uint64_t released_bytes() const { return released_.load(std::memory_order_acquire); }

    /// True if all that was posted was done, and what came of it was sent, as far as it could be.
    bool is_idle() const { return done_.load(std::memory_order_acquire) == posted_; }
    /// True while a page has not confirmed that it was told of its end.
    bool says_farewell() const { return farewell_.load(std::memory_order_acquire); }

    // --- Of the shard's thread.

    /// The carrier at this end, while there is one; nullptr: it goes.
    void set_carrier(CarrierPort* carrier);
    /// From now on `run` waits for `take_commands`, until `end_thread`.
    void begin_thread();
    /// `run` does its work in the caller's thread again.
    void end_thread();

    /// Takes what was posted, and does what was to be done between turns.
    void take_commands(std::vector<Command>& taken);

    /// Hands news over, and leaves an empty vector. `taken`: how often commands were taken.
    void post_news(std::vector<News>& news, std::uint64_t released, bool farewell);

    /// Whether `take_commands` has anything.
    bool has_commands() const;
    /// False if the system had no descriptor left for it.
    bool is_open() const { return shard_.is_open() && chat_->is_open(); }
    /// False while the chat has not taken all news.
    bool is_read() const;
    /// Readable when the chat has posted something.
    int wake_fd() const { return shard_.fd(); }
    /// Has the shard do a turn. Of any thread.
    void wake_shard() const { shard_.wake(); }

private:
    void do_calls(std::unique_lock<std::mutex>& lock);

    const std::shared_ptr<const WakeFd> chat_;
    const WakeFd shard_;
    std::atomic<std::uint64_t> released_{0};
    std::atomic<std::uint64_t> done_{0};  ///< Of `posted_`.
    std::atomic<bool> farewell_{false};
    std::uint64_t posted_ = 0;  ///< Of the chat's thread: batches of commands and calls.
    std::uint64_t taken_ = 0;   ///< Of the shard's thread: the same.

    mutable std::mutex mutex_;  ///< Guards what follows.
    std::condition_variable called_;
    std::vector<Command> commands_;
    std::vector<std::function<void(CarrierPort&)>> calls_;
    std::uint64_t waiting_batches_ = 0;
    std::vector<News> news_;
    CarrierPort* carrier_ = nullptr;
    bool has_thread_ = false;
};

}  // namespace quicchat::shards

#ifndef QUICCHAT_COMPILED
#include "quicchat/shards/impl/link.ipp"
#endif
