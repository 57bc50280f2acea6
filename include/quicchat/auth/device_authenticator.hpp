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

struct DeviceAuthenticatorOptions {
    /// How long a hook may think; then the login is refused with `login_failed`. Shorter than
    /// `Limits::login_timeout`, so that it is the hook that is named as the reason.
    Duration hook_timeout = std::chrono::seconds{5};
};

/// Logs users in by password, and their devices by the tokens that it gives them (PROTOCOL.md
/// §5.8).
///
/// A device that names itself by an id gets a token after each login. A hook, if there is one, is
/// asked before anybody is let in.
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
    std::unique_ptr<LoginExchange> begin(BytesView entropy) override {
        assert(entropy.size() >= 18);
        return std::unique_ptr<Exchange>{new Exchange{context_, encode_base64(entropy)}};
    }

    /// Those in the book: whom a hook would let in is not known before.
    std::optional<std::string> find_account(const std::string& name) const override {
        return account_name(context_->book->accounts(), name);
    }

private:
    std::shared_ptr<Context> context_;
};

template <ScramCrypto Crypto>
class DeviceAuthenticator<Crypto>::Exchange final : public LoginExchange {
public:
    LoginStep start(const LoginRequest& request) override {
        if (state_ != State::fresh) return refuse();
        now_ = request.now;
        device_ = request.device;
        binding_ = request.binding;
        if (request.mechanism == token_mechanism) return start_token(request);
        if (request.mechanism == scram_mechanism) return start_password(request);
        return refuse();
    }

    LoginStep respond(BytesView proof) override {
        if (state_ != State::proof_awaited) return refuse();
        Result<Buffer> success = password_->handle_client_final(proof);
        if (!success || !is_up_to_date()) return refuse();
        end();
        // A device that cannot be looked up gets no token this time: the login is good without.
        if (device_ != DeviceId{}) {
            if (const auto known = context_->book->find_device(name_, device_)) {
                give_token(next_generation(*known), [&](const TokenKeys& next) {
                    return after_password_login(*known, device_, next, now_.wall);
                });
            }
        }
        return LoginAccepted{name_, *std::move(success)};
    }

    bool waits() const override { return is_asking() || state_ == State::token_unsafe; }

    std::optional<LoginStep> poll(Now now) override {
        now_ = now;
        if (is_asking()) return poll_hook();
        if (state_ == State::token_unsafe) return poll_book();
        return std::nullopt;
    }

    std::optional<TimePoint> deadline() const override {
        if (!waits()) return std::nullopt;
        return deadline_;
    }

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

    Exchange(std::shared_ptr<Context> context, std::string nonce)
        : context_(std::move(context)), nonce_(std::move(nonce)) {}

    // --- By password

    LoginStep start_password(const LoginRequest& request) {
        password_.emplace(request.binding, nonce_);
        if (!password_->handle_client_first(request.data)) return refuse();
        claimed_user_ = password_->user();
        return ask(request, State::asking_for_password);
    }

    LoginStep challenge(const HookDecision& decision) {
        // The made-up account is computed in any case, so that the time does not tell either.
        ScramLookUp account = context_->book->accounts().template find_or_fake<Crypto>(
            claimed_user_, context_->secret.view());
        if (const auto* given = std::get_if<Account>(&decision)) {
            account = {given->verifier, given->name, given->enabled && is_claimed(given->name)};
        }
        // To the end as if there was no account.
        if (std::holds_alternative<RefuseLogin>(decision)) account.may_log_in = false;
        own_verifier_.reset();
        if (!std::holds_alternative<Account>(decision)) own_verifier_ = account.verifier;
        name_ = account.name;
        Result<Buffer> message = password_->provide(account);
        if (!message) return refuse();
        state_ = State::proof_awaited;
        return LoginChallenge{*std::move(message)};
    }

    /// The server's own account is as it was at the challenge. Or else whoever has the old password
    /// could begin a login before it is changed, and get a token for the time after.
    bool is_up_to_date() {
        if (!own_verifier_) return true;
        const Account* account = context_->book->accounts().find(claimed_user_);
        return account != nullptr && account->enabled && account->verifier == *own_verifier_;
    }

    // --- By token

    LoginStep start_token(const LoginRequest& request) {
        // A fault of ours, which must not cost the client its token.
        if (detail::is_missing(binding_)) return refuse();
        Result<TokenClaim> claim = parse_token_claim(request.data);
        if (!claim || device_ == DeviceId{}) return refuse(Errc::token_refused);
        claim_ = *std::move(claim);
        claimed_user_ = claim_.user;
        if (context_->hook != nullptr) {
            // Nobody is asked about a claim that is not proven.
            const ProvenToken token = prove();
            if (token.refusal) return refuse(*token.refusal);
        }
        return ask(request, State::asking_for_token);
    }

    struct ProvenToken {
        std::optional<LoginRefused> refusal{};
        Device device{};
        TokenPlace place = TokenPlace::none;
        Digest server_signature{};
    };

    /// Whether the claim is good now. One that is not proven changes nothing, whatever it says.
    ProvenToken prove() {
        const Result<std::optional<Device>> device =
            context_->book->find_device(claimed_user_, device_);
        if (!device) return {LoginRefused{to_errc(device.error())}};
        const PlacedToken token = find_token(*device, claim_.generation);
        const TokenVerdict verdict =
            verify_token_claim<Crypto>(claim_, device_, binding_, token.keys);
        if (token.place == TokenPlace::none || !verdict.proven) {
            return {LoginRefused{Errc::token_refused}};
        }
        if (token.place == TokenPlace::previous) {
            // PROTOCOL.md §5.8: there are two of this token, and one of them is a thief's. Nobody
            // knows which, so both need the password now.
            context_->book->remove_device(claimed_user_, device_);
            return {LoginRefused{Errc::token_refused, true}};
        }
        if (is_expired(**device, now_.wall)) return {LoginRefused{Errc::token_refused}};
        return {std::nullopt, **device, token.place, verdict.server_signature};
    }

    LoginStep accept_token(const HookDecision& decision) {
        // Before the device is read: if a password is changed in between, the book can tell.
        const Account* account = context_->book->accounts().find(claimed_user_);
        // Anew, if a hook took its time: the token may be used or revoked by now.
        const ProvenToken token = prove();
        if (token.refusal) return refuse(*token.refusal);
        if (const auto* given = std::get_if<Account>(&decision)) account = given;
        if (std::holds_alternative<RefuseLogin>(decision) || account == nullptr ||
            !account->enabled || !is_claimed(account->name)) {
            return refuse(Errc::token_refused);
        }
        name_ = account->name;
        end();
        give_token(next_generation(token.device), [&](const TokenKeys& next) {
            return after_token_login(token.device, token.place, next, now_.wall);
        });
        const Digest& signature = token.server_signature;
        return LoginAccepted{name_, Buffer(signature.begin(), signature.end())};
    }

    // --- The hook

    bool is_asking() const {
        return state_ == State::asking_for_password || state_ == State::asking_for_token;
    }

    LoginStep ask(const LoginRequest& request, State state) {
        state_ = state;
        if (context_->hook == nullptr) return decide(UseOwnAccounts{});
        question_ = {context_->hook,
                     {claimed_user_, device_, std::string{request.peer_address}, request.mechanism},
                     now_};
        deadline_ = now_.steady + context_->options.hook_timeout;
        if (std::optional<LoginStep> step = poll_hook()) return *std::move(step);
        return LoginPending{};
    }

    std::optional<LoginStep> poll_hook() {
        if (const std::optional<HookDecision> decision = question_.poll(now_)) {
            return decide(*decision);
        }
        if (now_.steady >= deadline_) return refuse();
        return std::nullopt;
    }

    LoginStep decide(const HookDecision& decision) {
        if (std::holds_alternative<HookUnavailable>(decision)) return refuse();
        return state_ == State::asking_for_password ? challenge(decision) : accept_token(decision);
    }

    /// A hook gives the account of the name that was claimed, in whatever spelling.
    bool is_claimed(const std::string& name) const {
        return canonical_name(name) == canonical_name(claimed_user_);
    }

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
    std::optional<LoginStep> poll_book() {
        if (context_->book->saved() < unsafe_.ticket) {
            deadline_ = now_.steady + book_poll_interval;
            return std::nullopt;
        }
        UnsafeToken token = std::exchange(unsafe_, {});
        state_ = State::over;
        // Unless it was revoked meanwhile, or another login of the device got a newer one.
        const Result<std::optional<Device>> device = context_->book->find_device(name_, device_);
        if (!device || !*device || (*device)->next != token.keys) return std::nullopt;
        const BytesView key = token.key.view();
        return TokenIssued{token.keys.generation, Buffer(key.begin(), key.end())};
    }

    // --- The end

    LoginStep refuse(LoginRefused refusal = {}) {
        end();
        return refusal;
    }
    LoginStep refuse(Errc errc) { return refuse(LoginRefused{errc}); }

    void end() {
        state_ = State::over;
        password_.reset();
        question_.cancel();
        unsafe_ = {};
    }

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
