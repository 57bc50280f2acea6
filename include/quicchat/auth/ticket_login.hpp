#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/page_binding.hpp"
#include "quicchat/auth/ticket_message.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {

/// Logs a page in by tickets that its site's back end made, one for each connection (PROTOCOL.md
/// §5.10). Models ClientLogin.
template <ScramCrypto Crypto>
class TicketLogin : public ClientLogin {
public:
    /// Bound to what the page knows of the server.
    explicit TicketLogin(PageBinding binding) : binding_(std::move(binding)) {}

    /// The ticket for the next `start`, in its compact form: before the transport reports
    /// Connected. `ticket_refused` for what can be none, which is not kept.
    Result<std::monostate> set_ticket(std::string_view ticket);

    bool wants_channel_binding() const override { return false; }

    /// Uses up the ticket. `ticket_refused` if there is none.
    Result<LoginStart> start(const ChannelBinding&, DeviceId, BytesView) override;

    /// There is no challenge in this mechanism.
    Result<std::optional<Buffer>> respond(BytesView) override;

    /// TLS has checked who the server is, so it says nothing.
    Result<std::monostate> finish(BytesView success) override;

    /// No token is good in a page.
    void keep(DeviceToken) override {}

    /// True for one refused ticket, which may have been too old: the next connection wants another.
    /// If that one is refused as well, more would not help.
    bool recover(Errc why) override;

private:
    PageBinding binding_;
    Secret signature_;
    Buffer signed_part_;
    bool started_ = false;
    bool recovered_ = false;
};

}  // namespace quicchat

#include "quicchat/auth/impl/ticket_login.ipp"
