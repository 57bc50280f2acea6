#pragma once

#include "quicchat/auth/scram_login.hpp"

namespace quicchat {

template <ScramCrypto Crypto>
auto ScramLogin<Crypto>::create(std::string_view user, std::string_view password,
                                ScramLoginOptions options) -> Result<ScramLogin> {
    if (!is_user_name(user)) return Errc::invalid_name;
    if (!is_password(password)) return Errc::invalid_text;
    ScramLogin login;
    login.credentials_.user = user;
    login.credentials_.password = Secret{as_bytes(password)};
    login.credentials_.iterations = options.iterations;
    login.cache_ = std::move(options.cache);
    if (login.cache_ != nullptr) {
        login.credentials_.password_check = scram_password_check<Crypto>(user, as_bytes(password));
    } else {
        login.cache_ = std::make_shared<ClientKeyCache>(1);
    }
    return login;
}

template <ScramCrypto Crypto>
Result<LoginStart> ScramLogin<Crypto>::start(const ChannelBinding& binding, DeviceId,
                                             BytesView entropy) {
    assert(entropy.size() >= 18);
    client_.emplace(credentials_, binding, encode_base64(entropy));
    Result<Buffer> message = client_->initial();
    if (!message) return message.error();
    return LoginStart{std::string{scram_mechanism}, *std::move(message)};
}

template <ScramCrypto Crypto>
Result<Buffer> ScramLogin<Crypto>::respond(BytesView challenge) {
    if (!client_) return Errc::server_not_verified;
    return client_->handle_challenge(challenge, cache_.get());
}

template <ScramCrypto Crypto>
Result<std::monostate> ScramLogin<Crypto>::finish(BytesView success) {
    if (!client_) return Errc::server_not_verified;
    Result<std::monostate> result = client_->handle_success(success, cache_.get());
    client_.reset();
    return result;
}

template <ScramCrypto Crypto>
LoginStep ScramAuthenticator<Crypto>::Exchange::start(const LoginRequest& request) {
    if (server_ || std::exchange(started_, true)) return refuse();
    // Or else a device that got its token elsewhere would never ask for the password.
    if (request.mechanism == token_mechanism) return refuse(Errc::token_refused);
    if (request.mechanism != scram_mechanism) return refuse();
    server_.emplace(request.binding, nonce_);
    if (!server_->handle_client_first(request.data)) return refuse();
    claimed_user_ = server_->user();
    const ScramLookUp account =
        context_->accounts->template find_or_fake<Crypto>(server_->user(), context_->secret.view());
    name_ = account.name;
    Result<Buffer> challenge = server_->provide(account);
    if (!challenge) return refuse();
    return LoginChallenge{*std::move(challenge)};
}

template <ScramCrypto Crypto>
LoginStep ScramAuthenticator<Crypto>::Exchange::respond(BytesView proof) {
    if (!server_) return refuse();
    Result<Buffer> success = server_->handle_client_final(proof);
    server_.reset();
    if (!success) return refuse();
    return LoginAccepted{name_, *std::move(success)};
}

template <ScramCrypto Crypto>
ScramAuthenticator<Crypto>::Exchange::Exchange(std::shared_ptr<const Context> context,
                                               std::string nonce)
    : context_(std::move(context)), nonce_(std::move(nonce)) {}

template <ScramCrypto Crypto>
LoginStep ScramAuthenticator<Crypto>::Exchange::refuse(Errc errc) {
    started_ = true;
    server_.reset();
    return LoginRefused{errc};
}

template <ScramCrypto Crypto>
std::unique_ptr<LoginExchange> ScramAuthenticator<Crypto>::begin(BytesView entropy) {
    assert(entropy.size() >= 18);
    return std::unique_ptr<Exchange>{new Exchange{context_, encode_base64(entropy)}};
}

template <ScramCrypto Crypto>
std::optional<std::string> ScramAuthenticator<Crypto>::find_account(const std::string& name) const {
    return account_name(*context_->accounts, name);
}

}  // namespace quicchat
