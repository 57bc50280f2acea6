#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/auth/login.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

// Logins that prove nothing: the client says a name and the server believes it. They are for
// simulations and examples, whose network is inside one program. NEVER use them on a real network;
// nothing in quic/ does, and no configuration can ask for them.

namespace quicchat {

inline constexpr std::string_view name_only_mechanism = "NAME-ONLY";

/// Says a name. For simulations and examples, never on a network.
class NameLogin {
public:
    /// `invalid_name` if it cannot be a user's name.
    static Result<NameLogin> create(std::string_view user) {
        if (!is_user_name(user)) return Errc::invalid_name;
        return NameLogin{user};
    }

    Result<LoginStart> start(const ChannelBinding&, BytesView) {
        started_ = true;
        const BytesView name = as_bytes(user_);
        return LoginStart{std::string{name_only_mechanism}, Buffer(name.begin(), name.end())};
    }

    /// There is no challenge in this mechanism.
    Result<Buffer> respond(BytesView) {
        started_ = false;
        return Errc::server_not_verified;
    }

    Result<std::monostate> finish(BytesView data) {
        if (!std::exchange(started_, false) || !data.empty()) return Errc::server_not_verified;
        return std::monostate{};
    }

    const std::string& user() const { return user_; }

private:
    explicit NameLogin(std::string_view user) : user_(user) {}

    std::string user_;
    bool started_ = false;
};

/// Believes every name. For simulations and examples, never on a network.
class NameAuthenticator {
public:
    class Exchange {
    public:
        LoginStep start(const LoginRequest& request) {
            if (std::exchange(over_, true) || request.mechanism != name_only_mechanism ||
                !is_user_name(as_text(request.data))) {
                return LoginRefused{};
            }
            claimed_user_ = to_string(request.data);
            return LoginAccepted{claimed_user_, {}};
        }
        LoginStep respond(BytesView) {
            over_ = true;
            return LoginRefused{};
        }
        const std::string& claimed_user() const { return claimed_user_; }

    private:
        std::string claimed_user_;
        bool over_ = false;
    };

    Exchange begin(BytesView) { return {}; }
};

static_assert(ClientLogin<NameLogin>);
static_assert(Authenticator<NameAuthenticator>);

}  // namespace quicchat
