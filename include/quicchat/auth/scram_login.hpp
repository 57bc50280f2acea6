#pragma once

#include <cassert>
#include <cstdint>
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
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/auth/scram_server.hpp"
#include "quicchat/base/background.hpp"
#include "quicchat/base/bytes.hpp"
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
    ScramIterationRange iterations{};  ///< How many iterations it computes for a server that asks.
    /// In a page: the certificate that it pinned, to which the login is bound in place of the
    /// exporter (PROTOCOL.md §5.11). One, since a browser does not say which of several it saw.
    std::optional<CertificateHash> certificate{};
};

/// Logs a client in by user name and password.
///
/// It keeps the password, since a server may ask for it anew on a reconnect, and wipes it when it
/// ends. The slow hashing happens once per salt: in `respond`, or where `compute_in` says.
template <ScramCrypto Crypto>
class ScramLogin : public ClientLogin {
public:
    /// `password` is UTF-8 in Normalization Form C; see `is_password`. Fails with `invalid_name` or
    /// `invalid_text`. The caller wipes its own copy of the password.
    static Result<ScramLogin> create(std::string_view user, std::string_view password,
                                     ScramLoginOptions options = {});

    bool wants_channel_binding() const override { return !certificate_; }

    /// Begins a login on a new connection. `entropy` is at least 18 random bytes, used once.
    Result<LoginStart> start(const ChannelBinding& binding, DeviceId, BytesView entropy) override;

    Result<std::optional<Buffer>> respond(BytesView challenge) override;
    Result<std::optional<Buffer>> poll() override;
    bool is_computing() const override;

    Result<std::monostate> finish(BytesView success) override;

    /// A password is all that it logs in by; see DeviceLogin.
    void keep(DeviceToken) override {}
    bool recover(Errc) override { return false; }

    void compute_in(std::shared_ptr<Background> background) override;

    /// The name that logs in.
    const std::string& user() const { return credentials_.user; }

private:
    /// The keys of the password for one salt.
    class Derivation final : public LongTask {
    public:
        Derivation(const Secret& password, const Buffer& salt, std::uint32_t iterations)
            : password_(password), salt_(salt), iterations_(iterations) {}

        void run() override;

        bool is_for(const ScramClient<Crypto>& client) const;
        const ScramKeys& keys() const { return keys_; }

    private:
        Secret password_;
        const Buffer salt_;
        const std::uint32_t iterations_;
        ScramKeys keys_;
    };

    ScramLogin() = default;

    /// Answers the challenge that was read, as soon as its keys are known.
    Result<std::optional<Buffer>> answer(const ScramKeys& keys);

    ScramCredentials credentials_;
    std::optional<CertificateHash> certificate_;
    std::shared_ptr<ClientKeyCache> cache_;
    std::optional<ScramClient<Crypto>> client_;
    std::shared_ptr<Background> background_;
    std::shared_ptr<Derivation> derivation_;  ///< The latest. It outlives a lost connection.
    bool derived_ = false;                    ///< It is done.
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
    /// One login at one connection, see LoginExchange. It keeps the accounts alive.
    class Exchange final : public LoginExchange {
    public:
        LoginStep start(const LoginRequest& request) override;

        LoginStep respond(BytesView proof) override;

        const std::string& claimed_user() const override { return claimed_user_; }

    private:
        friend class ScramAuthenticator;
        Exchange(std::shared_ptr<const Context> context, std::string nonce);

        LoginStep refuse(Errc errc = Errc::login_failed);

        std::shared_ptr<const Context> context_;
        std::string nonce_;
        std::string claimed_user_;
        std::string name_;
        std::optional<ScramServer<Crypto>> server_;
        bool started_ = false;
    };

    /// `entropy` is at least 18 random bytes, used once.
    std::unique_ptr<LoginExchange> begin(BytesView entropy) override;

    std::optional<std::string> find_account(const std::string& name) const override;

private:
    std::shared_ptr<const Context> context_;
};

}  // namespace quicchat

#include "quicchat/auth/impl/scram_login.ipp"
