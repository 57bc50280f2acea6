#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "client_port.hpp"
#include "instantiations.hpp"
#include "quicchat/sqlite/client_store.hpp"
#include "runner.hpp"

namespace quicchat::python {

/// The address tokens of a client whose file outlives it.
class StoredAddressTokens final : public quic::AddressTokens {
public:
    explicit StoredAddressTokens(std::shared_ptr<sqlite::ClientStore> store)
        : store_(std::move(store)) {}

    Token take() override { return store_->take_address_token(); }
    void keep(const Token& token) override { store_->keep_address_token(token); }

private:
    std::shared_ptr<sqlite::ClientStore> store_;
};

/// Drives one client: commands in, events out. A driver has the client, `app`, and gives it turns.
template <class Driver>
class ClientRunnerOf final : public Runner {
public:
    /// `store`: what outlives the program, if anything does.
    ClientRunnerOf(std::unique_ptr<Driver> driver, std::shared_ptr<sqlite::ClientStore> store,
                   std::shared_ptr<ClientPort> port);
    ClientRunnerOf(const ClientRunnerOf&) = delete;
    ClientRunnerOf& operator=(const ClientRunnerOf&) = delete;
    /// Says that it is offline only when it has given everything back.
    ~ClientRunnerOf() override;

    int fd() const override;
    std::array<int, 2> wake_fds() const override;
    bool wants_write() const override;
    std::optional<TimePoint> next_deadline() const override;
    void turn(Now now) override;
    void abandon(Now now) override;
    bool finished() const override { return offline_.has_value(); }

private:
    // What is handed over before the reader is woken.
    static constexpr std::size_t events_at_once = 64;
    static constexpr std::size_t bytes_at_once = 64 * 1024;

    void dial();
    void drive();
    void keep_state();
    void note_change(OutboxChange change);
    std::optional<StorageError> write_state();
    void fail(const StorageError& error);
    void apply_commands();
    void apply(ClientCommand command);
    void note(Ticket ticket, Result<RequestId> request);
    void note_transfer(Ticket ticket, Result<RequestId> request);
    void deliver();
    bool collect(std::size_t events_max);
    Ticket answered(const ClientEvent& event);

    using App = std::remove_reference_t<decltype(std::declval<Driver&>().app())>;

    std::unique_ptr<Driver> driver_;
    std::shared_ptr<sqlite::ClientStore> store_;  ///< The driver's address tokens are there, too.
    App& client_;
    std::shared_ptr<ClientPort> port_;
    std::map<RequestId, Ticket> tickets_;
    std::map<Ticket, RequestId> transfers_;   ///< Files under way.
    std::vector<OutboxChange> unkept_;        ///< What the store has not got yet.
    std::optional<TimePoint> keep_again_at_;  ///< The store takes nothing for now.
    std::vector<typename Mailbox<ClientMail>::Entry> collected_;
    bool dialled_ = false;
    Now now_{};  ///< Of the turn.
    std::optional<Offline> offline_;
};

extern template class ClientRunnerOf<ClientDriver>;
extern template class ClientRunnerOf<MemoryClientDriver>;

}  // namespace quicchat::python
