#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
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
    LoginTable(Owned<Authenticator> authenticator, Entropy entropy, Duration timeout)
        : authenticator_(std::move(authenticator)), entropy_(entropy), timeout_(timeout) {}

    /// Another time for those who come from now on.
    void set_timeout(Duration timeout) { timeout_ = timeout; }

    /// A connection is there, and may log in.
    void open(ConnectionId connection, TimePoint now) {
        exchanges_.emplace(connection, authenticator_->begin(entropy_.draw<login_entropy_bytes>()));
        const std::pair entry{now + timeout_, connection};
        late_.insert(std::ranges::upper_bound(late_, entry), entry);
    }

    LoginStep start(ConnectionId connection, const LoginRequest& request) {
        return waited(connection, exchanges_.at(connection)->start(request));
    }

    LoginStep respond(ConnectionId connection, BytesView response) {
        return waited(connection, exchanges_.at(connection)->respond(response));
    }

    /// The connection is gone, or needs nothing more.
    void forget(ConnectionId connection) {
        exchanges_.erase(connection);
        std::erase(waiting_, connection);
    }

    /// Whom a peer claimed to be; empty if it named nobody, or is logged in.
    std::string claimed_user(ConnectionId connection) const {
        const auto found = exchanges_.find(connection);
        return found == exchanges_.end() ? std::string{} : found->second->claimed_user();
    }

    std::optional<std::string> find_account(const std::string& name) const override {
        return authenticator_->find_account(name);
    }

    /// The next step of a login that had to wait for something.
    std::optional<std::pair<ConnectionId, LoginStep>> poll(Now now) {
        for (std::size_t i = 0; i < waiting_.size();) {
            const ConnectionId connection = waiting_[i];
            LoginExchange& exchange = *exchanges_.at(connection);
            std::optional<LoginStep> step = exchange.poll(now);
            if (!exchange.waits()) {
                waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
                if (step) forget_if_done(connection, *step);
            } else {
                ++i;
            }
            if (step) return std::pair{connection, *std::move(step)};
        }
        return std::nullopt;
    }

    /// A connection whose time to log in is over, whether it has or not. Each once.
    std::optional<ConnectionId> poll_late(TimePoint now) {
        if (late_.empty() || late_.front().first > now) return std::nullopt;
        const ConnectionId connection = late_.front().second;
        late_.pop_front();
        return connection;
    }

    std::optional<TimePoint> next_deadline() const {
        std::optional<TimePoint> deadline;
        if (!late_.empty()) deadline = late_.front().first;
        for (const ConnectionId connection : waiting_) {
            deadline = earlier(deadline, exchanges_.at(connection)->deadline());
        }
        return deadline;
    }

private:
    LoginStep waited(ConnectionId connection, LoginStep step) {
        const bool waits = exchanges_.at(connection)->waits();
        const bool listed = std::ranges::find(waiting_, connection) != waiting_.end();
        if (waits && !listed) waiting_.push_back(connection);
        if (!waits) forget_if_done(connection, step);
        return step;
    }

    /// Most connections are logged in for most of their time: they cost nothing here.
    void forget_if_done(ConnectionId connection, const LoginStep& step) {
        const bool done = std::holds_alternative<LoginAccepted>(step) ||
                          std::holds_alternative<TokenIssued>(step);
        if (done) exchanges_.erase(connection);
    }

    Owned<Authenticator> authenticator_;
    Entropy entropy_;
    Duration timeout_;
    std::map<ConnectionId, std::unique_ptr<LoginExchange>> exchanges_;
    std::vector<ConnectionId> waiting_;
    std::deque<std::pair<TimePoint, ConnectionId>> late_;  ///< In order.
};

}  // namespace quicchat
