#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/auth/device.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

// Logins that prove nothing: the client says a name and the server believes it. They are for
// simulations and examples, whose network is inside one program. NEVER use them on a real network;
// nothing in quic/ does, and no configuration can ask for them.

namespace quicchat {

/// The mechanism of a login that proves nothing.
inline constexpr std::string_view name_only_mechanism = "NAME-ONLY";

/// What may be set about a NameLogin.
struct NameLoginOptions {
    /// Whether it says that requests may follow at once. False: the client waits, as after a
    /// password.
    bool one_flight = true;
};

/// Says a name. For simulations and examples, never on a network.
class NameLogin : public ClientLogin {
public:
    /// `invalid_name` if it cannot be a user's name.
    static Result<NameLogin> create(std::string_view user, NameLoginOptions options = {});

    Result<LoginStart> start(const ChannelBinding&, DeviceId, BytesView) override;

    /// There is no challenge in this mechanism.
    Result<std::optional<Buffer>> respond(BytesView) override;

    Result<std::monostate> finish(BytesView data) override;

    void keep(DeviceToken) override {}
    bool recover(Errc) override { return false; }

    /// The name that it says.
    const std::string& user() const { return user_; }

private:
    NameLogin(std::string_view user, NameLoginOptions options) : user_(user), options_(options) {}

    std::string user_;
    NameLoginOptions options_;
    bool started_ = false;
};

/// Believes every name. For simulations and examples, never on a network.
class NameAuthenticator : public Authenticator {
public:
    /// One login: it is accepted if it says a user's name.
    class Exchange final : public LoginExchange {
    public:
        LoginStep start(const LoginRequest& request) override;
        LoginStep respond(BytesView) override;
        const std::string& claimed_user() const override { return claimed_user_; }

    private:
        std::string claimed_user_;
        bool over_ = false;
    };

    std::unique_ptr<LoginExchange> begin(BytesView) override;

    /// Nothing: who has not logged in does not exist.
    std::optional<std::string> find_account(const std::string&) const override;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/name_login.ipp"
#endif
