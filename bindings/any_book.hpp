#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/auth/deferred_hook.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/sqlite/sqlite_accounts.hpp"

namespace quicchat::python {

/// Accounts in memory or in a database, as the configuration says. One type, so that the server is
/// compiled once.
class AnyBook {
public:
    explicit AnyBook(MemoryAccounts book) : book_(std::move(book)) {}
    explicit AnyBook(SqliteAccounts book) : book_(std::move(book)) {}

    const AccountStore& accounts() {
        return std::visit([](auto& book) -> const AccountStore& { return book.accounts(); }, book_);
    }
    /// Other accounts instead of those in memory; see MemoryAccounts. Those of a database stay.
    void replace(AccountStore accounts) {
        if (auto* book = std::get_if<MemoryAccounts>(&book_)) book->replace(std::move(accounts));
    }
    Result<std::optional<Device>> find_device(std::string_view user, DeviceId id) {
        return std::visit([&](auto& book) { return book.find_device(user, id); }, book_);
    }
    SaveTicket save_device(std::string_view user, const Device& device) {
        return std::visit([&](auto& book) { return book.save_device(user, device); }, book_);
    }
    SaveTicket remove_device(std::string_view user, DeviceId id) {
        return std::visit([&](auto& book) { return book.remove_device(user, id); }, book_);
    }
    SaveTicket saved() const {
        return std::visit([](const auto& book) { return book.saved(); }, book_);
    }

private:
    std::variant<MemoryAccounts, SqliteAccounts> book_;
};

static_assert(AccountBook<AnyBook>);

/// A program's answers to logins, or, where it gave no function for them, the server's accounts.
class AnyHook {
public:
    explicit AnyHook(std::optional<DeferredHook> hook) : hook_(std::move(hook)) {}

    HookTicket ask(const AccountQuestion& question, Now now) {
        return hook_ ? hook_->ask(question, now) : HookTicket{};
    }
    std::optional<HookDecision> poll(HookTicket ticket, Now now) {
        return hook_ ? hook_->poll(ticket, now) : UseOwnAccounts{};
    }
    void cancel(HookTicket ticket) {
        if (hook_) hook_->cancel(ticket);
    }

private:
    std::optional<DeferredHook> hook_;
};

static_assert(AccountHook<AnyHook>);

}  // namespace quicchat::python
