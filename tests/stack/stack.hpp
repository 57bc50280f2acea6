#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "quic/certificate_files.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/name_login.hpp"
#include "quicchat/file/memory_files.hpp"
#include "quicchat/quic.hpp"
#include "stack/files.hpp"
#include "stack/judge.hpp"
#include "stack/net.hpp"
#include "stack/seeded_random.hpp"
#include "stack/stack_server.hpp"

namespace quicchat::test {

using namespace std::chrono_literals;
using Direction = Net::Direction;

struct StackConfig {
    std::uint64_t seed = 1;
    std::size_t phones = 2;
    Weather weather{};  ///< Of all ways, both directions.
    Limits limits{};
    quic::RetryPolicy retry = quic::RetryPolicy::under_load;
    bool dead_route = false;  ///< Clients try an address first that nobody has.
    bool reconnects = true;
    bool has_accounts = false;  ///< Logins by password and by tokens; otherwise by name.
    bool has_files = false;     ///< They send and fetch some.
    std::size_t shards = 0;     ///< Of the server; 0: it has one endpoint, and that is all.
    bool steers = true;         ///< What arrives comes to the shard that it is for.
    Duration say_every = 1s;
    std::size_t text_bytes = 0;  ///< Of each message; 0: mostly a line, now and then pages.
    Duration patience = 10s;     ///< In calm weather.
};

/// The whole stack on a virtual clock: a server and clients, their chat, the real endpoints, ngtcp2
/// and wolfSSL, over ways that each have a NAT in the middle.
class Stack {
public:
    /// A client, its sockets, and its NAT.
    class Phone {
    public:
        Phone(Stack& stack, std::size_t number, std::size_t way);

        /// The program's socket is another one from now on, of another address.
        void change_address();
        /// The NAT forgets what it knew: what the phone sends comes from somewhere else.
        void rebind() {
            ++rebindings_;
            earlier_nat_ = std::exchange(nat_, {});
        }
        /// The program is killed and begins anew with what it had kept; mostly by its token, or
        /// else by the password.
        void restart(bool keeps_token);

        /// Begins with large ones, if it has files at all: so that what happens next happens to
        /// them.
        void move_large_files();

        /// It takes what it had before the last time, as routes between two NATs change.
        void rebind_back() { std::swap(nat_, earlier_nat_); }

        Witness witness;
        FileDesk files;
        std::unique_ptr<quic::Client> client;
        bool talks = true;
        TimePoint sleeps_until{};  ///< Its machine; what comes meanwhile is lost.

        std::optional<TimePoint> next_turn() const {
            if (has_mail_) return std::max(stack_.now_, sleeps_until);
            const auto due = earlier(client->next_deadline(), says_at_);
            return due ? std::max(*due, sleeps_until) : due;
        }

    private:
        friend class Stack;
        struct Mapping {
            quic::SocketAddress local;
            quic::SocketAddress outside;
        };

        void begin(const std::optional<DeviceToken>& token);
        Owned<ClientLogin> make_login(const std::optional<DeviceToken>& token) const;
        void turn();
        void say();
        void move_files();
        void note_outbox();
        void send(const quic::Transmit& transmit);
        void receive(const Letter& letter);
        void dial();
        quic::SocketAddress open_socket();
        quic::SocketAddress outside_of(const quic::SocketAddress& local);

        Stack& stack_;
        std::size_t number_;
        std::size_t way_;
        DeviceId device_;
        std::vector<UnsentMessage> unsent_;  ///< As a program keeps it over its restarts.
        std::vector<quic::SocketAddress> sockets_;
        std::vector<Mapping> nat_;
        std::vector<Mapping> earlier_nat_;
        std::uint16_t next_port_ = 20'000;
        std::uint16_t next_outside_ = 40'000;
        std::uint8_t host_ = 1;
        std::size_t rebindings_ = 0;
        TimePoint says_at_{};
        bool has_mail_ = false;
    };

    explicit Stack(StackConfig config)
        : config_(std::move(config)),
          random_(Entropy::seeded(config_.seed)),
          net_(random_.draw_number()),
          log_(std::make_shared<MemoryLog>(Entropy::seeded(random_.draw_number()))) {
        quic::initialise_tls();
        seed_tls(random_.draw_number());
        truth_.now = now_;
        reset_secret_ = quic::test_seed(random_.draw_number());
        if (config_.has_accounts) make_accounts();
        start_server();
        for (std::size_t i = 0; i < config_.phones; ++i) {
            const std::size_t way = net_.add_way(config_.weather, config_.weather);
            phones_.push_back(std::make_unique<Phone>(*this, i, way));
        }
    }

    // What happens.

    void start_server();
    /// The process is gone, without a word. What comes is answered by nobody.
    void crash_server();
    /// The operator ends the process.
    void shut_server_down() {
        if (server_) server_->shutdown(clock());
    }
    bool has_server() const { return server_ != nullptr; }

    Weather& weather(std::size_t phone, Direction direction) {
        return net_.weather(phones_[phone]->way_, direction);
    }
    template <class Change>
    void change_weather(std::size_t phone, Change change) {
        change(weather(phone, Direction::up));
        change(weather(phone, Direction::down));
    }

    void run_for(Duration duration) {
        run_until(duration, [] { return false; });
    }

    /// True if `done` became so.
    template <class Done>
    bool run_until(Duration duration, Done done) {
        const TimePoint end = now_ + duration;
        while (!done()) {
            if (now_ >= end) return false;
            step(end);
        }
        return true;
    }

    /// Everybody is quiet and the network good: then nothing may be missing.
    void finish();

    TimePoint now() const { return now_; }
    Now clock() const {
        return {now_,
                WallTime{std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch())}};
    }
    Net& net() { return net_; }
    std::function<void()> on_check;  ///< Once a second; to watch.
    StackServer* server() { return server_.get(); }
    Phone& phone(std::size_t i) { return *phones_[i]; }
    std::size_t size() const { return phones_.size(); }
    const Truth& truth() const { return truth_; }
    const Limits& limits() const { return config_.limits; }
    bool has_accounts() const { return config_.has_accounts; }
    bool has_files() const { return config_.has_files; }
    Duration online_time() const;
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }
    bool one_in(std::uint64_t count) { return draw(1, count) == 1; }
    bool all_online() const {
        return std::all_of(phones_.begin(), phones_.end(),
                           [](const auto& p) { return p->witness.is_online(); });
    }

private:
    static constexpr const char* room = "#stack";

    static const quic::SocketAddress& server_address() {
        static const auto address = *quic::SocketAddress::from_numeric("192.0.2.1", 4433);
        return address;
    }
    static const quic::CertificatePair& pair() {
        static const auto pair = certificate_pair("ed25519");
        return pair;
    }
    static const Fingerprint& server_key() {
        static const auto key =
            *quic::fingerprint_of(quic::certificates_from_pem(pair().certificate_pem).at(0));
        return key;
    }

    quic::Config endpoint_config() {
        quic::Config config;
        config.limits = config_.limits;
        config.seed = quic::test_seed(random_.draw_number());
        config.udp_payload_bytes_max = quic::PacketSize::ordinary;
        return config;
    }

    static std::string name_of(std::size_t phone) { return "user" + std::to_string(phone); }
    static std::string password_of(std::size_t phone) {
        return "the password of " + name_of(phone);
    }
    void make_accounts();
    Owned<Authenticator> make_authenticator();

    void step(TimePoint end);
    void deliver(const Net::Arrival& arrival);
    void server_turn();
    void send(const quic::Transmit& transmit);

    StackConfig config_;
    Entropy random_;
    Net net_;
    TimePoint now_{1000s};
    Truth truth_;
    std::shared_ptr<MemoryLog> log_;
    std::shared_ptr<MemoryAccounts> accounts_ = std::make_shared<MemoryAccounts>();
    std::shared_ptr<ClientKeyCache> keys_ = std::make_shared<ClientKeyCache>();
    MemoryFiles<quic::WolfCrypto> files_;
    quic::Seed reset_secret_;
    std::unique_ptr<StackServer> server_;
    std::vector<std::unique_ptr<Phone>> phones_;
    bool server_has_mail_ = false;
    TimePoint checks_at_{};
};

// --- The server.

inline void Stack::start_server() {
    quic::ServerConfig config{.certificate_pem = pair().certificate_pem,
                              .key_pem = pair().key_pem,
                              .retry = config_.retry,
                              .reset_secret = reset_secret_};
    const auto make = [&]<class Made>(std::type_identity<Made>, auto&&... first) {
        server_ = std::make_unique<Made>(
            std::forward<decltype(first)>(first)..., WitnessedLog{log_, truth_, room},
            make_authenticator(), Entropy::seeded(random_.draw_number()),
            quicchat::ServerConfig{.rooms = {room}, .limits = config_.limits}, files_);
    };
    if (config_.shards == 0) {
        make(std::type_identity<OneServer>{},
             quic::Endpoint::server(std::move(config), endpoint_config()).value());
    } else {
        make(std::type_identity<ManyShards>{},
             quic::make_shards(config, endpoint_config(), config_.shards).value(), config_.steers,
             config_.limits);
    }
}

inline void Stack::crash_server() {
    server_.reset();
    files_.forget_answers();
}

/// The least iterations that are allowed, computed once in the life of the program.
inline void Stack::make_accounts() {
    static std::map<std::size_t, Verifier> verifiers;
    for (std::size_t i = 0; i < config_.phones; ++i) {
        if (!verifiers.contains(i)) {
            ScramSalt salt{};
            salt.fill(static_cast<std::byte>(i + 1));
            verifiers.emplace(
                i, *make_verifier<quic::WolfCrypto>(password_of(i), salt, scram_iterations_floor));
        }
        (void)accounts_->add(name_of(i), verifiers.at(i)).value();
    }
}

inline Owned<Authenticator> Stack::make_authenticator() {
    if (!config_.has_accounts) return NameAuthenticator{};
    return quic::Authenticator{accounts_, Buffer(32, std::byte{7}),
                               Entropy::seeded(random_.draw_number())};
}

inline void Stack::server_turn() {
    server_has_mail_ = false;
    server_->turn(clock(), [this](const quic::Transmit& transmit) { send(transmit); });
    while (const auto event = server_->poll_event()) {
        if (std::holds_alternative<ServerFailed>(*event)) throw Breach{"the server failed"};
    }
}

inline void Stack::send(const quic::Transmit& transmit) {
    Phone* phone = nullptr;
    for (const auto& p : phones_) {
        for (const Phone::Mapping& m : p->nat_) {
            if (m.outside == transmit.remote) phone = p.get();
        }
    }
    if (phone == nullptr) return;  // nobody has that address any more
    BytesView rest = transmit.bytes;
    while (!rest.empty()) {
        const BytesView one = rest.first(std::min(transmit.segment_size, rest.size()));
        rest = rest.subspan(one.size());
        net_.send(now_, phone->way_, Direction::down,
                  {transmit.local, transmit.remote, transmit.ecn, {one.begin(), one.end()}});
    }
}

// --- A phone.

inline Stack::Phone::Phone(Stack& stack, std::size_t number, std::size_t way)
    : witness(stack.truth_, name_of(number)),
      files(stack.truth_, witness, room,
            [&stack](std::uint64_t low, std::uint64_t high) { return stack.draw(low, high); }),
      stack_(stack),
      number_(number),
      way_(way),
      device_{{std::byte(number + 1)}} {
    begin({});
    client->report_outbox_changes();
    says_at_ = stack.now_ + Duration{static_cast<Duration::rep>(stack.draw(0, 1'000'000'000))};
    witness.note_trouble(stack.now_, stack.now_);
    client->connect(stack.clock());
    (void)client->join(room).value();
}

inline Owned<ClientLogin> Stack::Phone::make_login(const std::optional<DeviceToken>& token) const {
    if (!stack_.config_.has_accounts) return *NameLogin::create(witness.user());
    ScramLoginOptions options{.cache = stack_.keys_};
    options.iterations = {scram_iterations_floor, scram_iterations_floor};
    return *quic::Login::create(
        witness.user(),
        *ScramLogin<quic::WolfCrypto>::create(witness.user(), password_of(number_), options),
        token);
}

inline void Stack::Phone::begin(const std::optional<DeviceToken>& token) {
    Stack& stack = stack_;
    quic::ClientConfig config{.routes_later = true,
                              .server_name = "localhost",
                              .trust = quic::Trust::pinned({server_key()})};
    Reconnection reconnect{.enabled = stack.config_.reconnects, .before_first_login = true};
    reconnect.delay_max = 3s;
    reconnect.busy_delay_min = 1s;
    reconnect.busy_delay_max = 3s;
    client = std::make_unique<quic::Client>(
        quic::Endpoint::client(std::move(config), stack.endpoint_config()).value(),
        make_login(token), Entropy::seeded(stack.random_.draw_number()),
        quicchat::ClientConfig{
            .limits = stack.config_.limits,
            .reconnect = reconnect,
            .device = stack.config_.has_accounts ? std::optional{device_} : std::nullopt});
    if (stack.config_.has_files) client->hold_file_bytes();
}

inline void Stack::Phone::restart(bool keeps_token) {
    if (sleeps_until > stack_.now_) return;
    note_outbox();
    std::optional<DeviceToken> token;
    if (const DeviceToken* kept = client->login().token(); kept != nullptr && keeps_token) {
        token = *kept;
    }
    client.reset();
    sockets_.clear();
    begin(token);
    witness.note_restart();
    for (const UnsentMessage& message : unsent_) {
        const RequestId request = client->restore(message).value();
        witness.note_published(request, message.id, message.text);
    }
    client->report_outbox_changes();
    client->connect(stack_.clock());
    (void)client->join(room, witness.position().value_or(Position::from_now())).value();
    files.go_on(*client);
    has_mail_ = true;
}

inline void Stack::Phone::note_outbox() {
    while (const auto change = client->poll_outbox_change()) {
        const MessageId id = change->message.id;
        std::erase_if(unsent_, [&](const UnsentMessage& m) { return m.id == id && !change->keep; });
        const bool known = std::any_of(unsent_.begin(), unsent_.end(),
                                       [&](const UnsentMessage& m) { return m.id == id; });
        if (change->keep && !known) unsent_.push_back(change->message);
    }
}

inline void Stack::Phone::move_files() {
    if (!stack_.config_.has_files || !talks || !witness.is_in_room()) return;
    if (stack_.one_in(20)) files.send(*client, MessageId{stack_.random_.draw<16>()}, 20'000);
    if (stack_.one_in(20)) files.fetch(*client);
}

inline quic::SocketAddress Stack::Phone::open_socket() {
    const std::string host = "10." + std::to_string(number_) + ".0." + std::to_string(host_);
    return *quic::SocketAddress::from_numeric(host, next_port_++);
}

inline quic::SocketAddress Stack::Phone::outside_of(const quic::SocketAddress& local) {
    for (const Mapping& m : nat_) {
        if (m.local == local) return m.outside;
    }
    // Another port of the same address, or another address: an operator's NAT.
    const std::size_t host = rebindings_ % 3 == 0 ? 1 + rebindings_ % 200 : 1;
    const std::string text = "203.0." + std::to_string(number_) + "." + std::to_string(host);
    nat_.push_back({local, *quic::SocketAddress::from_numeric(text, next_outside_++)});
    return nat_.back().outside;
}

inline void Stack::Phone::dial() {
    sockets_.clear();
    std::vector<quic::Route> routes;
    if (stack_.config_.dead_route) {
        sockets_.push_back(*quic::SocketAddress::from_numeric("2001:db8::2", next_port_++));
        routes.push_back({sockets_.back(), *quic::SocketAddress::parse("[2001:db8::1]:4433")});
    }
    sockets_.push_back(open_socket());
    routes.push_back({sockets_.back(), server_address()});
    client->transport().offer_routes(std::move(routes), stack_.now_);
}

inline void Stack::Phone::change_address() {
    const std::vector<quic::SocketAddress> old = std::exchange(sockets_, {});
    host_ = static_cast<std::uint8_t>(host_ % 200 + 1);
    for (const quic::SocketAddress& socket : old) {
        if (socket.family() != AF_INET) continue;
        sockets_.push_back(open_socket());
        client->transport().migrate(socket, sockets_.back(), stack_.now_);
    }
    std::erase_if(nat_, [&](const Mapping& m) { return std::ranges::count(old, m.local) != 0; });
    has_mail_ = true;
}

inline void Stack::Phone::receive(const Letter& letter) {
    if (sleeps_until > stack_.now_) return;
    for (const Mapping& m : nat_) {
        if (!(m.outside == letter.to) || std::ranges::count(sockets_, m.local) == 0) continue;
        client->transport().handle_datagram({m.local, letter.from, letter.ecn, letter.bytes},
                                            stack_.now_);
        has_mail_ = true;
        return;
    }
}

inline void Stack::Phone::send(const quic::Transmit& transmit) {
    if (std::ranges::count(sockets_, transmit.local) == 0) return;
    if (!(transmit.remote == server_address())) return;
    const quic::SocketAddress outside = outside_of(transmit.local);
    BytesView rest = transmit.bytes;
    while (!rest.empty()) {
        const BytesView one = rest.first(std::min(transmit.segment_size, rest.size()));
        rest = rest.subspan(one.size());
        stack_.net_.send(stack_.now_, way_, Direction::up,
                         {outside, transmit.remote, transmit.ecn, {one.begin(), one.end()}});
    }
}

inline void Stack::Phone::say() {
    while (says_at_ <= stack_.now_) says_at_ += stack_.config_.say_every;
    if (!talks || !witness.is_in_room()) return;
    std::size_t length = stack_.draw(10, 80);
    if (stack_.one_in(50)) length = stack_.draw(80, 4000);
    if (stack_.one_in(500)) length = stack_.draw(4000, 30'000);
    if (stack_.config_.text_bytes != 0) length = stack_.config_.text_bytes;
    std::string text(length, static_cast<char>('a' + stack_.draw(0, 25)));
    const MessageId id{stack_.random_.draw<16>()};
    const auto request = client->publish(room, text, "{}", id);
    if (request) witness.note_published(*request, id, text);
}

inline void Stack::Phone::move_large_files() {
    if (!stack_.config_.has_files || !witness.is_in_room()) return;
    const MessageId id{stack_.random_.draw<16>()};
    if (stack_.one_in(2)) files.send(*client, id, 100'000);
    if (stack_.one_in(2)) files.fetch(*client, 8);
    has_mail_ = true;
}

inline void Stack::Phone::turn() {
    has_mail_ = false;
    quic::Endpoint& endpoint = client->transport();
    if (says_at_ <= stack_.now_) {
        say();
        move_files();
    }
    endpoint.handle_timeout(stack_.now_);
    client->process(stack_.clock());
    if (endpoint.wants_routes()) dial();
    while (const auto event = client->poll_event()) {
        if (!files.handle(*client, *event)) witness.handle(*event);
    }
    note_outbox();
    while (const auto transmit = endpoint.poll_transmit(stack_.now_)) send(*transmit);
    if (endpoint.is_dialling()) return;
    std::erase_if(sockets_, [&](const auto& socket) { return !endpoint.speaks_from(socket); });
}

// --- Time.

inline void Stack::deliver(const Net::Arrival& arrival) {
    if (arrival.direction == Direction::down) {
        for (const auto& p : phones_) {
            if (p->way_ == arrival.way) p->receive(arrival.letter);
        }
        return;
    }
    const Letter& letter = arrival.letter;
    if (server_ == nullptr) return;
    server_->receive(letter, now_);
    server_has_mail_ = true;
}

inline void Stack::step(TimePoint end) {
    std::optional<TimePoint> next = earlier(net_.next_arrival(), end);
    if (server_) next = earlier(next, server_->next_deadline());
    for (const auto& p : phones_) {
        next = earlier(next, p->next_turn());
    }
    now_ = truth_.now = std::max(now_, *next);
    while (const auto arrival = net_.receive(now_)) deliver(*arrival);
    const auto is_due = [&](std::optional<TimePoint> deadline) {
        return deadline && *deadline <= now_;
    };
    if (server_ && (server_has_mail_ || is_due(server_->next_deadline()))) server_turn();
    if (server_ && server_->finished()) server_.reset();
    for (const auto& p : phones_) {
        if (is_due(p->next_turn())) p->turn();
    }
    if (now_ < checks_at_) return;
    checks_at_ = now_ + 1s;
    if (on_check) on_check();
    for (const auto& p : phones_) {
        p->witness.check_patience(config_.patience);
        if (p->witness.is_calm_for(config_.patience + file_patience) &&
            !p->files.is_done(now_ - config_.patience - file_patience)) {
            throw Breach{p->witness.user() + ": no file for long"};
        }
    }
}

inline void Stack::finish() {
    if (!server_) start_server();
    for (std::size_t i = 0; i < size(); ++i) {
        change_weather(i, [](Weather& w) { w = {}; });
        phones_[i]->talks = false;
        // Who says nothing is not heard from behind a NAT until its next keep-alive.
        phones_[i]->witness.note_trouble(now_ + 25s, now_ + 40s);
    }
    run_for(100s);
    for (const auto& p : phones_) {
        p->witness.check_complete();
        if (!p->files.is_done()) throw Breach{p->witness.user() + ": a file has not come"};
    }
    for (const auto& p : phones_) {
        p->witness.closing = true;
        p->client->close();
        p->has_mail_ = true;
    }
    run_for(1s);
    for (const auto& p : phones_) p->witness.note_trouble(now_ + 1h, now_);
    run_for(10min);  // an idle timeout, or three PTOs of who slept
    const std::string left = server_->leavings();
    if (!left.empty()) throw Breach{left};
}

inline Duration Stack::online_time() const {
    Duration all{};
    for (const auto& p : phones_) all += p->witness.online_time();
    return all;
}

}  // namespace quicchat::test
