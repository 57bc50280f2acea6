#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/auth/login.hpp"
#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/owned.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// The logins that are under way at a server, by connection.
class LoginTable : public AccountFinder {
public:
    /// Whoever is not logged in after `timeout` is late.
    LoginTable(Owned<Authenticator> authenticator, Entropy entropy, Duration timeout);

    /// Another time for those who come from now on.
    void set_timeout(Duration timeout) { timeout_ = timeout; }

    /// A connection is there, and may log in.
    void open(ConnectionId connection, TimePoint now);

    /// What the peer sent next. The connection was opened, and neither forgotten nor logged in.
    /// @{
    LoginStep start(ConnectionId connection, const LoginRequest& request);

    LoginStep respond(ConnectionId connection, BytesView response);
    /// @}

    /// The connection is gone, or needs nothing more.
    void forget(ConnectionId connection);

    /// Whom a peer claimed to be; empty if it named nobody, or is logged in.
    std::string claimed_user(ConnectionId connection) const;

    std::optional<std::string> find_account(const std::string& name) const override;

    /// The next step of a login that had to wait for something.
    std::optional<std::pair<ConnectionId, LoginStep>> poll(Now now);

    /// A connection whose time to log in is over, whether it has or not. Each once.
    std::optional<ConnectionId> poll_late(TimePoint now);

    /// When `poll` or `poll_late` has to be called next; nothing: there is nobody to wait for.
    std::optional<TimePoint> next_deadline() const;

private:
    LoginStep waited(ConnectionId connection, LoginStep step);

    /// Most connections are logged in for most of their time: they cost nothing here.
    void forget_if_done(ConnectionId connection, const LoginStep& step);

    Owned<Authenticator> authenticator_;
    Entropy entropy_;
    Duration timeout_;
    std::map<ConnectionId, std::unique_ptr<LoginExchange>> exchanges_;
    std::vector<ConnectionId> waiting_;
    std::deque<std::pair<TimePoint, ConnectionId>> late_;  ///< In order.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/login_table.ipp"
#endif
