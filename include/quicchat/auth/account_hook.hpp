#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// Who wants to log in. For a login by password it is a claim that nobody proved yet; for one by
/// token the token was right.
struct AccountQuestion {
    std::string user;          ///< As the client spelt it; `is_user_name`.
    DeviceId device{};         ///< From which.
    std::string peer_address;  ///< Address and port.
    std::string mechanism;     ///< Of the login (PROTOCOL.md §5).
};

/// One question that was asked of a hook.
enum class HookTicket : std::uint64_t {};

/// This user may not log in, and a stranger cannot tell that from a user who does not exist.
struct RefuseLogin {};

/// The server's own accounts decide, as without a hook.
struct UseOwnAccounts {};

/// Nobody can say just now: the login ends with `login_failed`, whoever it is, and tokens stay
/// good.
struct HookUnavailable {};

/// What a hook says. An Account is that user's, `name` in the spelling that others see; it need not
/// be in the server's own accounts. One that is not enabled keeps its salt and is refused: better
/// than RefuseLogin for a user who could log in before, since a salt that changes tells something.
using HookDecision = std::variant<RefuseLogin, UseOwnAccounts, Account, HookUnavailable>;

/// Asked about every login of a server. The answer may take its time: it is for accounts that live
/// elsewhere. `DeferredHook` is one whose answers a program gives at its leisure. How many
/// questions are open at once is bounded; beyond, the answer is HookUnavailable.
class AccountHook {
public:
    virtual ~AccountHook() = default;

    /// Begins a question.
    virtual HookTicket ask(const AccountQuestion& question, Now now) = 0;
    /// A question's decision, if there is one: once, the ticket is over then.
    virtual std::optional<HookDecision> poll(HookTicket ticket, Now now) = 0;
    /// Nobody waits for that answer any more: the ticket is over.
    virtual void cancel(HookTicket ticket) = 0;

protected:
    AccountHook() = default;  // a model decides itself whether it can be copied or moved
    /// Of a model.
    AccountHook(const AccountHook&) = default;
    /// Of a model.
    AccountHook(AccountHook&&) = default;
    /// Of a model.
    AccountHook& operator=(const AccountHook&) = default;
    /// Of a model.
    AccountHook& operator=(AccountHook&&) = default;
};

namespace detail {

/// A question to a hook that is answered, or cancelled when this ends.
class OpenQuestion {
public:
    OpenQuestion() = default;
    OpenQuestion(std::shared_ptr<AccountHook> hook, const AccountQuestion& question, Now now);
    OpenQuestion(OpenQuestion&&) noexcept = default;
    OpenQuestion& operator=(OpenQuestion&& other) noexcept;
    ~OpenQuestion() { cancel(); }

    std::optional<HookDecision> poll(Now now);

    void cancel();

private:
    std::shared_ptr<AccountHook> hook_;
    HookTicket ticket_{};
};

}  // namespace detail
}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/account_hook.ipp"
#endif
