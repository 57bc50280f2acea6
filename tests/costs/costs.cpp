// A server and its clients on a virtual clock, for callgrind to count what the server does: real
// endpoints, hub and logins, no sockets, all from one seed. `measure.py` runs it and judges.
//   costs single|burst|stream|handshake    does it, and says how many units it did
//   costs rooms_100                        as single, where each member is in a hundred rooms
//   costs pages_none|pages_1|pages_100     as single, where so many web pages are connected
//   costs idle                             says how many bytes an idle connection takes

#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#endif

#include "bench/quic_chat.hpp"
#include "quic/certificate_files.hpp"
#include "quicchat/quic.hpp"
#include "quicchat/quic_web.hpp"
#include "stack/seeded_random.hpp"
#include "support/borrowed_endpoint.hpp"
#include "support/web_dialer.hpp"

using namespace quicchat;
using namespace std::chrono_literals;

namespace {

constexpr const char* lobby = "#lobby";

/// `count` of them; the first one is the lobby.
std::vector<std::string> room_names(std::size_t count) {
    std::vector<std::string> names{lobby};
    while (names.size() < count) names.push_back("#room" + std::to_string(names.size()));
    return names;
}

quic::Config endpoint_config(std::uint64_t seed) {
    return {.limits = bench::bench_limits(),
            .seed = quic::test_seed(seed),
            .udp_payload_bytes_max = quic::PacketSize::ordinary};
}

struct Letter {
    quic::SocketAddress from;
    quic::SocketAddress to;
    std::uint8_t ecn = 0;
    Buffer bytes;
};

std::vector<Letter> letters_of(const quic::Transmit& transmit, const quic::SocketAddress& from) {
    std::vector<Letter> letters;
    for (BytesView rest = transmit.bytes; !rest.empty();) {
        const BytesView one = rest.first(std::min(transmit.segment_size, rest.size()));
        rest = rest.subspan(one.size());
        letters.push_back({from, transmit.remote, transmit.ecn, {one.begin(), one.end()}});
    }
    return letters;
}

/// Bytes that the process has allocated and not given back.
std::int64_t allocated() { return static_cast<std::int64_t>(mallinfo2().uordblks); }

/// Of a datagram, as `allocated` counts them.
std::int64_t bytes_of(const Letter& letter) {
    auto* const memory = const_cast<std::byte*>(letter.bytes.data());
    return static_cast<std::int64_t>(malloc_usable_size(memory) + sizeof(std::size_t));
}

template <class Server>
class Scene;
template <class Server>
void quicchat_count_this(Scene<Server>& scene);

template <class Server>
class Scene {
public:
    /// Who joins is in so many rooms.
    explicit Scene(std::size_t rooms = 1) : rooms_(room_names(rooms)) {
        quic::initialise_tls();
        test::seed_tls(1);
        const quic::CertificatePair pair = test::certificate_pair("ed25519");
        quic::ServerConfig identity{.certificate_pem = pair.certificate_pem,
                                    .key_pem = pair.key_pem,
                                    .retry = quic::RetryPolicy::never,
                                    .reset_secret = quic::test_seed(2)};
        identity.half_open_max = 10'000;
        accounts_ = std::make_shared<MemoryAccounts>();
        (void)accounts_->add("ada", *make_verifier<quic::WolfCrypto>(
                                        "password", std::array<std::byte, 16>{}, 100'000));
        server_ = std::make_unique<Server>(
            transport(std::move(identity)), MemoryLog{Entropy::seeded(4)},
            quic::Authenticator{accounts_, std::array<std::byte, 32>{}, Entropy::seeded(5)},
            Entropy::seeded(6),
            quicchat::ServerConfig{.rooms = rooms_, .limits = bench::bench_limits()});
    }

    /// One more client, which is online and, if it shall, in the rooms.
    void add(bool joins) {
        const std::size_t number = clients_.size();
        const auto address = *quic::SocketAddress::from_numeric(
            "10.0." + std::to_string(number / 200) + "." + std::to_string(number % 200 + 1), 5000);
        auto client = std::make_unique<Client>();
        client->address = address;
        client->chat = std::make_unique<quic::Client>(
            quic::Endpoint::client({.remote = server_address(),
                                    .local = address,
                                    .server_name = "localhost",
                                    .trust = quic::Trust::insecure()},
                                   endpoint_config(100 + number))
                .value(),
            *quic::Login::with_password("ada", "password", {.cache = cache_}),
            Entropy::seeded(1000 + number),
            quicchat::ClientConfig{.limits = bench::bench_limits()});
        ends_.emplace(address.to_string(), &client->chat->transport());
        clients_.push_back(std::move(client));
        Client& made = *clients_.back();
        made.chat->connect(clock());
        const std::size_t rooms = joins ? rooms_.size() : 0;
        for (std::size_t i = 0; i < rooms; ++i) (void)made.chat->join(rooms_[i]).value();
        run_until([&] { return made.is_online && made.joined == rooms; });
    }

    /// One more web page, which is connected and has nothing to say.
    void add_page() {
        const std::size_t number = pages_.size();
        auto page = std::make_unique<Page>();
        page->address = *quic::SocketAddress::from_numeric(
            "10.1." + std::to_string(number / 200) + "." + std::to_string(number % 200 + 1), 5000);
        quic::Config config = endpoint_config(5000 + number);
        config.alpn = {std::string{http3_alpn}};
        page->endpoint = std::make_unique<quic::Endpoint>(
            quic::Endpoint::client({.remote = server_address(),
                                    .local = page->address,
                                    .server_name = "localhost",
                                    .trust = quic::Trust::insecure()},
                                   std::move(config))
                .value());
        page->dialer = std::make_unique<Dialer>(test::Borrowed{*page->endpoint});
        ends_.emplace(page->address.to_string(), page->endpoint.get());
        (void)page->dialer->connect(now_).value();
        pages_.push_back(std::move(page));
        run_until([&] { return pages_.back()->is_connected; });
    }

    void publish(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::string& room = rooms_[published_ % rooms_.size()];
            (void)clients_[0]->chat->publish(room, std::string(100, 'x')).value();
            ++published_;
        }
    }
    std::size_t size() const { return clients_.size(); }

    /// How many messages the one who has fewest has not got.
    std::size_t missing() const {
        std::size_t least = published_;
        for (const auto& client : clients_) least = std::min(least, client->received);
        return published_ - least;
    }

    template <class Done>
    void run_until(Done done) {
        for (int step = 0; !done(); ++step) {
            if (step > 1'000'000) std::abort();
            run_step();
        }
    }
    void run_for(Duration duration) {
        const TimePoint end = now_ + duration;
        run_until([&] { return now_ >= end; });
    }

    /// Bytes that the server allocated and did not give back, since the start.
    std::int64_t server_bytes() const { return server_bytes_; }

    /// From now on what the server does is counted.
    void begin_counting() {
        is_counting_ = true;
        CALLGRIND_START_INSTRUMENTATION;  // without it, what was before runs several times as fast
    }

    /// The server's part of a step.
    void serve();

private:
    struct Client {
        quic::SocketAddress address;
        std::unique_ptr<quic::Client> chat;
        std::size_t received = 0;
        bool is_online = false;
        std::size_t joined = 0;
    };
    using Dialer = test::WebDialer<test::Borrowed>;
    struct Page {
        quic::SocketAddress address;
        std::unique_ptr<quic::Endpoint> endpoint;
        std::unique_ptr<Dialer> dialer;
        bool is_connected = false;
    };

    static auto transport(quic::ServerConfig identity) {
        quic::Config config = endpoint_config(3);
        if constexpr (std::same_as<Server, quic::WebServer>) {
            config.alpn.emplace_back(http3_alpn);
            return quic::WebTransport{
                quic::Endpoint::server(std::move(identity), std::move(config)).value(),
                test::page_config()};
        } else {
            return quic::Endpoint::server(std::move(identity), std::move(config)).value();
        }
    }
    static const quic::SocketAddress& server_address() {
        static const auto address = *quic::SocketAddress::from_numeric("192.0.2.1", 4433);
        return address;
    }
    Now clock() const {
        return {now_,
                WallTime{std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch())}};
    }

    /// Half a millisecond in which everybody has a turn.
    void run_step();
    void turn(Client& client, std::vector<Letter>& out);
    void turn(Page& page, std::vector<Letter>& out);
    void send(quic::Endpoint& endpoint, const quic::SocketAddress& from, std::vector<Letter>& out);

    TimePoint now_{1000s};
    std::vector<std::string> rooms_;
    std::shared_ptr<MemoryAccounts> accounts_;
    std::shared_ptr<ClientKeyCache> cache_ = std::make_shared<ClientKeyCache>(8);
    std::unique_ptr<Server> server_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Page>> pages_;
    std::map<std::string, quic::Endpoint*> ends_;  ///< By address.
    std::vector<Letter> to_server_;
    std::vector<Letter> to_clients_;
    bool is_counting_ = false;
    std::int64_t server_bytes_ = 0;
    std::size_t published_ = 0;
};

template <class Server>
void Scene<Server>::run_step() {
    now_ += 500us;
    const std::int64_t before = allocated();
    is_counting_ ? quicchat_count_this(*this) : serve();
    server_bytes_ += allocated() - before;
    for (const Letter& letter : to_clients_) server_bytes_ -= bytes_of(letter);
    to_server_.clear();
    for (const Letter& letter : to_clients_) {
        ends_.at(letter.to.to_string())
            ->handle_datagram({letter.to, server_address(), letter.ecn, letter.bytes}, now_);
    }
    to_clients_.clear();
    for (const auto& client : clients_) turn(*client, to_server_);
    for (const auto& page : pages_) turn(*page, to_server_);
}

template <class Server>
void Scene<Server>::turn(Client& client, std::vector<Letter>& out) {
    client.chat->transport().handle_timeout(now_);
    client.chat->process(clock());
    while (const auto event = client.chat->poll_event()) {
        client.is_online |= std::holds_alternative<Online>(*event);
        client.joined += std::holds_alternative<RoomJoined>(*event) ? 1 : 0;
        client.received += std::holds_alternative<RoomMessage>(*event) ? 1 : 0;
    }
    send(client.chat->transport(), client.address, out);
}

template <class Server>
void Scene<Server>::turn(Page& page, std::vector<Letter>& out) {
    page.dialer->handle_timeout(now_);
    while (const auto event = page.dialer->poll_event()) {
        page.is_connected = std::holds_alternative<Connected>(*event);
    }
    send(*page.endpoint, page.address, out);
}

template <class Server>
void Scene<Server>::send(quic::Endpoint& endpoint, const quic::SocketAddress& from,
                         std::vector<Letter>& out) {
    while (const auto transmit = endpoint.poll_transmit(now_)) {
        for (Letter& letter : letters_of(*transmit, from)) out.push_back(std::move(letter));
    }
}

template <class Server>
void Scene<Server>::serve() {
    quic::Endpoint& endpoint = quic::endpoint_below(server_->transport());
    for (const Letter& letter : to_server_) {
        endpoint.handle_datagram({server_address(), letter.from, letter.ecn, letter.bytes}, now_);
    }
    endpoint.handle_timeout(now_);
    server_->process(clock());
    while (server_->poll_event()) {
    }
    send(endpoint, server_address(), to_clients_);
}

/// What callgrind counts, by the name of this function.
template <class Server>
[[gnu::noinline]] void quicchat_count_this(Scene<Server>& scene) {
    asm volatile("");  // or GCC makes it the same as what it calls
    scene.serve();
}

/// Members of the room; most of the cost of a message is what each of them takes.
constexpr std::size_t members = 30;

template <class Server>
std::size_t deliver(Scene<Server>& scene, std::size_t rounds, std::size_t burst) {
    for (std::size_t round = 0; round < rounds; ++round) {
        scene.publish(burst);
        scene.run_until([&] { return scene.missing() == 0; });
    }
    return rounds * burst * members;
}

/// At most `window` messages that not everybody has.
template <class Server>
std::size_t stream(Scene<Server>& scene, std::size_t count, std::size_t window) {
    for (std::size_t sent = 0; sent < count;) {
        const std::size_t more = std::min(count - sent, window - scene.missing());
        scene.publish(more);
        sent += more;
        scene.run_until([&] { return scene.missing() < window; });
    }
    scene.run_until([&] { return scene.missing() == 0; });
    return count * members;
}

/// The members are there, and all that grows at first has grown.
template <class Server>
void warm_up(Scene<Server>& scene) {
    for (std::size_t i = 0; i < members; ++i) scene.add(true);
    scene.run_for(3s);
    (void)stream(scene, 600, 64);  // caches, windows
    scene.run_for(1s);
    scene.begin_counting();
}

std::size_t run_beside_pages(std::size_t pages) {
    Scene<quic::WebServer> scene;
    for (std::size_t i = 0; i < pages; ++i) scene.add_page();
    warm_up(scene);
    return deliver(scene, 100, 1);
}

std::size_t run(std::string_view what) {
    if (what == "pages_none") return run_beside_pages(0);
    if (what == "pages_1") return run_beside_pages(1);
    if (what == "pages_100") return run_beside_pages(100);
    Scene<quic::Server> scene{what == "rooms_100" ? std::size_t{100} : 1};
    if (what == "handshake") {
        for (int i = 0; i < 4; ++i) scene.add(false);
        scene.begin_counting();
        for (int i = 0; i < 10; ++i) scene.add(false);
        return 10;
    }
    warm_up(scene);
    if (what == "single" || what == "rooms_100") return deliver(scene, 100, 1);
    if (what == "burst") return deliver(scene, 15, 30);
    if (what == "stream") return stream(scene, 1000, 256);
    return 0;
}

/// Bytes of a connection in the room that has nothing to say.
std::int64_t measure_idle() {
    Scene<quic::Server> scene;
    const auto grow_to = [&](std::size_t count) {
        while (scene.size() < count) scene.add(true);
        scene.run_for(40s);
        return scene.server_bytes();
    };
    const std::int64_t few = grow_to(20);
    return (grow_to(60) - few) / 40;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc == 2 ? argv[1] : "";
    if (what == "idle") {
        std::printf("%lld\n", static_cast<long long>(measure_idle()));
        return 0;
    }
    const std::size_t done = run(what);
    if (done == 0) {
        std::fprintf(stderr,
                     "usage: costs single|burst|stream|handshake|rooms_100|idle\n"
                     "       costs pages_none|pages_1|pages_100\n");
        return 64;
    }
    std::printf("%zu\n", done);
    return 0;
}
