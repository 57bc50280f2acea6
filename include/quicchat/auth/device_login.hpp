#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/auth/device_token.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/auth/scram_login.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// Logs a client in by the token of its device, or by a password where there is no token or the
/// server refuses it (PROTOCOL.md §5.8). Models ClientLogin.
///
/// Servers give a new token after each login: store `token()` whenever it changed, before the next
/// login, and never start from an older one. A token that was replaced counts as stolen.
template <ScramCrypto Crypto>
class DeviceLogin : public ClientLogin {
public:
    /// `invalid_name` if that is no user's name or the password is another user's;
    /// `invalid_request` if there is neither password nor token, or what was stored is no token.
    static Result<DeviceLogin> create(std::string_view user,
                                      std::optional<ScramLogin<Crypto>> password,
                                      std::optional<DeviceToken> token = {}) {
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

    /// The same for a user who has a password only; see `ScramLogin::create`.
    static Result<DeviceLogin> with_password(std::string_view user, std::string_view password,
                                             ScramLoginOptions options = {}) {
        Result<ScramLogin<Crypto>> login =
            ScramLogin<Crypto>::create(user, password, std::move(options));
        if (!login) return login.error();
        return create(user, *std::move(login));
    }

    /// Begins a login on a new connection. `token_refused` if there was only a token and the server
    /// refused it, or if the device has no id, without which no token is good.
    Result<LoginStart> start(const ChannelBinding& binding, DeviceId device,
                             BytesView entropy) override {
        end();
        if (token_ && device != DeviceId{}) return start_token(binding, device);
        if (!password_) return Errc::token_refused;
        way_ = Way::password;
        return password_->start(binding, device, entropy);
    }

    Result<Buffer> respond(BytesView challenge) override {
        // A login by token has no challenge.
        if (way_ != Way::password) return end(), Errc::server_not_verified;
        return password_->respond(challenge);
    }

    Result<std::monostate> finish(BytesView success) override {
        if (way_ == Way::password) return password_->finish(success);
        const bool verified =
            way_ == Way::token && equal_in_constant_time(success, server_signature_);
        end();
        if (!verified) return Errc::server_not_verified;
        return std::monostate{};
    }

    /// What is no token is not kept.
    void keep(DeviceToken token) override {
        if (is_device_token(token)) token_ = std::move(token);
    }

    bool recover(Errc why) override {
        if (why != Errc::token_refused || !token_) return false;
        token_.reset();
        return password_.has_value();
    }

    /// The token for the next login, for the application to store: as secret as the password.
    const DeviceToken* token() const override { return token_ ? &*token_ : nullptr; }

    const std::string& user() const { return user_; }

private:
    enum class Way { none, token, password };

    DeviceLogin() = default;

    Result<LoginStart> start_token(const ChannelBinding& binding, DeviceId device) {
        if (detail::is_missing(binding)) return Errc::internal_error;
        const TokenLogin login = make_token_login<Crypto>(user_, device, *token_, binding);
        server_signature_ = login.server_signature;
        way_ = Way::token;
        return LoginStart{std::string{token_mechanism}, encode_token_claim(login.claim), true};
    }

    void end() {
        way_ = Way::none;
        secure_wipe(server_signature_);
    }

    std::string user_;
    std::optional<ScramLogin<Crypto>> password_;
    std::optional<DeviceToken> token_;
    Way way_ = Way::none;
    Digest server_signature_{};
};

}  // namespace quicchat
