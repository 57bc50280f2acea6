#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/memory/config.hpp"
#include "quicchat/memory/transport.hpp"

namespace quicchat::memory {

/// A network in memory, on a virtual clock: the same seed and the same calls give the same run, on
/// every compiler. For tests of programs that use this library, and for ours.
///
///     memory::Network network{{.seed = 7}};
///     memory::Transport server = network.listen("chat", limits);
///     memory::Transport client = network.dial("chat", limits);
///     client.connect(network.now());
///     while (network.step()) { /* poll the events of both, and answer */ }
///
/// Connections have numbers for the faults below: 1 for the first that was dialled, and so on. A
/// number of a connection that has ended is ignored.
class Network {
public:
    /// Without participants; see `listen` and `dial`.
    explicit Network(NetworkConfig config = {});

    /// A transport that accepts connections to `address`, which must be free.
    Transport listen(std::string address, Limits limits = {});

    /// A transport that can dial `address`. A listener is told `from` as the peer's address;
    /// "memory:1" and so on by the connection's number if it is empty.
    Transport dial(std::string address, Limits limits = {}, std::string from = {});

    /// The virtual time.
    TimePoint now() const { return core_->now(); }

    /// When something happens next. Deadlines of the participants are not known here.
    std::optional<TimePoint> next_event() const { return core_->next_event(); }

    /// Moves the clock on; everything that is due until then happens, in order.
    void advance_to(TimePoint now) { core_->advance_to(now); }

    /// Moves the clock to the next moment at which something happens; false if there is none.
    bool step();

    /// How the network behaves from now on. All but `seed` and `start` may be changed.
    NetworkConfig& config() { return core_->config; }

    /// How many connections were dialled so far: the number of the latest one.
    std::uint64_t connections_dialled() const { return core_->dialled(); }

    /// Holds back everything on one connection, in both directions, until `resume`. Like QUIC, both
    /// sides give up with `idle_timeout` when it lasts too long.
    void stall(std::uint64_t connection) { core_->stall(connection); }
    /// What was held back arrives.
    void resume(std::uint64_t connection) { core_->resume(connection); }

    /// The same for the data of one stream, and nobody gives up.
    void stall_stream(std::uint64_t connection, StreamId stream);
    /// What was held back arrives.
    void resume_stream(std::uint64_t connection, StreamId stream);

    /// Breaks a connection: what is in flight is lost, and both sides get
    /// Disconnected{transport_failed}, each in its own time.
    void cut(std::uint64_t connection) { core_->cut(connection); }

    /// The same when so many more bytes of streams have arrived, both directions together.
    void cut_after(std::uint64_t connection, std::size_t bytes);

    /// A hash over everything that was delivered, with its time: two runs that agree in it are the
    /// same run.
    std::uint64_t trace_hash() const { return core_->trace_hash(); }

    /// How many things have happened so far.
    std::uint64_t happened() const { return core_->happened(); }

private:
    std::shared_ptr<detail::Core> core_;
};

}  // namespace quicchat::memory

#ifndef QUICCHAT_COMPILED
#include "quicchat/memory/impl/network.ipp"
#endif
