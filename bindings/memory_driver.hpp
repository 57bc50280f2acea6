#pragma once

#include <array>
#include <optional>
#include <system_error>
#include <utility>

#include "quicchat/base/time.hpp"

namespace quicchat::python {

/// Joins an application and the network in memory that its transport is of, as quic::Driver does
/// with a socket. There is nothing to wait for but time.
template <class App>
class MemoryDriver {
public:
    /// Makes the application of `arguments`, in place.
    template <class... Arguments>
    explicit MemoryDriver(Arguments&&... arguments) : app_(std::forward<Arguments>(arguments)...) {}

    App& app() { return app_; }
    int fd() const { return -1; }
    std::array<int, 2> wake_fds() const { return {-1, -1}; }
    bool wants_write() const { return false; }
    std::optional<TimePoint> next_deadline() const { return app_.next_deadline(); }
    std::error_code turn(Now now) { return app_.process(now), std::error_code{}; }

private:
    App app_;
};

}  // namespace quicchat::python
