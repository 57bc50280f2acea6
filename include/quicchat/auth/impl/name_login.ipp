#pragma once

#include "quicchat/auth/name_login.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Result<NameLogin> NameLogin::create(std::string_view user,
                                                       NameLoginOptions options) {
    if (!is_user_name(user)) return Errc::invalid_name;
    return NameLogin{user, options};
}

QUICCHAT_RARE_DECL Result<LoginStart> NameLogin::start(const ChannelBinding&, DeviceId, BytesView) {
    started_ = true;
    const BytesView name = as_bytes(user_);
    return LoginStart{std::string{name_only_mechanism}, Buffer(name.begin(), name.end()),
                      options_.one_flight};
}

QUICCHAT_RARE_DECL Result<std::optional<Buffer>> NameLogin::respond(BytesView) {
    started_ = false;
    return Errc::server_not_verified;
}

QUICCHAT_RARE_DECL Result<std::monostate> NameLogin::finish(BytesView data) {
    if (!std::exchange(started_, false) || !data.empty()) return Errc::server_not_verified;
    return std::monostate{};
}

QUICCHAT_RARE_DECL LoginStep NameAuthenticator::Exchange::start(const LoginRequest& request) {
    if (std::exchange(over_, true) || request.mechanism != name_only_mechanism ||
        !is_user_name(as_text(request.data))) {
        return LoginRefused{};
    }
    claimed_user_ = to_string(request.data);
    return LoginAccepted{claimed_user_, {}};
}

QUICCHAT_RARE_DECL LoginStep NameAuthenticator::Exchange::respond(BytesView) {
    over_ = true;
    return LoginRefused{};
}

QUICCHAT_RARE_DECL std::unique_ptr<LoginExchange> NameAuthenticator::begin(BytesView) {
    return std::make_unique<Exchange>();
}

QUICCHAT_RARE_DECL std::optional<std::string> NameAuthenticator::find_account(
    const std::string&) const {
    return std::nullopt;
}

}  // namespace quicchat
