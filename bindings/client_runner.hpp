#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "client_port.hpp"
#include "engine.hpp"
#include "instantiations.hpp"
#include "quicchat/sqlite/client_store.hpp"

namespace quicchat::python {

/// Drives one client on the engine thread: commands in, events out.
class ClientRunner final : public Runner {
public:
    /// `store`: what outlives the program, if anything does.
    ClientRunner(std::unique_ptr<ClientDriver> driver, std::optional<sqlite::ClientStore> store,
                 std::shared_ptr<ClientPort> port);
    ClientRunner(const ClientRunner&) = delete;
    ClientRunner& operator=(const ClientRunner&) = delete;
    /// Says that it is offline only when it has given everything back.
    ~ClientRunner() override;

    int fd() const override;
    std::array<int, 2> wake_fds() const override;
    bool wants_write() const override;
    std::optional<TimePoint> next_deadline() const override;
    void turn(Now now) override;
    void abandon(Now now) override;
    bool finished() const override { return offline_.has_value(); }

private:
    void dial(Now now);
    void drive(Now now);
    void keep_state(Now now);
    void note_change(OutboxChange change);
    std::optional<StorageError> write_state();
    void fail(const StorageError& error);
    void apply_commands(Now now);
    void apply(ClientCommand command, Now now);
    void note(Ticket ticket, Result<RequestId> request);
    void note_transfer(Ticket ticket, Result<RequestId> request);
    void deliver();
    Ticket answered(const ClientEvent& event);

    std::unique_ptr<ClientDriver> driver_;
    std::optional<sqlite::ClientStore> store_;
    quic::Client& client_;
    std::shared_ptr<ClientPort> port_;
    std::map<RequestId, Ticket> tickets_;
    std::map<Ticket, RequestId> transfers_;   ///< Files under way.
    std::vector<OutboxChange> unkept_;        ///< What the store has not got yet.
    std::optional<TimePoint> keep_again_at_;  ///< The store takes nothing for now.
    bool dialled_ = false;
    std::optional<Offline> offline_;
};

}  // namespace quicchat::python
