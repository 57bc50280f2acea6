#include <concepts>
#include <optional>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/transport/archetype.hpp"

namespace quicchat {
namespace {

static_assert(Transport<Archetype>);
static_assert(DialingTransport<Archetype>);
static_assert(std::movable<Archetype> && !std::copyable<Archetype>);

// Every part of the concept counts: without it, a type is no transport.
struct Copy : Archetype {};
struct NoBacklog : Archetype {
    void backlog() = delete;
};
struct NoCount : Archetype {
    void unacknowledged() = delete;
};
struct BareEvents : Archetype {
    TransportEvent poll_event();
};
struct NoStreams : Archetype {
    void open_stream() = delete;
};
struct WritesCount : Archetype {
    Result<std::size_t> write(ConnectionId, StreamId, Bytes, bool);
};
struct NoCredit : Archetype {
    void consume() = delete;
};
struct NoBinding : Archetype {
    std::optional<ChannelBinding> channel_binding(ConnectionId) const;
};
struct ChangingDeadline : Archetype {
    std::optional<TimePoint> next_deadline();  // not const
};
struct SilentClose : Archetype {
    void close(ConnectionId, Errc);
};
struct Listener : Archetype {
    void connect() = delete;
};

static_assert(Transport<Copy>);
static_assert(!Transport<NoBacklog>);
static_assert(!Transport<NoCount>);
static_assert(!Transport<BareEvents>);
static_assert(!Transport<NoStreams>);
static_assert(!Transport<WritesCount>);
static_assert(!Transport<NoCredit>);
static_assert(!Transport<NoBinding>);
static_assert(!Transport<ChangingDeadline>);
static_assert(!Transport<SilentClose>);
static_assert(Transport<Listener> && !DialingTransport<Listener>);

TEST_CASE("nothing ever happens on the archetype", "[transport]") {
    Archetype transport;
    CHECK(transport.connect({}).error() == Errc::unreachable);
    CHECK(transport.open_stream(ConnectionId{1}).error() == Errc::not_ready);
    CHECK_FALSE(transport.poll_event());
    CHECK_FALSE(transport.next_deadline());
}

}  // namespace
}  // namespace quicchat
