#pragma once

#include "quicchat/auth/login_table.hpp"

#include <algorithm>
#include <variant>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL LoginTable::LoginTable(Owned<Authenticator> authenticator, Entropy entropy,
                                          Duration timeout)
    : authenticator_(std::move(authenticator)), entropy_(entropy), timeout_(timeout) {}

QUICCHAT_RARE_DECL void LoginTable::open(ConnectionId connection, TimePoint now) {
    exchanges_.emplace(connection, authenticator_->begin(entropy_.draw<login_entropy_bytes>()));
    const std::pair entry{now + timeout_, connection};
    late_.insert(std::ranges::upper_bound(late_, entry), entry);
}

QUICCHAT_RARE_DECL LoginStep LoginTable::start(ConnectionId connection,
                                               const LoginRequest& request) {
    return waited(connection, exchanges_.at(connection)->start(request));
}

QUICCHAT_RARE_DECL LoginStep LoginTable::respond(ConnectionId connection, BytesView response) {
    return waited(connection, exchanges_.at(connection)->respond(response));
}

QUICCHAT_RARE_DECL void LoginTable::forget(ConnectionId connection) {
    exchanges_.erase(connection);
    std::erase(waiting_, connection);
}

QUICCHAT_RARE_DECL std::string LoginTable::claimed_user(ConnectionId connection) const {
    const auto found = exchanges_.find(connection);
    return found == exchanges_.end() ? std::string{} : found->second->claimed_user();
}

QUICCHAT_RARE_DECL std::optional<std::string> LoginTable::find_account(
    const std::string& name) const {
    return authenticator_->find_account(name);
}

QUICCHAT_DECL std::optional<std::pair<ConnectionId, LoginStep>> LoginTable::poll(Now now) {
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

QUICCHAT_DECL std::optional<ConnectionId> LoginTable::poll_late(TimePoint now) {
    if (late_.empty() || late_.front().first > now) return std::nullopt;
    const ConnectionId connection = late_.front().second;
    late_.pop_front();
    return connection;
}

QUICCHAT_DECL std::optional<TimePoint> LoginTable::next_deadline() const {
    std::optional<TimePoint> deadline;
    if (!late_.empty()) deadline = late_.front().first;
    for (const ConnectionId connection : waiting_) {
        deadline = earlier(deadline, exchanges_.at(connection)->deadline());
    }
    return deadline;
}

QUICCHAT_RARE_DECL LoginStep LoginTable::waited(ConnectionId connection, LoginStep step) {
    const bool waits = exchanges_.at(connection)->waits();
    const bool listed = std::ranges::find(waiting_, connection) != waiting_.end();
    if (waits && !listed) waiting_.push_back(connection);
    if (!waits) forget_if_done(connection, step);
    return step;
}

QUICCHAT_RARE_DECL void LoginTable::forget_if_done(ConnectionId connection, const LoginStep& step) {
    const bool done =
        std::holds_alternative<LoginAccepted>(step) || std::holds_alternative<TokenIssued>(step);
    if (done) exchanges_.erase(connection);
}

}  // namespace quicchat
