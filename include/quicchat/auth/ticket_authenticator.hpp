#pragma once

#include <cassert>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/auth/account_hook.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/ticket_desk.hpp"
#include "quicchat/auth/ticket_message.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/owned.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// Logs pages in by the tickets of their site (PROTOCOL.md §5.10), and leaves all other logins to
/// the authenticator behind it.
///
/// The site vouches for its users, so a user of a ticket needs no account here. One who has an
/// account has its spelling, and is refused while it is disabled. A hook, if there is one, is asked
/// once a ticket was found good.
template <ScramCrypto Crypto>
class TicketAuthenticator : public Authenticator {
    struct Context {
        std::shared_ptr<TicketDesk> desk;
        std::shared_ptr<AccountBook> book;
        std::shared_ptr<AccountHook> hook;  ///< Nullptr: the accounts decide.
        Duration hook_timeout;
    };

public:
    class Exchange;

    /// The desk is shared, so that its rules can be changed. Book, hook and the time that a hook
    /// may take are those of `inner`; see DeviceAuthenticator.
    TicketAuthenticator(Owned<Authenticator> inner, std::shared_ptr<TicketDesk> desk,
                        std::shared_ptr<AccountBook> book, std::shared_ptr<AccountHook> hook = {},
                        Duration hook_timeout = std::chrono::seconds{5})
        : inner_(std::move(inner)),
          context_(std::make_shared<Context>(
              Context{std::move(desk), std::move(book), std::move(hook), hook_timeout})) {
        assert(context_->desk != nullptr && context_->book != nullptr);
    }

    std::unique_ptr<LoginExchange> begin(BytesView entropy) override;

    /// Those that `inner` knows: whom a site vouches for is not known before.
    std::optional<std::string> find_account(const std::string& name) const override {
        return inner_->find_account(name);
    }

private:
    Owned<Authenticator> inner_;
    std::shared_ptr<Context> context_;
};

template <ScramCrypto Crypto>
/// One login at one connection: by a ticket, or by `inner`'s exchange.
class TicketAuthenticator<Crypto>::Exchange final : public LoginExchange {
public:
    LoginStep start(const LoginRequest& request) override;

    LoginStep respond(BytesView response) override;

    bool waits() const override { return inner_ ? inner_->waits() : asking_; }

    std::optional<LoginStep> poll(Now now) override;

    std::optional<TimePoint> deadline() const override;

    const std::string& claimed_user() const override {
        return inner_ ? inner_->claimed_user() : user_;
    }

private:
    friend class TicketAuthenticator;

    Exchange(std::shared_ptr<const Context> context, std::unique_ptr<LoginExchange> inner)
        : context_(std::move(context)), inner_(std::move(inner)) {}

    LoginStep start_ticket(const LoginRequest& request, const PageSession& page);

    std::optional<LoginStep> poll_hook(Now now);

    LoginStep decide(const HookDecision& decision);

    LoginStep refuse();

    std::shared_ptr<const Context> context_;
    std::unique_ptr<LoginExchange> inner_;  ///< Nullptr: it is a login by ticket.
    bool started_ = false;
    bool asking_ = false;
    TimePoint deadline_{};
    std::string user_;  ///< Of a ticket that was good.
    detail::OpenQuestion question_;
};

}  // namespace quicchat

#include "quicchat/auth/impl/ticket_authenticator.ipp"
