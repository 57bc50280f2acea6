#include "server_reload.hpp"

#include <future>
#include <memory>
#include <utility>

#include "failure.hpp"
#include "quicchat/quic/tls.hpp"
#include "server_desk.hpp"
#include "storage.hpp"

namespace quicchat::python {
namespace {

/// Does something on the engine thread and waits for it. Throws what it throws.
template <class Action>
void do_at(const RunningServer& server, Action action) {
    ServerErrand errand{std::move(action)};
    std::future<void> done = errand.get_future();
    server.port.post(std::move(errand));
    server.host.wake(server.id);
    try {
        done.get();
    } catch (const std::future_error&) {
        throw CoreFailure{Errc::not_ready};
    }
}

std::vector<std::string> missing_in(const AccountStore& next, const AccountStore& before) {
    std::vector<std::string> names;
    for (const auto& [key, account] : before.accounts()) {
        if (next.find(key) == nullptr) names.push_back(account.name);
    }
    return names;
}

}  // namespace

AccountChanges reload_server(const RunningServer& server, const ServerSettings& now,
                             const ServerSettings& next) {
    // Before anything changes, what may be wrong is found.
    const auto tls = quic::TlsContext::server(next.certificate_pem, next.key_pem, {});
    if (!tls) throw CoreFailure{tls.error()};
    if (!next.web_certificate_pem.empty()) {
        const auto web = quic::TlsContext::server(next.web_certificate_pem, next.web_key_pem, {});
        if (!web) throw CoreFailure{web.error()};
    }
    (void)make_ticket_rules(next.web.tickets);
    AccountStore known;
    do_at(server, [&](ServerDesk& desk) { known = desk.accounts(); });
    const AccountPlan plan = plan_accounts(next, known);
    AccountChanges changes{
        .added = plan.added(), .replaced = plan.replaced(), .hashed = plan.hashed};

    if (server.database.empty()) {
        AccountStore store = make_store(plan);
        changes.removed = missing_in(store, known);
        do_at(server, [&](ServerDesk& desk) {
            desk.take_settings(next);
            desk.replace_accounts(std::move(store));
        });
        return changes;
    }
    do_at(server, [&](ServerDesk& desk) { desk.take_settings(next); });
    try {
        store_accounts(server.database, plan);
    } catch (const StorageFailure&) {
        do_at(server, [&](ServerDesk& desk) { desk.take_settings(now); });
        throw;
    }
    return changes;
}

std::future<ServerReport> ask_for_report(const RunningServer& server) {
    const auto answer = std::make_shared<std::promise<ServerReport>>();
    std::future<ServerReport> report = answer->get_future();
    server.port.post(
        ServerErrand{[answer](ServerDesk& desk) { answer->set_value(desk.report()); }});
    server.host.wake(server.id);
    return report;
}

}  // namespace quicchat::python
