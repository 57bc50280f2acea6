#pragma once

#include "quicchat/auth/ticket_authenticator.hpp"

namespace quicchat {

template <ScramCrypto Crypto>
std::unique_ptr<LoginExchange> TicketAuthenticator<Crypto>::begin(BytesView entropy) {
    return std::unique_ptr<Exchange>{new Exchange{context_, inner_->begin(entropy)}};
}

template <ScramCrypto Crypto>
LoginStep TicketAuthenticator<Crypto>::Exchange::start(const LoginRequest& request) {
    if (std::exchange(started_, true)) return refuse();
    // Where no tickets are taken, it is a mechanism like any that the server does not have.
    if (request.mechanism != ticket_mechanism || request.page == nullptr ||
        !context_->desk->takes_tickets()) {
        return inner_->start(request);
    }
    inner_.reset();
    return start_ticket(request, *request.page);
}

template <ScramCrypto Crypto>
LoginStep TicketAuthenticator<Crypto>::Exchange::respond(BytesView response) {
    return inner_ ? inner_->respond(response) : refuse();
}

template <ScramCrypto Crypto>
std::optional<LoginStep> TicketAuthenticator<Crypto>::Exchange::poll(Now now) {
    if (inner_) return inner_->poll(now);
    return asking_ ? poll_hook(now) : std::nullopt;
}

template <ScramCrypto Crypto>
std::optional<TimePoint> TicketAuthenticator<Crypto>::Exchange::deadline() const {
    if (inner_) return inner_->deadline();
    return asking_ ? std::optional{deadline_} : std::nullopt;
}

template <ScramCrypto Crypto>
LoginStep TicketAuthenticator<Crypto>::Exchange::start_ticket(const LoginRequest& request,
                                                              const PageSession& page) {
    const Result<std::string> user =
        context_->desk->template redeem<Crypto>(request.data, page, request.now.wall);
    if (!user) return refuse();
    user_ = *user;
    if (context_->hook == nullptr) return decide(UseOwnAccounts{});
    question_ = {context_->hook,
                 {user_, request.device, std::string{request.peer_address}, request.mechanism},
                 request.now};
    deadline_ = request.now.steady + context_->hook_timeout;
    asking_ = true;
    if (std::optional<LoginStep> step = poll_hook(request.now)) return *std::move(step);
    return LoginPending{};
}

template <ScramCrypto Crypto>
std::optional<LoginStep> TicketAuthenticator<Crypto>::Exchange::poll_hook(Now now) {
    if (const std::optional<HookDecision> decision = question_.poll(now)) return decide(*decision);
    if (now.steady >= deadline_) return refuse();
    return std::nullopt;
}

template <ScramCrypto Crypto>
LoginStep TicketAuthenticator<Crypto>::Exchange::decide(const HookDecision& decision) {
    asking_ = false;
    if (std::holds_alternative<RefuseLogin>(decision) ||
        std::holds_alternative<HookUnavailable>(decision)) {
        return refuse();
    }
    const Account* account = context_->book->accounts().find(user_);
    if (const auto* given = std::get_if<Account>(&decision)) account = given;
    if (account == nullptr) return LoginAccepted{user_, {}};
    if (!account->enabled || !is_same_name(account->name, user_)) return refuse();
    return LoginAccepted{account->name, {}};
}

template <ScramCrypto Crypto>
LoginStep TicketAuthenticator<Crypto>::Exchange::refuse() {
    inner_.reset();
    asking_ = false;
    question_.cancel();
    return LoginRefused{Errc::ticket_refused};
}

}  // namespace quicchat
