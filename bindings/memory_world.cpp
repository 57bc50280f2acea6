#include "memory_world.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "client_runner.hpp"
#include "failure.hpp"
#include "quicchat/auth/name_login.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/file/memory_files.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "server_runner.hpp"

namespace quicchat::python {
namespace {

/// The virtual clock begins above zero, which some take as never.
constexpr TimePoint beginning{std::chrono::hours{1}};

/// More turns than that without any time are a fault of ours, and would not end.
constexpr std::uint64_t turns_at_once_max = 10'000'000;

constexpr const char* address = "memory";

/// Believes names; if there is a list, only those in it.
class NamedAccounts final : public Authenticator {
public:
    explicit NamedAccounts(std::optional<std::vector<std::string>> names)
        : names_(std::move(names)) {}

    std::unique_ptr<LoginExchange> begin(BytesView entropy) override {
        return std::make_unique<Exchange>(NameAuthenticator{}.begin(entropy), names_);
    }

    std::optional<std::string> find_account(const std::string& name) const override {
        return find(names_, name);
    }

private:
    using Names = std::optional<std::vector<std::string>>;

    static std::optional<std::string> find(const Names& names, const std::string& name) {
        if (!names) return name;
        const auto found =
            std::ranges::find_if(*names, [&](const auto& n) { return is_same_name(n, name); });
        return found == names->end() ? std::nullopt : std::optional{*found};
    }

    class Exchange final : public LoginExchange {
    public:
        Exchange(std::unique_ptr<LoginExchange> believes, Names names)
            : believes_(std::move(believes)), names_(std::move(names)) {}

        LoginStep start(const LoginRequest& request) override {
            LoginStep step = believes_->start(request);
            auto* accepted = std::get_if<LoginAccepted>(&step);
            if (accepted == nullptr) return step;
            const std::optional<std::string> name = find(names_, accepted->user);
            if (!name) return LoginRefused{};
            accepted->user = *name;
            return step;
        }
        LoginStep respond(BytesView response) override { return believes_->respond(response); }
        const std::string& claimed_user() const override { return believes_->claimed_user(); }

    private:
        std::unique_ptr<LoginExchange> believes_;
        Names names_;
    };

    Names names_;
};

}  // namespace

MemoryWorld::MemoryWorld(std::uint64_t seed, WallTime wall)
    : network_({.seed = seed, .start = beginning, .delay_min = {}, .delay_max = {}}),
      wall_(wall),
      seed_(seed) {}

RunnerId MemoryWorld::add_server(MemoryServeOptions options, std::shared_ptr<ServerPort> port) {
    const std::lock_guard lock{mutex_};
    if (driven_.contains(server_)) throw CoreFailure{Errc::room_exists};
    const Entropy entropy = Entropy::seeded(seed_ * 1'000'003 + newest_);
    const Limits limits = options.config.limits;
    const bool checks = options.config.checks_messages;
    Owned<FileStore> files = NoFiles{};
    if (options.takes_files) files = MemoryFiles<quic::WolfCrypto>{};
    ServerParts<MemoryServerDriver> parts{.driver = std::make_unique<MemoryServerDriver>(
                                              network_.listen(address, limits), MemoryLog{entropy},
                                              NamedAccounts{std::move(options.accounts)}, entropy,
                                              std::move(options.config), std::move(files)),
                                          .checks_messages = checks,
                                          .drain_timeout = limits.drain_timeout};
    server_ = add(
        std::make_unique<ServerRunnerOf<MemoryServerDriver>>(std::move(parts), std::move(port)));
    return server_;
}

RunnerId MemoryWorld::add_client(MemoryDialOptions options, std::shared_ptr<ClientPort> port) {
    const std::lock_guard lock{mutex_};
    auto login = value_or_throw(NameLogin::create(options.user));
    auto driver = std::make_unique<MemoryClientDriver>(
        network_.dial(address, options.limits), std::move(login),
        Entropy::seeded(seed_ * 1'000'003 + newest_),
        ClientConfig{.agent = std::move(options.agent),
                     .limits = options.limits,
                     .reconnect = options.reconnect});
    return add(std::make_unique<ClientRunnerOf<MemoryClientDriver>>(std::move(driver), nullptr,
                                                                    std::move(port)));
}

void MemoryWorld::wake(RunnerId runner) {
    const std::lock_guard lock{mutex_};
    woken_.insert(runner);
    settle();
}

Duration MemoryWorld::elapsed() {
    const std::lock_guard lock{mutex_};
    return network_.now() - beginning;
}

void MemoryWorld::step(Duration until) {
    const std::lock_guard lock{mutex_};
    const TimePoint end = std::max(beginning + until, network_.now());
    std::optional<TimePoint> next = network_.next_event();
    for (const auto& [id, driven] : driven_) next = earlier(next, driven.runner->next_deadline());
    network_.advance_to(next ? std::clamp(*next, network_.now(), end) : end);
    settle();
}

std::uint64_t MemoryWorld::turns() {
    const std::lock_guard lock{mutex_};
    return turns_;
}

void MemoryWorld::set_delay(Duration min, Duration max) {
    const std::lock_guard lock{mutex_};
    network_.config().delay_min = min;
    network_.config().delay_max = max;
}

void MemoryWorld::set_dialling(memory::Dialling dialling) {
    const std::lock_guard lock{mutex_};
    network_.config().dialling = dialling;
}

void MemoryWorld::cut(RunnerId client) {
    fault(client, [&](std::uint64_t number) { network_.cut(number); });
}
void MemoryWorld::cut_after(RunnerId client, std::size_t bytes) {
    fault(client, [&](std::uint64_t number) { network_.cut_after(number, bytes); });
}
void MemoryWorld::stall(RunnerId client) {
    fault(client, [&](std::uint64_t number) { network_.stall(number); });
}
void MemoryWorld::resume(RunnerId client) {
    fault(client, [&](std::uint64_t number) { network_.resume(number); });
}

template <class Fault>
void MemoryWorld::fault(RunnerId client, const Fault& fault) {
    const std::lock_guard lock{mutex_};
    const auto found = driven_.find(client);
    if (found == driven_.end() || found->second.connection == 0) return;
    fault(found->second.connection);
    settle();
}

RunnerId MemoryWorld::add(std::unique_ptr<Runner> runner) {
    const auto id = static_cast<RunnerId>(++newest_);
    driven_.emplace(id, Driven{std::move(runner)});
    woken_.insert(id);
    settle();
    return id;
}

Now MemoryWorld::now() const {
    const Duration gone = network_.now() - beginning;
    return {network_.now(), wall_ + std::chrono::floor<std::chrono::milliseconds>(gone)};
}

/// Does all that can be done without time.
void MemoryWorld::settle() {
    const std::uint64_t last = turns_ + turns_at_once_max;
    std::uint64_t at_rest = turns_;
    while (true) {
        while (settle_once()) {
            if (turns_ > last) throw std::runtime_error{"the network in memory comes to no rest"};
        }
        if (turns_ == at_rest) return;
        // What its store of files has answered in the server's last turn is taken by the next one.
        const auto server = driven_.find(server_);
        if (server != driven_.end()) turn(server_, server->second);
        at_rest = turns_;
    }
}

bool MemoryWorld::settle_once() {
    network_.advance_to(network_.now());
    std::vector<RunnerId> due(woken_.begin(), woken_.end());
    woken_.clear();
    for (const auto& [id, driven] : driven_) {
        const std::optional<TimePoint> deadline = driven.runner->next_deadline();
        if (deadline && *deadline <= network_.now()) due.push_back(id);
    }
    for (const RunnerId id : due) {
        const auto found = driven_.find(id);
        if (found != driven_.end()) turn(id, found->second);
    }
    return !due.empty();
}

void MemoryWorld::turn(RunnerId id, Driven& driven) {
    ++turns_;
    const std::uint64_t dialled = network_.connections_dialled();
    driven.runner->turn(now());
    if (network_.connections_dialled() != dialled) {
        driven.connection = network_.connections_dialled();
    }
    if (driven.runner->finished()) driven_.erase(id);
}

}  // namespace quicchat::python
