// The real server as a WebAssembly module, so that the page's client is tested against it without a
// network: what WebTransport carries, served.mjs hands over. Rooms live in memory; the accounts are
// ada, bob and eve, whose passwords are their names and "-secret".

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../../bindings/web/cpp/page_crypto.hpp"
#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/ticket_authenticator.hpp"
#include "quicchat/auth/ticket_desk.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/file/memory_files.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/server.hpp"

#define IMPORT(name) \
    extern "C" __attribute__((import_module("served"), import_name(#name))) void served_##name
#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

IMPORT(random)(void* bytes, std::uint32_t size);
IMPORT(write)
(double connection, std::uint32_t stream, const void* bytes, std::uint32_t size, std::uint32_t fin);
IMPORT(reset)(double connection, std::uint32_t stream, std::uint32_t code);
IMPORT(credit)(double connection, std::uint32_t stream, std::uint32_t bytes);
IMPORT(datagram)(double connection, const void* bytes, std::uint32_t size);
IMPORT(close)(double connection, std::uint32_t code, const char* text, std::uint32_t size);

namespace {

using namespace quicchat;

/// The server's end of all sessions.
class Sessions {
public:
    Result<StreamId> open_stream(ConnectionId) { return Errc::too_many_streams; }
    Result<Backlog> write(ConnectionId id, StreamId stream, Bytes bytes, bool fin) {
        const auto found = unsent_.find(id);
        if (found == unsent_.end() || !found->second.contains(stream)) return Errc::not_ready;
        std::size_t& unsent = found->second[stream];
        unsent += bytes.size();
        served_write(number(id), number(stream), bytes.data(),
                     static_cast<std::uint32_t>(bytes.size()), fin);
        return Backlog{unsent};
    }
    void reset_stream(ConnectionId id, StreamId stream, std::uint64_t code) {
        const auto found = unsent_.find(id);
        if (found == unsent_.end() || found->second.erase(stream) == 0) return;
        served_reset(number(id), number(stream), static_cast<std::uint32_t>(code));
    }
    Backlog backlog(ConnectionId id, StreamId stream) const {
        const auto found = unsent_.find(id);
        if (found == unsent_.end() || !found->second.contains(stream)) return {};
        return {found->second.at(stream)};
    }
    std::size_t unacknowledged(ConnectionId) const { return 0; }
    std::size_t unacknowledged() const { return 0; }
    void consume(ConnectionId id, StreamId stream, std::size_t bytes) {
        if (unsent_.contains(id)) {
            served_credit(number(id), number(stream), static_cast<std::uint32_t>(bytes));
        }
    }
    bool send_datagram(ConnectionId id, Bytes bytes) {
        served_datagram(number(id), bytes.data(), static_cast<std::uint32_t>(bytes.size()));
        return true;
    }
    Result<ChannelBinding> channel_binding(ConnectionId) const { return Errc::unsupported; }
    void close(ConnectionId id, Errc why, std::string_view text) {
        if (!unsent_.contains(id)) return;
        served_close(number(id), static_cast<std::uint32_t>(wire_code(why)), text.data(),
                     static_cast<std::uint32_t>(text.size()));
        end(id, {.errc = why, .text = std::string{text}});
    }
    std::optional<TransportEvent> poll_event() {
        if (events_.empty()) return std::nullopt;
        TransportEvent event = std::move(events_.front());
        events_.pop_front();
        return event;
    }
    void handle_timeout(TimePoint) {}
    std::optional<TimePoint> next_deadline() const { return std::nullopt; }

    void begin(ConnectionId id) {
        unsent_[id];
        Connected connected;
        connected.connection = id;
        connected.peer_address = "192.0.2.1:4433";
        connected.alpn = http3_alpn;
        connected.certificate_hash.emplace().fill(std::byte{7});
        connected.origin = "https://chat.example";
        events_.push_back(std::move(connected));
    }
    void data(ConnectionId id, StreamId stream, BytesView bytes, bool fin) {
        if (!unsent_.contains(id)) return;
        unsent_[id][stream];
        events_.push_back(StreamData{id, stream, Bytes::copy_of(bytes), fin});
    }
    void reset(ConnectionId id, StreamId stream, std::uint64_t code) {
        if (!unsent_.contains(id) || unsent_[id].erase(stream) == 0) return;
        events_.push_back(StreamReset{id, stream, code});
    }
    void sent(ConnectionId id, StreamId stream, std::size_t bytes) {
        if (!unsent_.contains(id) || !unsent_[id].contains(stream)) return;
        std::size_t& unsent = unsent_[id][stream];
        const std::size_t most = Limits{}.stream_backlog_bytes_max;
        const bool was_full = unsent >= most / 2;
        unsent -= std::min(unsent, bytes);
        if (was_full && unsent < most / 2) events_.push_back(Writable{id, stream});
    }
    void datagram(ConnectionId id, BytesView bytes) {
        if (unsent_.contains(id)) events_.push_back(DatagramReceived{id, Bytes::copy_of(bytes)});
    }
    void end(ConnectionId id, CloseReason reason) {
        if (unsent_.erase(id)) events_.push_back(Disconnected{id, std::move(reason)});
    }

private:
    static double number(ConnectionId id) { return static_cast<double>(id); }
    static std::uint32_t number(StreamId id) { return static_cast<std::uint32_t>(id); }

    std::map<ConnectionId, std::map<StreamId, std::size_t>> unsent_;
    std::deque<TransportEvent> events_;
};

static_assert(Transport<Sessions>);

std::optional<Server<Sessions>> server;

void fill(std::uint64_t&, std::span<std::byte> bytes) {
    served_random(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

Now at(double steady, double wall) {
    return {.steady = TimePoint{Duration{static_cast<std::int64_t>(steady * 1e6)}},
            .wall = WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(wall)}}};
}

ConnectionId connection(double id) { return ConnectionId{static_cast<std::uint64_t>(id)}; }

}  // namespace

EXPORT(allocate) void* served_allocate(std::uint32_t size) { return std::malloc(size); }
EXPORT(release) void served_release(void* bytes, std::uint32_t) { std::free(bytes); }

EXPORT(start) void served_start(double wall) {
    AccountStore accounts;
    for (const std::string user : {"ada", "bob", "eve"}) {
        const auto verifier =
            make_verifier<web::PageCrypto>(user + "-secret", ScramSalt{}, 100'000);
        (void)accounts.add(user, *verifier);
    }
    const auto book = std::make_shared<MemoryAccounts>(std::move(accounts));
    const auto desk = std::make_shared<TicketDesk>(at(0, wall).wall);
    TicketRules rules;
    rules.keys.emplace_back(as_bytes("0123456789abcdef0123456789abcdef"));
    rules.audience = "chat.example";
    desk->set_rules(std::move(rules));
    constexpr std::array<std::byte, 32> secret{};
    DeviceAuthenticatorOptions options;
    options.page_passwords = true;
    DeviceAuthenticator<web::PageCrypto> passwords{book, secret, Entropy{fill}, {}, options};
    server.emplace(Sessions{}, MemoryLog{Entropy{fill}},
                   TicketAuthenticator<web::PageCrypto>{std::move(passwords), desk, book},
                   Entropy{fill}, ServerConfig{.rooms = {"#lobby", "#tea"}},
                   MemoryFiles<web::PageCrypto>{});
}
EXPORT(process) double served_process(double steady, double wall) {
    server->process(at(steady, wall));
    while (server->poll_event()) continue;
    const auto due = server->next_deadline();
    return due ? static_cast<double>(due->time_since_epoch().count()) / 1e6 : -1;
}
EXPORT(shutdown) void served_shutdown(double steady, double wall) {
    server->shutdown(at(steady, wall));
}
EXPORT(begin) void served_begin(double id) { server->transport().begin(connection(id)); }
EXPORT(data)
void served_data(double id, std::uint32_t stream, const std::byte* bytes, std::uint32_t size,
                 std::uint32_t fin) {
    server->transport().data(connection(id), StreamId{stream}, {bytes, size}, fin != 0);
}
EXPORT(reset_by_peer) void served_reset_by_peer(double id, std::uint32_t stream, double code) {
    server->transport().reset(connection(id), StreamId{stream}, static_cast<std::uint64_t>(code));
}
EXPORT(sent) void served_sent(double id, std::uint32_t stream, double bytes) {
    server->transport().sent(connection(id), StreamId{stream}, static_cast<std::size_t>(bytes));
}
EXPORT(datagram_in)
void served_datagram_in(double id, const std::byte* bytes, std::uint32_t size) {
    server->transport().datagram(connection(id), {bytes, size});
}
EXPORT(end) void served_end(double id) {
    server->transport().end(connection(id), {.errc = Errc::closed, .by_peer = true});
}
EXPORT(connections) double served_connections() {
    return static_cast<double>(server->connection_count());
}
