#pragma once

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/client_key_cache.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/auth/device_token.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/password.hpp"
#include "quicchat/auth/scram_client.hpp"
#include "quicchat/auth/scram_server.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// What may be set about a ScramLogin.
struct ScramLoginOptions {
    /// Shared by logins of one thread. Without it the login remembers its own keys only.
    std::shared_ptr<ClientKeyCache> cache{};
    ScramIterationRange iterations{};
};

/// Logs a client in by user name and password.
///
/// It keeps the password, since a server may ask for it anew on a reconnect, and wipes it when it
/// ends. The slow hashing happens in `respond`, once per salt.
template <ScramCrypto Crypto>
class ScramLogin : public ClientLogin {
public:
    /// `password` is UTF-8 in Normalization Form C; see `is_password`. Fails with `invalid_name` or
    /// `invalid_text`. The caller wipes its own copy of the password.
    static Result<ScramLogin> create(std::string_view user, std::string_view password,
                                     ScramLoginOptions options = {}) {
        if (!is_user_name(user)) return Errc::invalid_name;
        if (!is_password(password)) return Errc::invalid_text;
        ScramLogin login;
        login.credentials_.user = user;
        login.credentials_.password = Secret{as_bytes(password)};
        login.credentials_.iterations = options.iterations;
        login.cache_ = std::move(options.cache);
        if (login.cache_ != nullptr) {
            login.credentials_.password_check =
                scram_password_check<Crypto>(user, as_bytes(password));
        } else {
            login.cache_ = std::make_shared<ClientKeyCache>(1);
        }
        return login;
    }

    /// Begins a login on a new connection. `entropy` is at least 18 random bytes, used once.
    Result<LoginStart> start(const ChannelBinding& binding, DeviceId, BytesView entropy) override {
        assert(entropy.size() >= 18);
        client_.emplace(credentials_, binding, encode_base64(entropy));
        Result<Buffer> message = client_->initial();
        if (!message) return message.error();
        return LoginStart{std::string{scram_mechanism}, *std::move(message)};
    }

    Result<Buffer> respond(BytesView challenge) override {
        if (!client_) return Errc::server_not_verified;
        return client_->handle_challenge(challenge, cache_.get());
    }

    Result<std::monostate> finish(BytesView success) override {
        if (!client_) return Errc::server_not_verified;
        Result<std::monostate> result = client_->handle_success(success, cache_.get());
        client_.reset();
        return result;
    }

    /// A password is all that it logs in by; see DeviceLogin.
    void keep(DeviceToken) override {}
    bool recover(Errc) override { return false; }

    const std::string& user() const { return credentials_.user; }

private:
    ScramLogin() = default;

    ScramCredentials credentials_;
    std::shared_ptr<ClientKeyCache> cache_;
    std::optional<ScramClient<Crypto>> client_;
};

/// Logs users in by password against an AccountStore. DeviceAuthenticator
/// does the same and gives tokens to devices.
template <ScramCrypto Crypto>
class ScramAuthenticator : public Authenticator {
public:
    /// Changes of the store, which is shared, count from the next login on. `server_secret` hides
    /// which users exist; see `AccountStore::find_or_fake`.
    ScramAuthenticator(std::shared_ptr<const AccountStore> accounts, BytesView server_secret)
        : context_(std::make_shared<const Context>(
              Context{std::move(accounts), Secret{server_secret}})) {
        assert(context_->accounts != nullptr);
        assert(server_secret.size() >= 16);
    }

private:
    struct Context {
        std::shared_ptr<const AccountStore> accounts;
        Secret secret;
    };

public:
    class Exchange final : public LoginExchange {
    public:
        LoginStep start(const LoginRequest& request) override {
            if (server_ || std::exchange(started_, true)) return refuse();
            // Or else a device that got its token elsewhere would never ask for the password.
            if (request.mechanism == token_mechanism) return refuse(Errc::token_refused);
            if (request.mechanism != scram_mechanism) return refuse();
            server_.emplace(request.binding, nonce_);
            if (!server_->handle_client_first(request.data)) return refuse();
            claimed_user_ = server_->user();
            const ScramLookUp account = context_->accounts->template find_or_fake<Crypto>(
                server_->user(), context_->secret.view());
            name_ = account.name;
            Result<Buffer> challenge = server_->provide(account);
            if (!challenge) return refuse();
            return LoginChallenge{*std::move(challenge)};
        }

        LoginStep respond(BytesView proof) override {
            if (!server_) return refuse();
            Result<Buffer> success = server_->handle_client_final(proof);
            server_.reset();
            if (!success) return refuse();
            return LoginAccepted{name_, *std::move(success)};
        }

        const std::string& claimed_user() const override { return claimed_user_; }

    private:
        friend class ScramAuthenticator;
        Exchange(std::shared_ptr<const Context> context, std::string nonce)
            : context_(std::move(context)), nonce_(std::move(nonce)) {}

        LoginStep refuse(Errc errc = Errc::login_failed) {
            started_ = true;
            server_.reset();
            return LoginRefused{errc};
        }

        std::shared_ptr<const Context> context_;
        std::string nonce_;
        std::string claimed_user_;
        std::string name_;
        std::optional<ScramServer<Crypto>> server_;
        bool started_ = false;
    };

    /// `entropy` is at least 18 random bytes, used once.
    std::unique_ptr<LoginExchange> begin(BytesView entropy) override {
        assert(entropy.size() >= 18);
        return std::unique_ptr<Exchange>{new Exchange{context_, encode_base64(entropy)}};
    }

    std::optional<std::string> find_account(const std::string& name) const override {
        return account_name(*context_->accounts, name);
    }

private:
    std::shared_ptr<const Context> context_;
};

}  // namespace quicchat
