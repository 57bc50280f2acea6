#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// Who wants to log in. For a login by password it is a claim that nobody proved yet; for one by
/// token the token was right.
struct AccountQuestion {
    std::string user;  ///< As the client spelt it; `is_user_name`.
    DeviceId device{};
    std::string peer_address;
    std::string mechanism;
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

/// Asked about every login of a server. The answer may take its time: it is a policy for accounts
/// that live elsewhere.
///
/// Beyond the signatures a hook promises that
///  - `poll` gives a question's decision once; the ticket is over then;
///  - `cancel` is the end of a ticket as well: nobody waits for that answer any more;
///  - how many questions are open at once is bounded; beyond, the answer is HookUnavailable.
template <class H>
concept AccountHook = std::movable<H> &&
    requires(H hook, const AccountQuestion& question, HookTicket ticket, Now now) {
    { hook.ask(question, now) } -> std::same_as<HookTicket>;
    { hook.poll(ticket, now) } -> std::same_as<std::optional<HookDecision>>;
    { hook.cancel(ticket) } -> std::same_as<void>;
};

/// The server's own accounts decide. It is never even asked.
struct NoHook {
    HookTicket ask(const AccountQuestion&, Now) { return {}; }
    std::optional<HookDecision> poll(HookTicket, Now) { return UseOwnAccounts{}; }
    void cancel(HookTicket) {}
};

static_assert(AccountHook<NoHook>);

namespace detail {

/// A question to a hook that is answered, or cancelled when this ends.
template <AccountHook Hook>
class OpenQuestion {
public:
    OpenQuestion() = default;
    OpenQuestion(std::shared_ptr<Hook> hook, const AccountQuestion& question, Now now)
        : hook_(std::move(hook)), ticket_(hook_->ask(question, now)) {}
    OpenQuestion(OpenQuestion&&) noexcept = default;
    OpenQuestion& operator=(OpenQuestion&& other) noexcept {
        cancel();
        hook_ = std::move(other.hook_);
        ticket_ = other.ticket_;
        return *this;
    }
    ~OpenQuestion() { cancel(); }

    std::optional<HookDecision> poll(Now now) {
        if (hook_ == nullptr) return std::nullopt;
        std::optional<HookDecision> decision = hook_->poll(ticket_, now);
        if (decision) hook_.reset();
        return decision;
    }

    void cancel() {
        if (const auto hook = std::exchange(hook_, nullptr)) hook->cancel(ticket_);
    }

private:
    std::shared_ptr<Hook> hook_;
    HookTicket ticket_{};
};

/// Without a hook there are no questions.
template <>
class OpenQuestion<NoHook> {
public:
    void cancel() {}
};

}  // namespace detail
}  // namespace quicchat
