#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "page_crypto.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/scram_login.hpp"

namespace quicchat::web {

/// Logs a page in by a password, bound to the certificate that the page pinned (PROTOCOL.md §5.9).
///
/// A page may have pinned two certificates, the present one and the next. Each connection is
/// dialled with one of them, so that it is known which one was shown.
class PagePassword final : public ClientLogin {
public:
    /// `invalid_name` or `invalid_text`; `invalid_request` without a certificate.
    static Result<PagePassword> create(std::string_view user, std::string_view password,
                                       std::span<const CertificateHash> pinned) {
        if (pinned.empty()) return Errc::invalid_request;
        PagePassword login;
        for (const CertificateHash& certificate : pinned) {
            auto one = ScramLogin<PageCrypto>::create(user, password, {.certificate = certificate});
            if (!one) return one.error();
            login.logins_.push_back(*std::move(one));
        }
        return login;
    }

    /// With which of the certificates the next connection was dialled.
    void use_certificate(std::size_t number) {
        used_ = number < logins_.size() ? number : 0;  // a wrong one logs in nowhere
    }

    bool wants_channel_binding() const override { return false; }
    Result<LoginStart> start(const ChannelBinding& binding, DeviceId device,
                             BytesView entropy) override {
        return used().start(binding, device, entropy);
    }
    Result<std::optional<Buffer>> respond(BytesView challenge) override {
        return used().respond(challenge);
    }
    Result<std::optional<Buffer>> poll() override { return used().poll(); }
    Result<std::monostate> finish(BytesView success) override { return used().finish(success); }
    void keep(DeviceToken) override {}  // no token is good in a page
    bool recover(Errc) override { return false; }

private:
    PagePassword() = default;

    ScramLogin<PageCrypto>& used() { return logins_[used_]; }

    std::vector<ScramLogin<PageCrypto>> logins_;  ///< One for each certificate, at least one.
    std::size_t used_ = 0;
};

}  // namespace quicchat::web
