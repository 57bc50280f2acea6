#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "stack/stack.hpp"

namespace quicchat::test {

/// What networks, machines and operators do, at random: bad weather of all kinds on each way, and
/// a server that ends now and then. Tells the witnesses what each of them must bear.
class Storm {
public:
    explicit Storm(Stack& stack) : stack_(stack), troubles_(stack.size()) {
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
        while (!healings_.empty()) run_until(healings_.front().at);
    }

private:
    struct Healing {
        TimePoint at;
        std::size_t phone;  ///< Or `server`.
    };
    struct Trouble {
        std::deque<std::pair<TimePoint, Duration>> silences{};  ///< Their ends and lengths.
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

    /// The witness waits for so long before it complains.
    void be_patient(std::size_t phone, Duration time) {
        const TimePoint end = stack_.now() + time;
        at(phone).witness.note_trouble(end,
                                       at(phone).witness.is_online() ? TimePoint{} : end + 20s);
    }

    /// The same where a path is new. Its first packets fill the congestion window; if they are lost
    /// and round trips are long, three probes in a row may be lost as well, and that is 15 s.
    void bear_new_path(std::size_t phone, Duration time) {
        be_patient(phone, time);
        const auto is_rough = [&](Direction direction) {
            const Weather& w = stack_.weather(phone, direction);
            return w.loss > 0 || w.corrupt > 0 || w.delay + w.jitter > 200ms;
        };
        const TimePoint now = stack_.now();
        const bool rough = is_rough(Direction::up) || is_rough(Direction::down);
        if (rough) at(phone).witness.note_trouble(now, now + 20s);
    }

    /// Nothing comes through, in one direction or both.
    void silence(std::size_t phone, Duration time) {
        begin(phone, time);
        const std::uint64_t which = stack_.draw(0, 3);
        constexpr const char* names[] = {"silence", "silence down", "silence up", "silence"};
        log(names[which], phone, time);
        if (which != 1) stack_.weather(phone, Direction::up).dead = true;
        if (which != 2) stack_.weather(phone, Direction::down).dead = true;
        note_silence(phone, time);
    }

    /// The pauses between probes double, so that after a silence it may take as long again until
    /// the next one (RFC 9002 §6.2.1). When that is 15 s in all, a connection makes room for
    /// another. Of silences that follow each other closely it may not survive the idle timeout.
    void note_silence(std::size_t phone, Duration time) {
        auto& silences = troubles_[phone].silences;
        const TimePoint end = stack_.now() + time;
        while (!silences.empty() && silences.front().first < stack_.now() - 80s) {
            silences.pop_front();
        }
        silences.emplace_back(end, time);
        Duration all{};
        for (const auto& [until, length] : silences) all += length;
        TimePoint excused{};
        // After 15 s, and the end may be heard of with the next keep-alive only.
        if (time > 2s || !at(phone).witness.is_online()) excused = end + 35s;
        if (all > 30s) excused = end + 70s;
        at(phone).witness.note_trouble(end + std::min<Duration>(all, 20s), excused);
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
        be_patient(phone, 5s);
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
        note_silence(phone, time);
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
        bear_new_path(phone, 2s);
    }

    void change_address(std::size_t phone) {
        bear_new_path(phone, 5s);
        log("address", phone);
        at(phone).change_address();
        if (!stack_.one_in(4)) return;
        stack_.run_for(draw_time(0, 300));
        at(phone).change_address();  // once more, before that is settled
        bear_new_path(phone, 5s);
    }

    void sleep(std::size_t phone) {
        const Duration time = draw_time(500, 80'000);
        log("sleep", phone, time);
        at(phone).sleeps_until = stack_.now() + time;
        note_silence(phone, time);
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
        for (std::size_t i = 0; i < stack_.size(); ++i) {
            at(i).witness.note_trouble(end, end + 70s);
        }
    }

    void update_keys() {
        if (!stack_.has_server()) return;
        for (const auto& connection : stack_.server()->connection_stats()) {
            if (stack_.one_in(2)) {
                stack_.server()->transport().update_keys(connection.connection, stack_.now());
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
        be_patient(phone, 2s);
    }

    Stack& stack_;
    std::vector<Trouble> troubles_;
    std::vector<Healing> healings_;
};

}  // namespace quicchat::test
