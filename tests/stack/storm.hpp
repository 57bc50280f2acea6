#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "stack/excuse.hpp"
#include "stack/stack.hpp"

namespace quicchat::test {

/// What networks, machines and operators do, at random: bad weather of all kinds on each way, and
/// a server that ends now and then. Tells the witnesses what each of them must bear.
class Storm {
public:
    explicit Storm(Stack& stack)
        : stack_(stack), troubles_(stack.size(), Trouble{Excuse{stack.limits()}}) {
        for (std::size_t i = 0; i < stack.size(); ++i) change_climate(i);
    }

    void blow(Duration time) {
        const TimePoint end = stack_.now() + time;
        while (stack_.now() < end) {
            const Duration pause{static_cast<Duration::rep>(stack_.draw(1, 20'000)) * 1'000'000};
            run_until(std::min(end, stack_.now() + pause));
            act();
            if (stack_.one_in(4)) act();  // at the same moment
        }
        // All that was begun ends.
        while (!healings_.empty()) {
            run_until(healings_.front().at);
            heal();  // also what an act ran past
        }
    }

private:
    struct Healing {
        TimePoint at;
        std::size_t phone;  ///< Or `server`.
    };
    struct Trouble {
        Excuse excuse;
        Weather up{};
        Weather down{};  ///< To come back to.
        TimePoint until{};
    };
    static constexpr std::size_t server = ~std::size_t{0};

    Duration draw_time(std::uint64_t low_ms, std::uint64_t high_ms) {
        return Duration{static_cast<Duration::rep>(stack_.draw(low_ms, high_ms)) * 1'000'000};
    }

    void run_until(TimePoint end) {
        while (stack_.now() < end) {
            TimePoint next = end;
            for (const Healing& h : healings_) next = std::min(next, h.at);
            if (next > stack_.now()) stack_.run_for(next - stack_.now());
            heal();
        }
    }

    void heal() {
        for (std::size_t i = 0; i < healings_.size();) {
            const Healing h = healings_[i];
            if (h.at > stack_.now()) {
                ++i;
                continue;
            }
            healings_.erase(healings_.begin() + static_cast<std::ptrdiff_t>(i));
            if (h.phone == server) {
                if (!stack_.has_server()) stack_.start_server();
            } else if (troubles_[h.phone].until <= stack_.now()) {
                stack_.weather(h.phone, Direction::up) = troubles_[h.phone].up;
                stack_.weather(h.phone, Direction::down) = troubles_[h.phone].down;
            }
        }
    }

    void act() {
        const std::size_t phone = stack_.draw(0, stack_.size() - 1);
        if (stack_.has_files() && stack_.one_in(4)) {
            at(phone).move_large_files();
            run_until(stack_.now() + draw_time(0, 400));
        }
        switch (stack_.draw(0, 23)) {
            case 0:
            case 1:
            case 2:
                return silence(phone, draw_time(100, 6000));
            case 3:
                return silence(phone, draw_time(5000, 90'000));
            case 4:
            case 5:
            case 6:
            case 7:
                return rebind(phone);
            case 8:
            case 9:
            case 10:
            case 11:
                return change_address(phone);
            case 12:
            case 13:
            case 14:
                return narrow(phone);
            case 15:
            case 16:
                return change_climate(phone);
            case 17:
            case 18:
                return rain(phone);
            case 19:
                return stack_.one_in(3) ? end_server() : sleep(phone);
            case 20:
            case 21:
                return update_keys();
            case 22:
                return stack_.has_accounts() ? restart(phone) : void();
            default:
                return;
        }
    }

    Stack::Phone& at(std::size_t phone) { return stack_.phone(phone); }

    /// QUICCHAT_STORM_LOG=1 says what happens, to understand a seed.
    void log(const char* what, std::size_t phone, Duration time = {}) {
        static const bool wanted = std::getenv("QUICCHAT_STORM_LOG") != nullptr;
        if (!wanted) return;
        std::cout << std::chrono::duration<double>(stack_.now().time_since_epoch()).count() << ' '
                  << what << ' ';
        if (phone != server) std::cout << at(phone).witness.user();
        if (time != Duration{}) std::cout << " for " << std::chrono::duration<double>(time).count();
        std::cout << '\n';
    }

    /// Something is the matter from now on, for so long. The witness waits until it must be over,
    /// at least for `patience`.
    void bear(std::size_t phone, Duration time, Duration patience = {},
              void (Excuse::*add)(TimePoint, TimePoint, Excuse::Way, bool) = &Excuse::add) {
        Witness& witness = at(phone).witness;
        Excuse& excuse = troubles_[phone].excuse;
        const TimePoint now = stack_.now();
        (excuse.*add)(now, now + time, way_of(phone), witness.is_online());
        witness.note_trouble(std::max(excuse.got_over(), now + patience), excuse.until());
    }

    /// A path is new: the peer hears of it with the next packet, and somebody speaks each second.
    void bear_new_path(std::size_t phone) { bear(phone, 1s + way_of(phone).pto, 5s); }

    /// When it is in order.
    Excuse::Way way_of(std::size_t phone) {
        Excuse::Way way;
        Duration round_trip{};
        for (const Weather* w : {&troubles_[phone].up, &troubles_[phone].down}) {
            round_trip += w->delay + w->jitter;
            way.loses |= w->loss > 0 || w->corrupt > 0;
        }
        const auto path = at(phone).client->stats().path;
        if (path) round_trip = std::max({round_trip, path->round_trip, path->round_trip_latest});
        way.pto = 3 * round_trip + 25ms;
        return way;
    }

    /// Nothing comes through, in one direction or both.
    void silence(std::size_t phone, Duration time) {
        begin(phone, time);
        const std::uint64_t which = stack_.draw(0, 3);
        constexpr const char* names[] = {"silence", "silence down", "silence up", "silence"};
        log(names[which], phone, time);
        if (which != 1) stack_.weather(phone, Direction::up).dead = true;
        if (which != 2) stack_.weather(phone, Direction::down).dead = true;
        bear(phone, time);
    }

    /// Longer packets vanish from now on.
    void narrow(std::size_t phone) {
        const std::size_t size = stack_.one_in(3) ? 1472 : stack_.draw(1200, 1472);
        const std::uint64_t which = stack_.draw(0, 2);
        log(("width " + std::to_string(size)).c_str(), phone);
        for (Trouble& t = troubles_[phone];
             Weather * w : {&t.up, &stack_.weather(phone, Direction::up)}) {
            if (which != 1) w->datagram_bytes_max = size;
        }
        for (Trouble& t = troubles_[phone];
             Weather * w : {&t.down, &stack_.weather(phone, Direction::down)}) {
            if (which != 2) w->datagram_bytes_max = size;
        }
        // Packets become short when some are not acknowledged.
        bear(phone, std::max<Duration>(3 * way_of(phone).pto, 500ms) + 250ms, 5s);
    }

    /// Much is lost, for a while.
    void rain(std::size_t phone) {
        const Duration time = draw_time(500, 12'000);
        begin(phone, time);
        log("rain", phone, time);
        const auto loss = static_cast<unsigned>(stack_.draw(100, 500));
        stack_.change_weather(phone, [&](Weather& w) {
            w.loss = loss;
            w.loss_again = stack_.one_in(2) ? 800 : 0;
        });
        bear(phone, time);
    }

    void begin(std::size_t phone, Duration time) {
        troubles_[phone].until = std::max(troubles_[phone].until, stack_.now() + time);
        healings_.push_back({stack_.now() + time, phone});
    }

    void rebind(std::size_t phone) {
        const bool back = stack_.one_in(3);
        log(back ? "rebinding back" : "rebinding", phone);
        if (back) {
            at(phone).rebind_back();
        } else {
            at(phone).rebind();
        }
        bear_new_path(phone);
    }

    void change_address(std::size_t phone) {
        bear_new_path(phone);
        log("address", phone);
        at(phone).change_address();
        if (!stack_.one_in(4)) return;
        stack_.run_for(draw_time(0, 300));
        at(phone).change_address();  // once more, before that is settled
        bear_new_path(phone);
    }

    void sleep(std::size_t phone) {
        const Duration time = draw_time(500, 80'000);
        log("sleep", phone, time);
        at(phone).sleeps_until = stack_.now() + time;
        bear(phone, time, {}, &Excuse::add_sleep);
    }

    void restart(std::size_t phone) {
        const bool keeps_token = !stack_.one_in(4);
        log(keeps_token ? "program" : "program by password", phone);
        at(phone).restart(keeps_token);
        bear(phone, 0s);
    }

    void end_server() {
        if (!stack_.has_server()) return;
        const Duration time = draw_time(10, 8000);
        const bool politely = stack_.one_in(2);
        log(politely ? "server ends" : "server crashes", server, time);
        if (politely) stack_.shut_server_down();
        if (!politely) stack_.crash_server();
        const TimePoint end = stack_.now() + time + (politely ? 4s : 0s);
        healings_.push_back({end, server});
        for (std::size_t i = 0; i < stack_.size(); ++i)
            bear(i, end - stack_.now(), {}, &Excuse::add_end);
    }

    void update_keys() {
        if (!stack_.has_server()) return;
        for (const auto& connection : stack_.server()->connection_stats()) {
            if (stack_.one_in(2)) {
                stack_.server()->update_keys(connection.connection, stack_.now());
            }
        }
    }

    Weather draw_weather() {
        Weather w;
        w.delay = draw_time(1, stack_.one_in(5) ? 400 : 80);
        if (stack_.one_in(2)) w.jitter = draw_time(0, stack_.one_in(4) ? 200 : 20);
        if (stack_.one_in(2)) w.loss = static_cast<unsigned>(stack_.draw(0, 50));
        if (stack_.one_in(3)) w.duplicate = static_cast<unsigned>(stack_.draw(0, 100));
        if (stack_.one_in(3)) w.corrupt = static_cast<unsigned>(stack_.draw(0, 30));
        if (stack_.one_in(4)) w.congestion = static_cast<unsigned>(stack_.draw(0, 200));
        if (stack_.one_in(3)) w.bytes_per_second = stack_.draw(30'000, 2'000'000);
        w.queue_bytes = stack_.draw(10'000, 200'000);
        return w;
    }

    void change_climate(std::size_t phone) {
        Trouble& trouble = troubles_[phone];
        const std::size_t up = trouble.up.datagram_bytes_max;
        const std::size_t down = trouble.down.datagram_bytes_max;
        trouble.up = draw_weather();
        trouble.down = stack_.one_in(2) ? draw_weather() : trouble.up;
        trouble.up.datagram_bytes_max = up;
        trouble.down.datagram_bytes_max = down;
        log("climate", phone);
        begin(phone, 0s);
        heal();
        bear(phone, way_of(phone).pto, 2s);
    }

    Stack& stack_;
    std::vector<Trouble> troubles_;
    std::vector<Healing> healings_;
};

}  // namespace quicchat::test
