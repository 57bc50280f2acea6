#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "quicchat/base/time.hpp"
#include "quicchat/shards/link.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat::shards {

/// Which of how many shards.
struct Place {
    std::size_t index = 0;  ///< From 0 on.
    std::size_t count = 1;  ///< 1 or more.

    /// Ids of connections, as the chat has them, name the shard.
    ConnectionId outer(ConnectionId inner) const {
        return ConnectionId{static_cast<std::uint64_t>(inner) * count + index};
    }
    /// The transport's own id again.
    ConnectionId inner(ConnectionId outer) const {
        return ConnectionId{static_cast<std::uint64_t>(outer) / count};
    }
};

/// The shard's end of a Link: does with a transport what the chat wants done, and tells the chat
/// what the transport reports. Single-threaded; it stays where it is.
///
/// One turn: the transport's input, `process`, the transport's output, `settle`.
template <quicchat::Transport Inner>
class Carrier final : public CarrierPort {
public:
    /// `backlog_max`: the transport's `Limits::stream_backlog_bytes_max`.
    Carrier(Inner inner, std::shared_ptr<Link> link, Place place, std::size_t backlog_max)
        : inner_(std::move(inner)),
          link_(std::move(link)),
          place_(place),
          backlog_max_(backlog_max) {
        link_->set_carrier(this);
    }
    Carrier(const Carrier&) = delete;
    Carrier& operator=(const Carrier&) = delete;
    ~Carrier() override { link_->set_carrier(nullptr); }

    /// Only in the shard's thread, or by `Link::run`.
    /// @{
    Inner& transport() { return inner_; }
    const Inner& transport() const { return inner_; }
    /// @}

    /// The way to the chat.
    Link& link() { return *link_; }

    /// Takes in the time, what the chat wants, and what the transport reports.
    void process(Now now);
    /// What waits now that all was sent that could be.
    void settle();

    /// That of the transport.
    std::optional<TimePoint> next_deadline() const { return inner_.next_deadline(); }
    /// Readable when the chat wants something.
    std::optional<int> wake_fd() const { return link_->wake_fd(); }

    /// All zeros if the transport does not measure itself.
    TransportStats stats() const override { return stats_of(inner_).value_or(TransportStats{}); }
    std::optional<PathStats> path_stats(ConnectionId id) const override {
        return path_stats_of(inner_, place_.inner(id));
    }
    void drain() override {
        if constexpr (requires(Inner & i) { i.drain(); }) inner_.drain();
    }

private:
    static constexpr std::size_t commands_kept_max = 16 * 1024;  ///< Memory of a busy moment.

    void apply(Command& command, bool is_repeated);
    void write(Command& command, Bytes bytes);
    Bytes piece_of(Command& command, bool is_repeated);
    void collect();
    template <class Event>
    void tell(Event event);
    bool says_farewell() const {
        if constexpr (requires(const Inner& i) { i.says_farewell(); }) {
            return inner_.says_farewell();
        }
        return false;
    }

    Inner inner_;
    const std::shared_ptr<Link> link_;
    const Place place_;
    const std::size_t backlog_max_;
    std::vector<Command> commands_;  ///< Of the turn.
    std::vector<News> news_;         ///< Not handed over yet.
    std::size_t datagrams_ = 0;      ///< Among those that the chat has not taken, at most.
    struct Question {
        Measured measured;
        bool full = false;  ///< The transport will not say Writable by itself.
    };
    std::vector<Question> questions_;  ///< Of the turn.
    Bytes piece_;                      ///< That is written again and again.
    std::uint64_t written_ = 0;        ///< Bytes, since the start.
};

}  // namespace quicchat::shards

#include "quicchat/shards/impl/carrier.ipp"
