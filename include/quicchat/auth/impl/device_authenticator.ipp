#pragma once

#include "quicchat/auth/device_authenticator.hpp"

namespace quicchat {

template <ScramCrypto Crypto>
std::unique_ptr<LoginExchange> DeviceAuthenticator<Crypto>::begin(BytesView entropy) {
    assert(entropy.size() >= 18);
    return std::unique_ptr<Exchange>{new Exchange{context_, encode_base64(entropy)}};
}

template <ScramCrypto Crypto>
std::optional<std::string> DeviceAuthenticator<Crypto>::find_account(
    const std::string& name) const {
    return account_name(context_->book->accounts(), name);
}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::start(const LoginRequest& request) {
    if (state_ != State::fresh) return refuse();
    now_ = request.now;
    if (request.page != nullptr) return start_in_page(request, *request.page);
    device_ = request.device;
    binding_ = request.binding;
    if (request.mechanism == token_mechanism) return start_token(request);
    if (request.mechanism == scram_mechanism) {
        return start_password(request, binding_, scram_gs2_header);
    }
    return refuse();
}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::start_in_page(const LoginRequest& request,
                                                               const PageSession& page) {
    // PROTOCOL.md §5.8: the binding stands for both nonces, and here it is the same each time.
    // Without `device_` no token is given either.
    if (request.mechanism == token_mechanism) return refuse(Errc::token_refused);
    if (request.mechanism != scram_mechanism || !context_->options.page_passwords) return refuse();
    return start_password(request, page.certificate, scram_page_gs2_header);
}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::respond(BytesView proof) {
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

template <ScramCrypto Crypto>
std::optional<LoginStep> DeviceAuthenticator<Crypto>::Exchange::poll(Now now) {
    now_ = now;
    if (is_asking()) return poll_hook();
    if (state_ == State::token_unsafe) return poll_book();
    return std::nullopt;
}

template <ScramCrypto Crypto>
std::optional<TimePoint> DeviceAuthenticator<Crypto>::Exchange::deadline() const {
    if (!waits()) return std::nullopt;
    return deadline_;
}

template <ScramCrypto Crypto>
DeviceAuthenticator<Crypto>::Exchange::Exchange(std::shared_ptr<Context> context, std::string nonce)
    : context_(std::move(context)), nonce_(std::move(nonce)) {}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::start_password(const LoginRequest& request,
                                                                const ChannelBinding& binding,
                                                                std::string_view gs2_header) {
    password_.emplace(binding, nonce_, gs2_header);
    if (!password_->handle_client_first(request.data)) return refuse();
    claimed_user_ = password_->user();
    return ask(request, State::asking_for_password);
}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::challenge(const HookDecision& decision) {
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

template <ScramCrypto Crypto>
bool DeviceAuthenticator<Crypto>::Exchange::is_up_to_date() {
    if (!own_verifier_) return true;
    const Account* account = context_->book->accounts().find(claimed_user_);
    return account != nullptr && account->enabled && account->verifier == *own_verifier_;
}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::start_token(const LoginRequest& request) {
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

template <ScramCrypto Crypto>
auto DeviceAuthenticator<Crypto>::Exchange::prove() -> ProvenToken {
    const Result<std::optional<Device>> device =
        context_->book->find_device(claimed_user_, device_);
    if (!device) return {LoginRefused{to_errc(device.error())}};
    const PlacedToken token = find_token(*device, claim_.generation);
    const TokenVerdict verdict = verify_token_claim<Crypto>(claim_, device_, binding_, token.keys);
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

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::accept_token(const HookDecision& decision) {
    // Before the device is read: if a password is changed in between, the book can tell.
    const Account* account = context_->book->accounts().find(claimed_user_);
    // Anew, if a hook took its time: the token may be used or revoked by now.
    const ProvenToken token = prove();
    if (token.refusal) return refuse(*token.refusal);
    if (const auto* given = std::get_if<Account>(&decision)) account = given;
    if (std::holds_alternative<RefuseLogin>(decision) || account == nullptr || !account->enabled ||
        !is_claimed(account->name)) {
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

template <ScramCrypto Crypto>
bool DeviceAuthenticator<Crypto>::Exchange::is_asking() const {
    return state_ == State::asking_for_password || state_ == State::asking_for_token;
}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::ask(const LoginRequest& request, State state) {
    state_ = state;
    if (context_->hook == nullptr) return decide(UseOwnAccounts{});
    question_ = {
        context_->hook,
        {claimed_user_, request.device, std::string{request.peer_address}, request.mechanism},
        now_};
    deadline_ = now_.steady + context_->options.hook_timeout;
    if (std::optional<LoginStep> step = poll_hook()) return *std::move(step);
    return LoginPending{};
}

template <ScramCrypto Crypto>
std::optional<LoginStep> DeviceAuthenticator<Crypto>::Exchange::poll_hook() {
    if (const std::optional<HookDecision> decision = question_.poll(now_)) {
        return decide(*decision);
    }
    if (now_.steady >= deadline_) return refuse();
    return std::nullopt;
}

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::decide(const HookDecision& decision) {
    if (std::holds_alternative<HookUnavailable>(decision)) return refuse();
    return state_ == State::asking_for_password ? challenge(decision) : accept_token(decision);
}

template <ScramCrypto Crypto>
bool DeviceAuthenticator<Crypto>::Exchange::is_claimed(const std::string& name) const {
    return canonical_name(name) == canonical_name(claimed_user_);
}

template <ScramCrypto Crypto>
std::optional<LoginStep> DeviceAuthenticator<Crypto>::Exchange::poll_book() {
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

template <ScramCrypto Crypto>
LoginStep DeviceAuthenticator<Crypto>::Exchange::refuse(LoginRefused refusal) {
    end();
    return refusal;
}

template <ScramCrypto Crypto>
void DeviceAuthenticator<Crypto>::Exchange::end() {
    state_ = State::over;
    password_.reset();
    question_.cancel();
    unsafe_ = {};
}

}  // namespace quicchat
