#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <future>
#include <memory>
#include <vector>

#include "failure.hpp"
#include "quicchat/server/io/stats.hpp"
#include "quicchat/session/client_stats.hpp"
#include "released_gil.hpp"

// Figures on their way from the engine thread to Python.

namespace quicchat::python {

/// What a server says of itself in one turn.
struct ServerReport {
    ServerStats stats;
    std::vector<ConnectionStats> connections;
};

/// An answer that somebody on another thread waits for. Copies are the same answer.
template <class T>
using Promised = std::shared_ptr<std::promise<T>>;

/// Waits for the engine, without the GIL: it has nothing to do with Python. Called with it held,
/// which is taken again now and then for signals: what their handlers raise comes out of here, and
/// the answer goes nowhere; what was asked for may be done all the same. Throws CoreFailure:
/// `not_ready` if who was asked has ended, which breaks the promise; `internal_error` if the engine
/// hangs.
template <class T>
T wait_for(std::future<T> answer) {
    constexpr std::chrono::milliseconds between_signals{50};
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    const auto is_there = [&] {
        const ReleasedGil other_threads_may_run;
        return answer.wait_for(between_signals) == std::future_status::ready;
    };
    while (!is_there()) {
        if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set{};
        if (std::chrono::steady_clock::now() >= end) throw CoreFailure{Errc::internal_error};
    }
    try {
        return answer.get();
    } catch (const std::future_error&) {
        throw CoreFailure{Errc::not_ready};
    }
}

// Dictionaries by the names of the members. Called with the GIL held.

pybind11::dict to_dict(const ServerStats& stats);
pybind11::dict to_dict(const ConnectionStats& stats);
pybind11::dict to_dict(const ClientStats& stats);

}  // namespace quicchat::python
