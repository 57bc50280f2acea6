#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "input.hpp"
#include "quicchat/auth/name_login.hpp"
#include "quicchat/file/memory_files.hpp"
#include "quicchat/memory.hpp"
#include "stranger.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

inline constexpr DeviceId witness_device{{std::byte{0xee}}};

/// Believes everybody but those who say that they are the witness.
class FuzzRegister : public Authenticator {
    class Exchange final : public LoginExchange {
    public:
        LoginStep start(const LoginRequest& request) override {
            LoginStep step = exchange_.start(request);
            const bool witness = is_same_name(exchange_.claimed_user(), "witness");
            if (witness && request.device != witness_device) return LoginRefused{};
            return step;
        }
        LoginStep respond(BytesView data) override { return exchange_.respond(data); }
        const std::string& claimed_user() const override { return exchange_.claimed_user(); }

    private:
        NameAuthenticator::Exchange exchange_;
    };

public:
    std::unique_ptr<LoginExchange> begin(BytesView) override {
        return std::make_unique<Exchange>();
    }
    std::optional<std::string> find_account(const std::string& name) const override {
        if (is_same_name(name, "bob")) return "Bob";  // he is never here
        return std::nullopt;
    }
};

/// The whole server, over the network in memory: what strangers do to it, an honest client next to
/// them does not notice, and nothing of it is left when they have gone.
class WholeServerFuzz {
public:
    WholeServerFuzz() {
        witness_.connect(now());
        must(witness_.join("#lobby").has_value());
        settle();
        must(witness_.state() == State::ready);
        settled_ = true;
    }

    void run(BytesView bytes) {
        FuzzInput input{bytes};
        for (int steps = 0; !input.empty() && steps < 200; ++steps) {
            const std::uint8_t order = input.octet();
            act(strangers_[order % 3], order / 3u % 16, input);
            if (order < 192) settle();
        }
        for (Stranger& stranger : strangers_) stranger.vanish();
        pass(std::chrono::seconds{12});
        heard_ = false;
        must(witness_.publish("#lobby", "still here").has_value());
        pass(std::chrono::seconds{2});
        settle();  // a heartbeat may be on its way
        must(heard_ && witness_.unanswered_requests() == 0);
        must(server_.connection_count() == 1);
        check_leftovers();
    }

private:
    void act(Stranger& stranger, unsigned action, FuzzInput& input) {
        switch (action) {
            case 6:
                return stranger.log_in(input.octet());
            case 7:
                return stranger.connect();
            case 8:
                return stranger.open_stream();
            case 9:
                return stranger.reset(input.octet() % 8u);
            case 10:
                return stranger.read_or_not();
            case 11:
                return stranger.send_datagram(input.take(input.octet()));
            case 12:
                return stranger.close();
            case 13: {
                static constexpr Duration times[] = {
                    std::chrono::milliseconds{1},   std::chrono::milliseconds{50},
                    std::chrono::milliseconds{400}, std::chrono::seconds{1},
                    std::chrono::seconds{2},        std::chrono::seconds{4},
                    std::chrono::seconds{7},        std::chrono::seconds{20}};
                return pass(times[input.octet() % 8]);
            }
            case 14:
                return stranger.vanish();
            case 15:
                return ask(input.octet());
            case 4: {
                const std::size_t stream = input.octet() % 8u;
                const std::uint8_t what = input.octet();
                return stranger.ask(stream, what, input.octet());
            }
            default: {
                const std::size_t stream = input.octet() % 8u;
                const std::size_t length = input.octet();
                return stranger.write(stream, input.take(length), action == 5);
            }
        }
    }

    /// The witness does something that others may meddle with.
    void ask(std::uint8_t what) {
        if (what % 8 == 0) (void)witness_.publish("#lobby", "hello @a");
        if (what % 8 == 1) (void)witness_.tell("a", "hi");
        if (what % 8 == 2) (void)witness_.request_members("#lobby");
        if (what % 8 == 3) (void)witness_.request_search("#lobby", "he");
        if (what % 8 == 4) (void)witness_.request_history("#lobby", 5, 4, 4);
        if (what % 8 == 5) (void)witness_.request_rooms();
        if (what % 8 == 6) (void)witness_.mark_read("#lobby", 1, true);
        if (what % 8 == 7) (void)witness_.create_room("#mine");
    }

    Now now() const {
        return {network_.now(), WallTime{std::chrono::duration_cast<std::chrono::milliseconds>(
                                    network_.now().time_since_epoch())}};
    }

    /// What the server counts fits together, and nothing of a connection outlives it: also
    /// before what it began runs out of time by itself.
    void check_sums() {
        const ServerStats stats = server_.stats();
        must(stats.connections == server_.connection_count());
        must(stats.users <= stats.connections);
        must(stats.transfers <=
             (stats.connections - 1) * config_.limits.transfers_per_connection_max * 2);
        must(stats.file_bytes <= files().bytes() && stats.files <= files().size());
        if (stats.connections > 1) return;
        must(stats.users == 1 && stats.members <= 1 && stats.transfers == 0);
    }

    /// All has come to its end, what was begun and left has run out of time.
    void check_leftovers() {
        const ServerStats stats = server_.stats();
        must(stats.members == 1 && stats.appends_under_way == 0 && stats.checks_waiting == 0);
        must(stats.answers_waiting == 0 && stats.unsent_bytes == 0);
        must(stats.files == files().size() && stats.file_bytes == files().bytes());
        must(server_.connection_stats().size() == 1);
    }

    const MemoryFiles<ReferenceCrypto>& files() const {
        return dynamic_cast<const MemoryFiles<ReferenceCrypto>&>(server_.files());
    }

    void turn() {
        server_.process(now());
        if (settled_) check_sums();
        while (const auto event = server_.poll_event()) {
            must(!std::holds_alternative<ServerFailed>(*event));
        }
        witness_.process(now());
        while (const auto event = witness_.poll_event()) {
            must(!std::holds_alternative<Offline>(*event));
            const auto* message = std::get_if<RoomMessage>(&*event);
            if (message != nullptr && message->text == "still here") heard_ = true;
        }
        for (Stranger& stranger : strangers_) stranger.read();
    }

    /// Until nothing is under way any more.
    void settle() {
        go_on([&] { return is_due() ? network_.now() : network_.next_event(); });
    }

    void pass(Duration time) {
        const TimePoint end = network_.now() + time;
        go_on([&]() -> std::optional<TimePoint> {
            if (network_.now() >= end) return std::nullopt;
            std::optional<TimePoint> next = earlier(network_.next_event(), server_.next_deadline());
            next = earlier(earlier(next, witness_.next_deadline()), end);
            return std::max(*next, network_.now());
        });
    }

    template <class Next>
    void go_on(Next next) {
        turn();
        for (std::size_t turns = 0; const std::optional<TimePoint> time = next(); ++turns) {
            must(turns < 50'000);
            network_.advance_to(*time);
            turn();
        }
    }

    bool is_due() const {
        const std::optional<TimePoint> deadline = server_.next_deadline();
        return deadline && *deadline <= network_.now();
    }

    ServerConfig config_{.rooms = {"#lobby"},
                         .limits = {.room_log_records_max = 20,
                                    .room_age_min = {},
                                    .room_recent_frames_max = 2,
                                    .private_rooms_max = 2,
                                    .catch_up_records_max = 2,
                                    .search_records_max = 5,
                                    .reactions_per_message_max = 2,
                                    .rooms_per_owner_max = 2,
                                    .file_chunk_bytes_max = 200,
                                    .upload_expiry = std::chrono::seconds{5},
                                    .empty_upload_expiry = std::chrono::seconds{2},
                                    .stream_backlog_bytes_max = 500,
                                    .idle_timeout = std::chrono::seconds{6},
                                    .keep_alive = std::chrono::seconds{2}}};
    memory::Network network_{{.seed = 1}};
    memory::Server server_{network_.listen("chat", config_.limits),
                           MemoryLog{Entropy::seeded(1)},
                           FuzzRegister{},
                           Entropy::seeded(2),
                           config_,
                           MemoryFiles<ReferenceCrypto>{4096}};
    memory::Client witness_{network_.dial("chat", config_.limits),
                            *NameLogin::create("witness"),
                            Entropy::seeded(3),
                            {.reconnect = {.enabled = false}, .device = witness_device}};
    std::array<Stranger, 3> strangers_{Stranger{network_}, Stranger{network_}, Stranger{network_}};
    bool heard_ = false;
    bool settled_ = false;  ///< The witness is there.
};

inline void fuzz_server(BytesView bytes) { WholeServerFuzz{}.run(bytes); }

}  // namespace quicchat::test
