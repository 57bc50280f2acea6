#pragma once

#include <memory>
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
#include "quicchat/base/match.hpp"
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
                                      std::optional<DeviceToken> token = {});

    /// The same for a user who has a password only; see `ScramLogin::create`.
    static Result<DeviceLogin> with_password(std::string_view user, std::string_view password,
                                             ScramLoginOptions options = {});

    bool wants_channel_binding() const override {
        return !password_ || password_->wants_channel_binding();
    }

    /// Begins a login on a new connection. `token_refused` if there was only a token and the server
    /// refused it, or if the device has no id, without which no token is good.
    Result<LoginStart> start(const ChannelBinding& binding, DeviceId device,
                             BytesView entropy) override;

    Result<std::optional<Buffer>> respond(BytesView challenge) override;
    Result<std::optional<Buffer>> poll() override;
    bool is_computing() const override;

    Result<std::monostate> finish(BytesView success) override;

    /// What is no token is not kept.
    void keep(DeviceToken token) override;

    bool recover(Errc why) override;

    void compute_in(std::shared_ptr<Background> background) override;

    /// The token for the next login, for the application to store: as secret as the password.
    const DeviceToken* token() const override { return token_ ? &*token_ : nullptr; }

    /// The name that logs in, as it was given to `create`.
    const std::string& user() const { return user_; }

private:
    enum class Way { none, token, password };

    DeviceLogin() = default;

    Result<LoginStart> start_token(const ChannelBinding& binding, DeviceId device);

    void end();

    std::string user_;
    std::optional<ScramLogin<Crypto>> password_;
    std::optional<DeviceToken> token_;
    Way way_ = Way::none;
    Digest server_signature_{};
};

}  // namespace quicchat

#include "quicchat/auth/impl/device_login.ipp"
