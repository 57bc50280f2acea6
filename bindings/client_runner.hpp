#pragma once

#include <map>
#include <memory>
#include <optional>

#include "client_port.hpp"
#include "engine.hpp"
#include "instantiations.hpp"

namespace quicchat::python {

/// Drives one client on the engine thread: commands in, events out.
class ClientRunner final : public Runner {
public:
    ClientRunner(std::unique_ptr<ClientDriver> driver, std::shared_ptr<ClientPort> port);

    int fd() const override;
    bool wants_write() const override;
    std::optional<TimePoint> next_deadline() const override;
    void turn(Now now) override;
    void abandon(Now now) override;
    bool finished() const override { return offline_; }

private:
    void drive(Now now);
    void apply_commands();
    void apply(ClientCommand command);
    void note(Ticket ticket, Result<RequestId> request);
    void deliver();
    Ticket answered(const ClientEvent& event);

    std::unique_ptr<ClientDriver> driver_;
    quic::Client& client_;
    std::shared_ptr<ClientPort> port_;
    std::map<RequestId, Ticket> tickets_;
    bool dialled_ = false;
    bool offline_ = false;
};

}  // namespace quicchat::python
