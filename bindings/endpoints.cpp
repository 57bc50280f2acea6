#include "endpoints.hpp"

#include <array>
#include <cstring>
#include <fstream>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "client_runner.hpp"
#include "failure.hpp"
#include "quicchat/quic/qlog_folder.hpp"
#include "server_runner.hpp"
#include "storage.hpp"
#include "trust.hpp"

namespace quicchat::python {
namespace {

quic::SocketAddress read_address(std::string_view text) {
    const auto address = quic::SocketAddress::parse(text);
    if (!address) throw CoreFailure{std::make_error_code(std::errc::invalid_argument)};
    return *address;
}

std::shared_ptr<quic::QlogSink> open_qlog(const QlogOptions& options) {
    if (options.directory.empty()) return nullptr;
    Result<std::shared_ptr<quic::QlogFolder>> folder =
        quic::QlogFolder::open({.directory = options.directory, .bytes_max = options.bytes_max});
    if (!folder) throw QlogFailure{folder.error()};
    return *std::move(folder);
}

/// Made of the private key, so that it is as secret and as lasting.
Digest secret_of(std::string_view key_pem, std::string_view purpose) {
    return quic::WolfCrypto::hmac_sha256(as_bytes(key_pem), as_bytes(purpose));
}

/// What changes when the machine is started, and not when this program is; empty: it is not known.
std::string boot_id() {
    std::string id;
    std::getline(std::ifstream{"/proc/sys/kernel/random/boot_id"}, id);
    return id;
}

quic::Seed seed_of(const Digest& secret) {
    quic::Seed seed{};
    std::memcpy(seed.data(), secret.data(), seed.size());
    return seed;
}

/// One for each thread that carries connections.
std::vector<quic::WebTransport> make_transports(const ServeOptions& options) {
    const ServerSettings& settings = options.settings;
    quic::ServerConfig identity{.certificate_pem = settings.certificate_pem,
                                .key_pem = settings.key_pem,
                                .http3_certificate_pem = settings.web_certificate_pem,
                                .http3_key_pem = settings.web_key_pem};
    identity.reset_secret = seed_of(secret_of(settings.key_pem, "quicchat stateless reset"));
    // Tokens have times of a clock that begins with the machine, so they are good for its life.
    if (const std::string boot = boot_id(); !boot.empty()) {
        identity.token_secret =
            seed_of(secret_of(settings.key_pem, "quicchat address tokens " + boot));
    }
    quic::Config config{
        .limits = settings.limits, .alpn = {options.alpn}, .qlog = open_qlog(options.qlog)};
    if (!settings.web.origins.empty()) config.alpn.emplace_back(http3_alpn);
    std::vector<quic::WebTransport> transports;
    for (quic::Endpoint& endpoint :
         value_or_throw(quic::make_shards(identity, config, options.threads))) {
        transports.emplace_back(
            std::move(endpoint),
            webtransport::Config{.path = settings.web.path, .origins = settings.web.origins});
    }
    return transports;
}

}  // namespace

Now read_clock() { return quic::read_clock(); }

std::unique_ptr<Runner> make_client(DialOptions options, std::shared_ptr<ClientKeyCache> cache,
                                    std::unique_ptr<Background> background,
                                    std::shared_ptr<ClientPort> port) {
    using Password = ScramLogin<quic::WolfCrypto>;
    std::optional<Password> password;
    if (options.password) {
        auto made = Password::create(options.user, *options.password, {.cache = std::move(cache)});
        secure_wipe(std::as_writable_bytes(std::span{*options.password}));
        password = value_or_throw(std::move(made));
    }
    std::shared_ptr<sqlite::ClientStore> store;
    if (!options.state.empty()) {
        store = std::make_shared<sqlite::ClientStore>(value_or_throw(
            sqlite::ClientStore::open(options.state, options.account, quic::system_entropy())));
    }
    auto login = value_or_throw(quic::Login::create(options.user, std::move(password),
                                                    store ? store->token() : std::nullopt));

    quic::Destination destination{.host = options.host, .port = options.port};
    if (store) destination.tokens = std::make_shared<StoredAddressTokens>(store);
    for (const std::string& address : options.addresses) {
        destination.known.push_back(read_address(address));
    }
    auto dialler = value_or_throw(quic::Dialler::create(std::move(destination)));
    quic::Trust trust = make_trust(options.trust, std::move(options.pem), options.keys);
    quic::ClientConfig target{
        .routes_later = true, .server_name = std::move(options.host), .trust = std::move(trust)};
    quic::Config config{.limits = options.limits,
                        .alpn = {std::move(options.alpn)},
                        .qlog = open_qlog(options.qlog)};
    auto endpoint = value_or_throw(quic::Endpoint::client(std::move(target), std::move(config)));
    auto driver = std::make_unique<ClientDriver>(
        std::move(dialler), std::move(endpoint), std::move(login), quic::system_entropy(),
        ClientConfig{.agent = std::move(options.agent),
                     .limits = options.limits,
                     .reconnect = options.reconnect,
                     .device = store ? std::optional{store->device()} : std::nullopt});
    driver->app().compute_in(std::move(background));
    return std::make_unique<ClientRunnerOf<ClientDriver>>(std::move(driver), std::move(store),
                                                          std::move(port));
}

BoundServer make_server(const ServeOptions& options, std::shared_ptr<ServerPort> port) {
    // The address first: who starts a server twice should read that, not that its file is in use.
    auto sockets = value_or_throw(
        quic::UdpSocket::bind_shards(read_address(options.address), options.threads));
    std::string address = sockets[0].local_address().to_string();
    std::vector<quic::WebTransport> transports = make_transports(options);

    const ServerSettings& settings = options.settings;
    Storage storage = open_storage(options);
    // An account of that name, from before, is somebody's.
    const bool is_taken = storage.book->accounts().find(options.speaker) != nullptr;
    const std::string speaker = is_taken ? "" : options.speaker;
    const auto hook = options.asks ? std::make_shared<DeferredHook>() : nullptr;
    quic::Authenticator authenticator{
        storage.book,
        storage.secret,
        quic::system_entropy(),
        hook,
        {.hook_timeout = options.hook_timeout, .page_passwords = settings.web.passwords}};
    auto desk = std::make_shared<TicketDesk>(quic::read_clock().wall);
    desk->set_rules(make_ticket_rules(settings.web.tickets));
    quic::PageAuthenticator pages{authenticator, desk, storage.book, hook, options.hook_timeout};
    ServerConfig config{
        .rooms = settings.rooms,
        .operators = settings.operators,
        .anybody_makes_rooms = settings.anybody_makes_rooms,
        .speaker = speaker,
        .agent = options.agent,
        .limits = settings.limits,
        .checks_messages = options.checks_messages,
        .check_timeout = options.check_timeout,
        .unchecked = options.accepts_unchecked ? Unchecked::accept : Unchecked::refuse};

    // `first`: what a driver takes before the parts of the chat.
    const auto make_runner = [&]<class Driver>(std::type_identity<Driver>, auto&&... first) {
        auto driver = std::make_unique<Driver>(
            std::forward<decltype(first)>(first)..., std::move(storage.log), std::move(pages),
            quic::system_entropy(), std::move(config), std::move(storage.files));
        if constexpr (requires { driver->error(); }) {
            if (const auto error = driver->error()) throw CoreFailure{error};
        }
        ServerParts<Driver> parts{.driver = std::move(driver),
                                  .book = std::move(storage.book),
                                  .memory_book = std::move(storage.memory_book),
                                  .store = std::move(storage.store),
                                  .hook = hook,
                                  .passwords = std::move(authenticator),
                                  .tickets = std::move(desk),
                                  .checks_messages = options.checks_messages,
                                  .drain_timeout = settings.limits.drain_timeout};
        return std::make_unique<ServerRunnerOf<Driver>>(std::move(parts), std::move(port));
    };
    std::unique_ptr<Runner> runner;
    if (options.threads > 1) {
        runner = make_runner(std::type_identity<ShardedServerDriver>{}, std::move(sockets),
                             std::move(transports), settings.limits);
    } else {
        runner = make_runner(std::type_identity<ServerDriver>{}, std::move(sockets[0]),
                             std::move(transports[0]));
    }
    return {std::move(runner), std::move(address), std::move(storage.replaced), speaker};
}

}  // namespace quicchat::python
