#pragma once

#include "quicchat/auth/scram_login.hpp"

#include <utility>

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
    login.certificate_ = options.certificate;
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
    if (certificate_) {
        client_.emplace(credentials_, *certificate_, encode_base64(entropy), scram_page_gs2_header);
    } else {
        client_.emplace(credentials_, binding, encode_base64(entropy));
    }
    Result<Buffer> message = client_->initial();
    if (!message) return message.error();
    return LoginStart{std::string{scram_mechanism}, *std::move(message)};
}

template <ScramCrypto Crypto>
Result<std::optional<Buffer>> ScramLogin<Crypto>::respond(BytesView challenge) {
    if (!client_) return Errc::server_not_verified;
    if (const auto read = client_->read_challenge(challenge); !read) return read.error();
    const ScramKeys* known = cache_->find(credentials_.user, client_->salt(), client_->iterations(),
                                          credentials_.password_check.view());
    if (known != nullptr) return answer(*known);
    if (derivation_ == nullptr || !derivation_->is_for(*client_)) {
        derivation_ = std::make_shared<Derivation>(credentials_.password, client_->salt(),
                                                   client_->iterations());
        derived_ = background_ == nullptr;
        if (derived_) {
            derivation_->run();
        } else {
            background_->begin(derivation_);
        }
    }
    return poll();
}

template <ScramCrypto Crypto>
Result<std::optional<Buffer>> ScramLogin<Crypto>::poll() {
    while (const auto done = background_ ? background_->poll_done() : nullptr) {
        derived_ = derived_ || done == derivation_;
    }
    if (!client_ || !client_->wants_keys() || !derived_) return std::optional<Buffer>{};
    return answer(derivation_->keys());
}

template <ScramCrypto Crypto>
bool ScramLogin<Crypto>::is_computing() const {
    return client_ && client_->wants_keys() && !derived_;
}

template <ScramCrypto Crypto>
Result<std::monostate> ScramLogin<Crypto>::finish(BytesView success) {
    if (!client_) return Errc::server_not_verified;
    Result<std::monostate> result = client_->handle_success(success, cache_.get());
    client_.reset();
    if (result) derivation_.reset();  // the cache has them
    return result;
}

template <ScramCrypto Crypto>
void ScramLogin<Crypto>::compute_in(std::shared_ptr<Background> background) {
    background_ = std::move(background);
    derivation_.reset();
}

template <ScramCrypto Crypto>
void ScramLogin<Crypto>::Derivation::run() {
    keys_ = derive_scram_keys<Crypto>(password_.view(), salt_, iterations_);
    password_.wipe();
}

template <ScramCrypto Crypto>
bool ScramLogin<Crypto>::Derivation::is_for(const ScramClient<Crypto>& client) const {
    return salt_ == client.salt() && iterations_ == client.iterations();
}

template <ScramCrypto Crypto>
Result<std::optional<Buffer>> ScramLogin<Crypto>::answer(const ScramKeys& keys) {
    Result<Buffer> message = client_->answer(keys);
    if (!message) return message.error();
    return std::optional{*std::move(message)};
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
