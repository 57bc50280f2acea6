#pragma once

#include <cassert>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/auth/account_hook.hpp"
#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/auth/device_token.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/scram_server.hpp"
#include "quicchat/auth/token_rotation.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// What may be set about a DeviceAuthenticator.
struct DeviceAuthenticatorOptions {
    /// How long a hook may think; then the login is refused with `login_failed`. Shorter than
    /// `Limits::login_timeout`, so that it is the hook that is named as the reason.
    Duration hook_timeout = std::chrono::seconds{5};
    /// Whether people may log in by password in pages, where the login is bound to the server's
    /// certificate and not to the connection (PROTOCOL.md §5.11). See `allow_page_passwords`.
    bool page_passwords = false;
};

/// Logs users in by password, and their devices by the tokens that it gives them (PROTOCOL.md
/// §5.8).
///
/// A device that names itself by an id gets a token after each login, but in a page: a token needs
/// a binding that is new for each connection. A hook, if there is one, is asked before anybody is
/// let in. Copies share what they know, so that one may stay outside of a server.
template <ScramCrypto Crypto>
class DeviceAuthenticator : public Authenticator {
    struct Context {
        std::shared_ptr<AccountBook> book;
        Secret secret;
        Entropy entropy;
        std::shared_ptr<AccountHook> hook;  ///< Nullptr: the accounts decide.
        DeviceAuthenticatorOptions options;
    };

public:
    class Exchange;

    /// The book is shared: its changes count from the next login on. `server_secret`, of at least
    /// 16 bytes, hides which users exist; see `AccountStore::find_or_fake`. Tokens are drawn from
    /// `entropy`.
    DeviceAuthenticator(std::shared_ptr<AccountBook> book, BytesView server_secret, Entropy entropy,
                        std::shared_ptr<AccountHook> hook = {},
                        DeviceAuthenticatorOptions options = {})
        : context_(std::make_shared<Context>(
              Context{std::move(book), Secret{server_secret}, entropy, std::move(hook), options})) {
        assert(context_->book != nullptr);
        assert(server_secret.size() >= 16);
    }

    /// `entropy` is at least 18 random bytes, used once.
    std::unique_ptr<LoginExchange> begin(BytesView entropy) override;

    /// Those in the book: whom a hook would let in is not known before.
    std::optional<std::string> find_account(const std::string& name) const override;

    /// Whether people may log in by password in pages. For logins that begin from now on: who is
    /// logged in stays.
    void allow_page_passwords(bool allowed) { context_->options.page_passwords = allowed; }

private:
    std::shared_ptr<Context> context_;
};

template <ScramCrypto Crypto>
/// One login at one connection, see LoginExchange. It keeps the book and the hook alive.
class DeviceAuthenticator<Crypto>::Exchange final : public LoginExchange {
public:
    LoginStep start(const LoginRequest& request) override;

    LoginStep respond(BytesView proof) override;

    bool waits() const override { return is_asking() || state_ == State::token_unsafe; }

    std::optional<LoginStep> poll(Now now) override;

    std::optional<TimePoint> deadline() const override;

    const std::string& claimed_user() const override { return claimed_user_; }

private:
    friend class DeviceAuthenticator;

    enum class State {
        fresh,
        asking_for_password,  ///< The hook, before the challenge.
        asking_for_token,     ///< The hook, after the claim was proven.
        proof_awaited,
        token_unsafe,  ///< The user is logged in, the book is not done with the token.
        over,
    };

    /// A book that cannot wake the server is asked again so often.
    static constexpr Duration book_poll_interval = std::chrono::milliseconds{100};

    struct UnsafeToken {
        SaveTicket ticket = 0;
        TokenKeys keys;
        Secret key;
    };

    Exchange(std::shared_ptr<Context> context, std::string nonce);

    // --- By password

    LoginStep start_in_page(const LoginRequest& request, const PageSession& page);

    LoginStep start_password(const LoginRequest& request, const ChannelBinding& binding,
                             std::string_view gs2_header);

    LoginStep challenge(const HookDecision& decision);

    /// The server's own account is as it was at the challenge. Or else whoever has the old password
    /// could begin a login before it is changed, and get a token for the time after.
    bool is_up_to_date();

    // --- By token

    LoginStep start_token(const LoginRequest& request);

    struct ProvenToken {
        std::optional<LoginRefused> refusal{};
        Device device{};
        TokenPlace place = TokenPlace::none;
        Digest server_signature{};
    };

    /// Whether the claim is good now. One that is not proven changes nothing, whatever it says.
    ProvenToken prove();

    LoginStep accept_token(const HookDecision& decision);

    // --- The hook

    bool is_asking() const;

    LoginStep ask(const LoginRequest& request, State state);

    std::optional<LoginStep> poll_hook();

    LoginStep decide(const HookDecision& decision);

    /// A hook gives the account of the name that was claimed, in whatever spelling.
    bool is_claimed(const std::string& name) const;

    // --- The new token

    template <class MakeDevice>
    void give_token(std::uint64_t generation, MakeDevice make_device) {
        auto random = context_->entropy.template draw<device_token_bytes>();
        const DeviceToken token{generation, Secret{random}};
        secure_wipe(random);
        unsafe_.keys = derive_token_keys<Crypto>(token);
        unsafe_.key = token.key;
        unsafe_.ticket = context_->book->save_device(name_, make_device(unsafe_.keys));
        deadline_ = now_.steady;
        state_ = State::token_unsafe;
    }

    /// The device gets its token once a crash cannot take it from the book any more. Or else it
    /// would show a token that the server never heard of.
    std::optional<LoginStep> poll_book();

    // --- The end

    LoginStep refuse(LoginRefused refusal = {});
    LoginStep refuse(Errc errc) { return refuse(LoginRefused{errc}); }

    void end();

    std::shared_ptr<Context> context_;
    std::string nonce_;
    State state_ = State::fresh;
    Now now_{};
    TimePoint deadline_{};
    DeviceId device_{};
    ChannelBinding binding_{};
    std::string claimed_user_;
    std::string name_;  // in the account's spelling
    std::optional<ScramServer<Crypto>> password_;
    std::optional<Verifier> own_verifier_;  // at the challenge, unless a hook gave it
    TokenClaim claim_;
    detail::OpenQuestion question_;
    UnsafeToken unsafe_;
};

}  // namespace quicchat

#include "quicchat/auth/impl/device_authenticator.ipp"
