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

/// Waits for the engine, without the GIL: it has nothing to do with Python. Throws CoreFailure:
/// `not_ready` if who was asked has ended, which breaks the promise; `internal_error` if the engine
/// hangs.
template <class T>
T wait_for(std::future<T> answer) {
    const ReleasedGil other_threads_may_run;
    if (answer.wait_for(std::chrono::minutes{1}) != std::future_status::ready) {
        throw CoreFailure{Errc::internal_error};
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
