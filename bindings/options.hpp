#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>

#include "engine.hpp"
#include "failure.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/session/backoff.hpp"

// What Python says as the types of the core. Called with the GIL held.

namespace quicchat::python {

/// The engine, which begins now if need be. Fails once the interpreter is ending.
inline Engine* live_engine() {
    Engine* const engine = Engine::instance();
    if (engine == nullptr) throw CoreFailure{Errc::not_ready};
    return engine;
}

/// It is never destroyed.
inline std::shared_ptr<Host> as_host(Engine* engine) { return {std::shared_ptr<Host>{}, engine}; }

inline Duration to_duration(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds});
}

/// `Limits` with the given ones changed. The Python class of that name knows the ranges.
inline Limits make_limits(const pybind11::dict& chosen) {
    struct Size {
        const char* name;
        std::size_t Limits::*member;
    };
    struct Time {
        const char* name;
        Duration Limits::*member;
    };
    static constexpr Size sizes[] = {
        {"connections_max", &Limits::connections_max},
        {"strangers_per_prefix_max", &Limits::strangers_per_prefix_max},
        {"connections_per_account_max", &Limits::connections_per_account_max},
        {"rooms_per_connection_max", &Limits::rooms_per_connection_max},
        {"rooms_max", &Limits::rooms_max},
        {"rooms_per_owner_max", &Limits::rooms_per_owner_max},
        {"room_bytes_per_owner_max", &Limits::room_bytes_per_owner_max},
        {"members_max", &Limits::members_max},
        {"message_bytes_max", &Limits::message_bytes_max},
        {"room_log_records_max", &Limits::room_log_records_max},
        {"room_log_bytes_max", &Limits::room_log_bytes_max},
        {"history_records_max", &Limits::history_records_max},
        {"reactions_per_message_max", &Limits::reactions_per_message_max},
        {"reactions_by_account_max", &Limits::reactions_by_account_max},
        {"turn_work_max", &Limits::turn_work_max},
        {"unsent_bytes_max", &Limits::unsent_bytes_max},
        {"events_max", &Limits::events_max},
        {"file_bytes_max", &Limits::file_bytes_max},
        {"files_per_room_bytes_max", &Limits::files_per_room_bytes_max},
        {"files_per_account_bytes_max", &Limits::files_per_account_bytes_max},
        {"files_bytes_max", &Limits::files_bytes_max},
    };
    static constexpr Time times[] = {
        {"answer_wait", &Limits::answer_wait},
        {"answer_timeout", &Limits::answer_timeout},
        {"login_timeout", &Limits::login_timeout},
        {"handshake_timeout", &Limits::handshake_timeout},
        {"idle_timeout", &Limits::idle_timeout},
        {"keep_alive", &Limits::keep_alive},
        {"drain_timeout", &Limits::drain_timeout},
        {"room_age_min", &Limits::room_age_min},
    };
    struct PerSecond {
        const char* name;
        Rate Limits::*member;
    };
    static constexpr PerSecond rates[] = {
        {"messages_per_account", &Limits::messages_per_account},
        {"messages_per_room", &Limits::messages_per_room},
        {"messages_per_prefix", &Limits::messages_per_prefix},
        {"stored_bytes_per_account", &Limits::stored_bytes_per_account},
        {"output_bytes_per_account", &Limits::output_bytes_per_account},
        {"file_bytes_per_account", &Limits::file_bytes_per_account},
        {"upload_bytes_per_account", &Limits::upload_bytes_per_account},
        {"requests_per_connection", &Limits::requests_per_connection},
        {"requests_per_account", &Limits::requests_per_account},
        {"markers_per_account", &Limits::markers_per_account},
        {"connections_per_prefix", &Limits::connections_per_prefix},
        {"failed_logins_per_prefix", &Limits::failed_logins_per_prefix},
    };
    Limits limits;
    for (const auto& [key, value] : chosen) {
        const auto name = key.cast<std::string>();
        bool found = false;
        for (const Size& size : sizes) {
            if (name == size.name) limits.*size.member = value.cast<std::size_t>(), found = true;
        }
        for (const Time& time : times) {
            if (name != time.name) continue;
            limits.*time.member = to_duration(value.cast<double>());
            found = true;
        }
        for (const PerSecond& r : rates) {
            if (name != r.name) continue;
            Rate& rate = limits.*r.member;
            const std::uint64_t seconds_of_burst = rate.burst / rate.per_second;
            rate.per_second = value.cast<std::uint64_t>();
            rate.burst = rate.per_second * seconds_of_burst;
            found = true;
        }
        if (!found) throw pybind11::key_error(name);
    }
    return limits;
}

/// How to come back; nothing for never. The Python class `Reconnect` knows the ranges.
inline Reconnection make_reconnection(const std::optional<pybind11::dict>& chosen) {
    if (!chosen) return {.enabled = false};
    const auto seconds = [&](const char* name) {
        return to_duration((*chosen)[name].cast<double>());
    };
    Reconnection policy;
    policy.delay_min = seconds("delay_min");
    policy.delay_max = seconds("delay_max");
    policy.busy_delay_min = seconds("busy_delay_min");
    policy.busy_delay_max = seconds("busy_delay_max");
    if (!(*chosen)["give_up_after"].is_none()) policy.give_up_after = seconds("give_up_after");
    return policy;
}

}  // namespace quicchat::python
