#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "endpoints.hpp"
#include "instantiations.hpp"
#include "quicchat/auth/deferred_hook.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/ticket_desk.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/sqlite/store.hpp"
#include "runner.hpp"
#include "server_desk.hpp"
#include "server_port.hpp"

namespace quicchat::python {

/// What a server stands on, and is watched beside it. A driver has the server, `app`, and gives it
/// turns.
template <class Driver>
struct ServerParts {
    std::unique_ptr<Driver> driver;
    std::shared_ptr<AccountBook> book{};             ///< Nullptr: names are believed.
    std::shared_ptr<MemoryAccounts> memory_book{};   ///< The same, if it is in memory.
    std::shared_ptr<sqlite::Store> store{};          ///< Nullptr: everything is in memory.
    std::shared_ptr<DeferredHook> hook{};            ///< If Python is asked about logins.
    std::optional<quic::Authenticator> passwords{};  ///< Shares the server's rules about them.
    std::shared_ptr<TicketDesk> tickets{};           ///< Of pages; nullptr: there are no pages.
    bool checks_messages = false;                    ///< Python is asked about messages.
    Duration drain_timeout{};                        ///< The server's own.
};

/// Drives one server.
template <class Driver>
class ServerRunnerOf final : public Runner, public ServerDesk {
public:
    ServerRunnerOf(ServerParts<Driver> parts, std::shared_ptr<ServerPort> port);
    ServerRunnerOf(const ServerRunnerOf&) = delete;
    ServerRunnerOf& operator=(const ServerRunnerOf&) = delete;
    /// Says that it has ended only when port and database can be used by the next one.
    ~ServerRunnerOf() override;

    int fd() const override;
    std::array<int, 2> wake_fds() const override;
    bool wants_write() const override;
    std::optional<TimePoint> next_deadline() const override;
    void turn(Now now) override;
    void abandon(Now now) override;
    bool finished() const override { return finished_; }

    ServerReport report() const override { return {server_.stats(), server_.connection_stats()}; }
    const AccountStore& accounts() const override;
    void replace_accounts(AccountStore next) override;
    void take_settings(const ServerSettings& next) override;
    std::vector<RoomReport> rooms() const override { return server_.rooms(); }
    Result<std::vector<LoggedRecord>> read_room(const std::string& room, Offset after,
                                                std::size_t count_max) const override {
        return server_.read_room(room, after, count_max);
    }
    Errc remove_room(const std::string& room) override {
        rooms_changed_ = true;
        return server_.remove_room(room, now_);
    }
    Errc act_in_room(const std::string& room, Record record) override {
        return server_.act_in_room(room, std::move(record), now_);
    }
    Errc keep(const std::string& room, const RetentionChange& change) override {
        return server_.keep(room, change, now_);
    }
    Errc say(ProgramTicket ticket, const std::string& room, Record record) override {
        return server_.say(ticket, room, std::move(record), now_);
    }
    Errc create_room(ProgramTicket ticket, const wire::CreateRoom& m,
                     const std::string& owner) override {
        return server_.create_room(ticket, m, owner, now_);
    }
    Errc set_profile(ProgramTicket ticket, const std::string& user,
                     const std::string& display) override {
        return server_.set_profile(ticket, user, display, now_);
    }
    Errc mark_read(const std::string& room, const std::string& user, std::optional<Epoch> epoch,
                   Offset offset, bool shared) override {
        return server_.mark_read(room, user, epoch, offset, shared, now_);
    }
    const RoomAdmin& room_admin() const override { return server_.room_admin(); }
    const PeopleAdmin& people_admin() const override { return server_.people_admin(); }
    ProgramFiles& program_files() override { return server_.program_files(now_); }
    void listen(bool on) override { server_.listen(on); }
    void watch_people(bool on) override { server_.watch_people(on); }
    Now now() const override { return now_; }
    std::size_t disconnect(const std::string& user) override { return server_.disconnect(user); }
    void watch(const std::string& room) override;
    void unwatch(const std::string& room) override { watched_.erase(canonical_name(room)); }
    void answer(ServerAnswer answer) override;

private:
    void do_errands();
    void give_answers();
    void watch_store();
    void fail(ServerFailed failure);
    void deliver();
    void ask();
    void ask_about_messages();
    void tell_outcomes();
    void tell_news();
    void tell_told();
    void tell_people();

    using App = std::remove_reference_t<decltype(std::declval<Driver&>().app())>;

    ServerParts<Driver> parts_;
    App& server_;
    std::shared_ptr<ServerPort> port_;
    Now now_{};                               ///< Of the turn.
    std::map<std::string, LogHead> watched_;  ///< As Python knows it, by canonical name.
    std::uint64_t told_ = 0;                  ///< Records that were stored when news were told.
    bool rooms_changed_ = false;              ///< Or watched, since then.
    bool in_trouble_ = false;
    bool failed_ = false;
    bool finished_ = false;
};

extern template class ServerRunnerOf<ServerDriver>;
extern template class ServerRunnerOf<ShardedServerDriver>;
extern template class ServerRunnerOf<MemoryServerDriver>;

}  // namespace quicchat::python
