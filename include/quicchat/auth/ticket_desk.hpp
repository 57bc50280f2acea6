#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/ticket.hpp"
#include "quicchat/auth/ticket_message.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// Which tickets a server takes.
struct TicketRules {
    /// The one in use and the one that is to be or was, at most.
    static constexpr std::size_t keys_max = 2;
    /// Of this server, at most.
    static constexpr std::size_t hosts_max = 16;

    /// Of the site's back end: the one in use, and while it is being changed the other one. None:
    /// no tickets are taken.
    std::vector<Secret> keys{};
    std::string audience{};  ///< The name of this server in tickets.
    /// "host:port", by which pages reach this server with a certificate that browsers trust. None:
    /// only pages that pin the certificate can log in.
    std::vector<std::string> hosts{};
};

/// What is wrong with the rules, one clause for people; nullptr: nothing.
QUICCHAT_DECL const char* ticket_rules_problem(const TicketRules& rules);

/// Judges tickets and remembers those that were used. Not thread-safe.
class TicketDesk {
public:
    /// So many used tickets are remembered, each until it expires; above, none is taken. About 200
    /// bytes each.
    static constexpr std::size_t used_max = 100'000;
    /// Of them so many of one account: nobody's haste keeps others out.
    static constexpr std::size_t used_by_one_max = 1000;

    /// What was used before `started` is not known, so tickets from before are refused.
    explicit TicketDesk(WallTime started, std::size_t remembered_max = used_max,
                        std::size_t remembered_of_one_max = used_by_one_max)
        : started_(seconds_of(started)),
          used_max_(remembered_max),
          used_by_one_max_(remembered_of_one_max) {}

    /// Other rules, for the tickets that come from now on. Must have no `ticket_rules_problem`.
    void set_rules(TicketRules rules) { rules_ = std::move(rules); }

    /// Whether there is a key. False: each ticket is refused.
    bool takes_tickets() const { return !rules_.keys.empty(); }

    /// Whose ticket a page shows. It is used up then. Every failure is `ticket_refused`; which
    /// check it was is told to nobody.
    template <ScramCrypto Crypto>
    Result<std::string> redeem(BytesView data, const PageSession& page, WallTime now) {
        const Result<TicketMessage> message = parse_ticket_message(data);
        if (!message || !is_for_us(message->binding, page)) return Errc::ticket_refused;
        bool proven = false;
        for (const Secret& key : rules_.keys) {
            // RFC 7515 §5.1: the signature is over head "." body, as they were received.
            Digest signature = Crypto::hmac_sha256(key.view(), as_bytes(message->signed_part));
            const Digest proof = ticket_proof<Crypto>(signature, message->binding);
            secure_wipe(signature);
            // All keys are tried, whatever the first one said.
            proven = equal_in_constant_time(proof, message->proof) || proven;
        }
        // What a ticket says is read only if who made it has the key.
        if (!proven) return Errc::ticket_refused;
        return use(message->signed_part, page, now);
    }

    /// Tickets that are remembered.
    std::size_t remembered() const { return used_.size(); }

private:
    static std::int64_t seconds_of(WallTime time);

    /// Whether a page that is bound to that has us at its other end, and nobody in between. What
    /// the peer says of itself does not count, or whoever passes on what a page said would say the
    /// same.
    bool is_for_us(const PageBinding& binding, const PageSession& page) const;

    Result<std::string> use(std::string_view signed_part, const PageSession& page, WallTime now);

    bool is_good(const TicketClaims& claims, const PageSession& page, std::int64_t now) const;

    /// Those that have expired.
    void forget(std::int64_t now);

    TicketRules rules_;
    std::int64_t started_;
    std::size_t used_max_;
    std::size_t used_by_one_max_;
    /// Of what expires until then not everything is remembered, whatever the clock says now.
    std::int64_t forgotten_until_ = 0;
    using Used = std::map<std::string, std::string>;
    Used used_;                                   ///< Whose, by id.
    std::map<std::string, std::size_t> used_by_;  ///< How many, by account.
    std::multimap<std::int64_t, Used::iterator> by_expiry_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/ticket_desk.ipp"
#endif
