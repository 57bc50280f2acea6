#pragma once

#include "quicchat/auth/device_login.hpp"

namespace quicchat {

template <ScramCrypto Crypto>
auto DeviceLogin<Crypto>::create(std::string_view user, std::optional<ScramLogin<Crypto>> password,
                                 std::optional<DeviceToken> token) -> Result<DeviceLogin> {
    if (!is_user_name(user) || (password && password->user() != user)) {
        return Errc::invalid_name;
    }
    if (!password && !token) return Errc::invalid_request;
    if (token && !is_device_token(*token)) return Errc::invalid_request;
    DeviceLogin login;
    login.user_ = user;
    login.password_ = std::move(password);
    login.token_ = std::move(token);
    return login;
}

template <ScramCrypto Crypto>
auto DeviceLogin<Crypto>::with_password(std::string_view user, std::string_view password,
                                        ScramLoginOptions options) -> Result<DeviceLogin> {
    Result<ScramLogin<Crypto>> login =
        ScramLogin<Crypto>::create(user, password, std::move(options));
    if (!login) return login.error();
    return create(user, *std::move(login));
}

template <ScramCrypto Crypto>
Result<LoginStart> DeviceLogin<Crypto>::start(const ChannelBinding& binding, DeviceId device,
                                              BytesView entropy) {
    end();
    if (token_ && device != DeviceId{}) return start_token(binding, device);
    if (!password_) return Errc::token_refused;
    way_ = Way::password;
    return password_->start(binding, device, entropy);
}

template <ScramCrypto Crypto>
Result<std::optional<Buffer>> DeviceLogin<Crypto>::respond(BytesView challenge) {
    // A login by token has no challenge.
    if (way_ != Way::password) return end(), Errc::server_not_verified;
    return password_->respond(challenge);
}

template <ScramCrypto Crypto>
bool DeviceLogin<Crypto>::is_computing() const {
    return password_ && password_->is_computing();
}

template <ScramCrypto Crypto>
Result<std::optional<Buffer>> DeviceLogin<Crypto>::poll() {
    if (!password_) return std::optional<Buffer>{};
    Result<std::optional<Buffer>> answer = password_->poll();
    // What is computed for an earlier connection is taken, and of no use.
    if (way_ != Way::password) return std::optional<Buffer>{};
    return answer;
}

template <ScramCrypto Crypto>
Result<std::monostate> DeviceLogin<Crypto>::finish(BytesView success) {
    if (way_ == Way::password) return password_->finish(success);
    const bool verified = way_ == Way::token && equal_in_constant_time(success, server_signature_);
    end();
    if (!verified) return Errc::server_not_verified;
    return std::monostate{};
}

template <ScramCrypto Crypto>
void DeviceLogin<Crypto>::keep(DeviceToken token) {
    if (is_device_token(token)) token_ = std::move(token);
}

template <ScramCrypto Crypto>
bool DeviceLogin<Crypto>::recover(Errc why) {
    if (why != Errc::token_refused || !token_) return false;
    token_.reset();
    return password_.has_value();
}

template <ScramCrypto Crypto>
void DeviceLogin<Crypto>::compute_in(std::shared_ptr<Background> background) {
    if (password_) password_->compute_in(std::move(background));
}

template <ScramCrypto Crypto>
Result<LoginStart> DeviceLogin<Crypto>::start_token(const ChannelBinding& binding,
                                                    DeviceId device) {
    if (detail::is_missing(binding)) return Errc::internal_error;
    const TokenLogin login = make_token_login<Crypto>(user_, device, *token_, binding);
    server_signature_ = login.server_signature;
    way_ = Way::token;
    return LoginStart{std::string{token_mechanism}, encode_token_claim(login.claim), true};
}

template <ScramCrypto Crypto>
void DeviceLogin<Crypto>::end() {
    way_ = Way::none;
    secure_wipe(server_signature_);
}

}  // namespace quicchat
