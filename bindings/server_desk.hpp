#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "endpoints.hpp"
#include "quicchat/auth/account_store.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/files/program_files.hpp"
#include "quicchat/server/people/people_admin.hpp"
#include "quicchat/server/rooms/room_admin.hpp"
#include "server_port.hpp"
#include "stats.hpp"

namespace quicchat::python {

/// What errands ask of a server between two of its turns, whatever it stands on.
class ServerDesk {
public:
    virtual ~ServerDesk() = default;

    virtual ServerReport report() const = 0;
    virtual const AccountStore& accounts() const = 0;
    /// Of a server whose accounts are in memory.
    virtual void replace_accounts(AccountStore next) = 0;
    /// All but the accounts. If something cannot be, throws CoreFailure, and nothing has changed.
    virtual void take_settings(const ServerSettings& next) = 0;

    // See Server.

    virtual std::vector<RoomReport> rooms() const = 0;
    virtual Result<std::vector<LoggedRecord>> read_room(const std::string& room, Offset after,
                                                        std::size_t count_max) const = 0;
    virtual Errc remove_room(const std::string& room) = 0;
    virtual Errc act_in_room(const std::string& room, Record record) = 0;
    virtual Errc keep(const std::string& room, const RetentionChange& change) = 0;
    virtual Errc say(ProgramTicket ticket, const std::string& room, Record record) = 0;
    virtual Errc create_room(ProgramTicket ticket, const wire::CreateRoom& m,
                             const std::string& owner) = 0;
    virtual Errc set_profile(ProgramTicket ticket, const std::string& user,
                             const std::string& display) = 0;
    virtual Errc mark_read(const std::string& room, const std::string& user,
                           std::optional<Epoch> epoch, Offset offset, bool shared) = 0;
    virtual const RoomAdmin& room_admin() const = 0;
    virtual const PeopleAdmin& people_admin() const = 0;
    virtual ProgramFiles& program_files() = 0;
    virtual void listen(bool on) = 0;
    virtual void watch_people(bool on) = 0;
    virtual Now now() const = 0;
    virtual std::size_t disconnect(const std::string& user) = 0;

    /// News of that room follow from now on.
    virtual void watch(const std::string& room) = 0;
    virtual void unwatch(const std::string& room) = 0;

    virtual void answer(ServerAnswer answer) = 0;
};

}  // namespace quicchat::python
