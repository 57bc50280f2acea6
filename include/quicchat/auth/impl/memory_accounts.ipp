#pragma once

#include "quicchat/auth/memory_accounts.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL MemoryAccounts::MemoryAccounts(AccountStore accounts)
    : accounts_(std::move(accounts)) {}

QUICCHAT_RARE_DECL Result<std::monostate> MemoryAccounts::add(std::string_view user,
                                                              const Verifier& verifier) {
    Result<std::monostate> added = accounts_.add(user, verifier);
    if (added) devices_.erase(canonical_name(user));  // from when a hook had the name
    return added;
}

QUICCHAT_RARE_DECL bool MemoryAccounts::replace_verifier(std::string_view user,
                                                         const Verifier& verifier) {
    devices_.erase(canonical_name(user));
    return accounts_.replace_verifier(user, verifier);
}

QUICCHAT_RARE_DECL bool MemoryAccounts::remove(std::string_view user) {
    devices_.erase(canonical_name(user));
    return accounts_.remove(user);
}

QUICCHAT_RARE_DECL void MemoryAccounts::replace(AccountStore accounts) {
    std::erase_if(devices_, [&](const auto& of_user) {
        const Account* before = accounts_.find(of_user.first);
        const Account* now = accounts.find(of_user.first);
        if (before == nullptr || now == nullptr) return before != now;
        return !(before->verifier == now->verifier);
    });
    accounts_ = std::move(accounts);
}

QUICCHAT_RARE_DECL Result<std::optional<Device>> MemoryAccounts::find_device(std::string_view user,
                                                                             DeviceId id) {
    const auto of_user = devices_.find(canonical_name(user));
    if (of_user == devices_.end()) return std::optional<Device>{};
    const auto found = of_user->second.find(id);
    if (found == of_user->second.end()) return std::optional<Device>{};
    return std::optional<Device>{found->second};
}

QUICCHAT_RARE_DECL std::vector<Device> MemoryAccounts::devices(std::string_view user) const {
    std::vector<Device> all;
    const auto of_user = devices_.find(canonical_name(user));
    if (of_user == devices_.end()) return all;
    for (const auto& [id, device] : of_user->second) all.push_back(device);
    return all;
}

QUICCHAT_RARE_DECL SaveTicket MemoryAccounts::save_device(std::string_view user, Device device) {
    auto& of_user = devices_[canonical_name(user)];
    of_user.insert_or_assign(device.id, device);
    if (of_user.size() > devices_per_account_max) {
        of_user.erase(longest_unused(of_user, device.id));
    }
    return next_ticket();
}

QUICCHAT_RARE_DECL SaveTicket MemoryAccounts::remove_device(std::string_view user, DeviceId id) {
    const auto of_user = devices_.find(canonical_name(user));
    if (of_user != devices_.end()) {
        of_user->second.erase(id);
        if (of_user->second.empty()) devices_.erase(of_user);
    }
    return next_ticket();
}

QUICCHAT_RARE_DECL void MemoryAccounts::hold_saves() {
    if (!safe_devices_) safe_devices_ = devices_;
}

QUICCHAT_RARE_DECL void MemoryAccounts::release_saves() {
    safe_devices_.reset();
    saved_ = last_ticket_;
}

QUICCHAT_RARE_DECL void MemoryAccounts::lose_saves() {
    if (safe_devices_) devices_ = *std::exchange(safe_devices_, std::nullopt);
}

QUICCHAT_RARE_DECL MemoryAccounts::DevicesOfUser::iterator MemoryAccounts::longest_unused(
    DevicesOfUser& devices, DeviceId but) {
    auto oldest = devices.end();
    for (auto at = devices.begin(); at != devices.end(); ++at) {
        if (at->first == but) continue;
        if (oldest == devices.end() || at->second.last_used < oldest->second.last_used) {
            oldest = at;
        }
    }
    return oldest;
}

QUICCHAT_RARE_DECL SaveTicket MemoryAccounts::next_ticket() {
    ++last_ticket_;
    if (!safe_devices_) saved_ = last_ticket_;
    return last_ticket_;
}

}  // namespace quicchat
