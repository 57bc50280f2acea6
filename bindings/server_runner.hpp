#pragma once

#include <memory>
#include <optional>

#include "engine.hpp"
#include "instantiations.hpp"
#include "server_port.hpp"

namespace quicchat::python {

/// Drives one server on the engine thread.
class ServerRunner final : public Runner {
public:
    /// `drain_timeout` is the server's own.
    ServerRunner(std::unique_ptr<ServerDriver> driver, std::shared_ptr<ServerPort> port,
                 Duration drain_timeout);

    int fd() const override;
    bool wants_write() const override;
    std::optional<TimePoint> next_deadline() const override;
    void turn(Now now) override;
    void abandon(Now now) override;
    bool finished() const override { return finished_; }

private:
    void deliver();

    std::unique_ptr<ServerDriver> driver_;
    quic::Server& server_;
    std::shared_ptr<ServerPort> port_;
    Duration drain_timeout_;
    bool finished_ = false;
};

}  // namespace quicchat::python
