// A third transport, to show what one has to do: both ends live in this program, and what is
// written at one end is there at the other end's next turn. It carries one connection, and lacks
// what a real one needs: it neither limits nor forgets its streams, and one large write passes the
// peer's window whole. The promises are in quicchat/transport/concept.hpp, and tests/conformance
// checks them: for your transport too, if you write a fixture for it.

#include <array>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <variant>

#include "quicchat/memory.hpp"

using namespace quicchat;

namespace {

class Pipe {
public:
    /// Two ends that are joined; the first one dials.
    static std::array<Pipe, 2> create() {
        const auto wire = std::make_shared<Wire>();
        return {Pipe{wire, 0}, Pipe{wire, 1}};
    }

    Result<ConnectionId> connect(TimePoint) {
        for (auto& events : wire_->events) events.push_back(Connected{id, "the other end", {}});
        wire_->open = true;
        return id;
    }
    Result<StreamId> open_stream(ConnectionId) {
        if (!wire_->open) return Errc::not_ready;
        const StreamId stream{4 * wire_->streams_opened++};
        wire_->streams[stream];
        return stream;
    }
    Result<Backlog> write(ConnectionId, StreamId stream, Bytes bytes, bool fin) {
        const auto found = wire_->streams.find(stream);
        if (!wire_->open || found == wire_->streams.end()) return Errc::not_ready;
        Way& way = found->second[side_];
        if (way.fin) return Errc::not_ready;
        if (bytes.empty() && !fin) return Backlog{way.backlog};
        way.fin = fin;
        way.backlog += bytes.size();
        way.waiting.push_back({id, stream, std::move(bytes), fin});
        if (way.backlog >= limits_.stream_backlog_bytes_max) way.owes_writable = true;
        return Backlog{way.backlog};
    }
    /// The only thing that makes room for more: a peer that does not consume stops us.
    void consume(ConnectionId, StreamId stream, std::size_t bytes) {
        const auto found = wire_->streams.find(stream);
        if (found != wire_->streams.end()) found->second[1 - side_].unconsumed -= bytes;
    }
    void reset_stream(ConnectionId, StreamId stream, std::uint64_t code) {
        if (wire_->streams.erase(stream) == 0) return;
        std::erase_if(mine(), [&](const TransportEvent& event) {
            const auto* data = std::get_if<StreamData>(&event);
            const auto* writable = std::get_if<Writable>(&event);
            return (data && data->stream == stream) || (writable && writable->stream == stream);
        });
        theirs().push_back(StreamReset{id, stream, code});
    }
    void close(ConnectionId, Errc why, std::string_view text) {
        if (!std::exchange(wire_->open, false)) return;
        wire_->streams.clear();  // with what was not sent
        const std::string said{text};
        mine() = {Disconnected{id, {.errc = why, .text = said}}};
        theirs().push_back(Disconnected{id, {.errc = why, .by_peer = true, .text = said}});
    }
    bool send_datagram(ConnectionId, Bytes) { return false; }  // they may always get lost
    Backlog backlog(ConnectionId, StreamId stream) const {
        const auto found = wire_->streams.find(stream);
        return {found == wire_->streams.end() ? 0 : found->second[side_].backlog};
    }
    /// Nobody acknowledges anything here: what was not consumed counts.
    std::size_t unacknowledged(ConnectionId) const { return unacknowledged(); }
    std::size_t unacknowledged() const {
        std::size_t bytes = 0;
        for (const auto& [stream, ways] : wire_->streams) {
            bytes += ways[side_].backlog + ways[side_].unconsumed;
        }
        return bytes;
    }
    /// Nobody can come between two ends in one process, so a constant binds them. A transport over
    /// a network takes it from TLS, or fails.
    Result<ChannelBinding> channel_binding(ConnectionId) const {
        if (!wire_->open) return Errc::not_ready;
        return ChannelBinding{};
    }

    /// The turn: moves what the peer's window lets through.
    void handle_timeout(TimePoint) {
        for (auto& [stream, ways] : wire_->streams) {
            Way& way = ways[side_];
            while (!way.waiting.empty() && way.unconsumed < limits_.stream_receive_window) {
                way.backlog -= way.waiting.front().bytes.size();
                way.unconsumed += way.waiting.front().bytes.size();
                theirs().push_back(std::move(way.waiting.front()));
                way.waiting.pop_front();
            }
            if (way.owes_writable && way.backlog < limits_.stream_backlog_bytes_max / 2) {
                way.owes_writable = false;
                mine().push_back(Writable{id, stream});
            }
        }
    }
    std::optional<TimePoint> next_deadline() const { return std::nullopt; }  // no timers
    std::optional<TransportEvent> poll_event() {
        if (mine().empty()) return std::nullopt;
        TransportEvent event = std::move(mine().front());
        mine().pop_front();
        return event;
    }

private:
    static constexpr ConnectionId id{1};
    struct Way {  // one direction of one stream
        std::deque<StreamData> waiting;
        std::size_t backlog = 0;
        std::size_t unconsumed = 0;
        bool fin = false;
        bool owes_writable = false;
    };
    struct Wire {
        std::array<std::deque<TransportEvent>, 2> events;
        std::map<StreamId, std::array<Way, 2>> streams;
        std::uint64_t streams_opened = 0;
        bool open = false;
    };

    Pipe(std::shared_ptr<Wire> wire, std::size_t side) : wire_(std::move(wire)), side_(side) {}
    std::deque<TransportEvent>& mine() { return wire_->events[side_]; }
    std::deque<TransportEvent>& theirs() { return wire_->events[1 - side_]; }

    std::shared_ptr<Wire> wire_;
    std::size_t side_;
    Limits limits_{};
};
static_assert(DialingTransport<Pipe>);

}  // namespace

int main() {
    auto [here, there] = Pipe::create();
    Server<Pipe> server{std::move(there), MemoryLog{Entropy::seeded(1)}, NameAuthenticator{},
                        Entropy::seeded(2)};
    Client<Pipe> client{std::move(here), *NameLogin::create("ada"), Entropy::seeded(3)};

    client.connect({});
    for (int turn = 0; turn < 100; ++turn) {
        server.process({});
        client.process({});
        while (const std::optional<ClientEvent> event = client.poll_event()) {
            if (std::holds_alternative<Online>(*event)) (void)client.join("#lobby");
            if (std::holds_alternative<RoomJoined>(*event)) {
                (void)client.publish("#lobby", "Hello through my own transport");
            }
            if (const auto* message = std::get_if<RoomMessage>(&*event)) {
                std::printf("%s: %s\n", message->from.c_str(), message->text.c_str());
                return 0;
            }
        }
    }
    return 1;
}
