#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {

/// Accounts and devices that are gone with the program. Models AccountBook. Not thread-safe.
class MemoryAccounts : public AccountBook {
public:
    MemoryAccounts() = default;
    explicit MemoryAccounts(AccountStore accounts) : accounts_(std::move(accounts)) {}

    const AccountStore& accounts() override { return accounts_; }

    /// As AccountStore has them. A new password ends the tokens of all devices, and so does
    /// removing the account: whoever gets the name next must not inherit them.
    Result<std::monostate> add(std::string_view user, const Verifier& verifier) {
        Result<std::monostate> added = accounts_.add(user, verifier);
        if (added) devices_.erase(canonical_name(user));  // from when a hook had the name
        return added;
    }
    bool replace_verifier(std::string_view user, const Verifier& verifier) {
        devices_.erase(canonical_name(user));
        return accounts_.replace_verifier(user, verifier);
    }
    bool remove(std::string_view user) {
        devices_.erase(canonical_name(user));
        return accounts_.remove(user);
    }
    /// Other accounts from now on. Those that are new, gone, or have another password lose their
    /// devices.
    void replace(AccountStore accounts) {
        std::erase_if(devices_, [&](const auto& of_user) {
            const Account* before = accounts_.find(of_user.first);
            const Account* now = accounts.find(of_user.first);
            if (before == nullptr || now == nullptr) return before != now;
            return !(before->verifier == now->verifier);
        });
        accounts_ = std::move(accounts);
    }
    bool disable(std::string_view user) { return accounts_.disable(user); }
    bool enable(std::string_view user) { return accounts_.enable(user); }

    Result<std::optional<Device>> find_device(std::string_view user, DeviceId id) override {
        const auto of_user = devices_.find(canonical_name(user));
        if (of_user == devices_.end()) return std::optional<Device>{};
        const auto found = of_user->second.find(id);
        if (found == of_user->second.end()) return std::optional<Device>{};
        return std::optional<Device>{found->second};
    }

    /// The user's devices, by their ids.
    std::vector<Device> devices(std::string_view user) const {
        std::vector<Device> all;
        const auto of_user = devices_.find(canonical_name(user));
        if (of_user == devices_.end()) return all;
        for (const auto& [id, device] : of_user->second) all.push_back(device);
        return all;
    }

    /// The user may be one that a hook vouches for, without an account here.
    SaveTicket save_device(std::string_view user, Device device) override {
        auto& of_user = devices_[canonical_name(user)];
        of_user.insert_or_assign(device.id, device);
        if (of_user.size() > devices_per_account_max) {
            of_user.erase(longest_unused(of_user, device.id));
        }
        return next_ticket();
    }

    SaveTicket remove_device(std::string_view user, DeviceId id) override {
        const auto of_user = devices_.find(canonical_name(user));
        if (of_user != devices_.end()) {
            of_user->second.erase(id);
            if (of_user->second.empty()) devices_.erase(of_user);
        }
        return next_ticket();
    }

    SaveTicket saved() const override { return saved_; }

    /// For tests and simulations of a slow disk: from now on changes of devices are not safe.
    void hold_saves() {
        if (!safe_devices_) safe_devices_ = devices_;
    }

    /// The disk is done: what was held is safe now, and later changes at once.
    void release_saves() {
        safe_devices_.reset();
        saved_ = last_ticket_;
    }

    /// The power fails: what was held did not happen.
    void lose_saves() {
        if (safe_devices_) devices_ = *std::exchange(safe_devices_, std::nullopt);
    }

private:
    using DevicesOfUser = std::map<DeviceId, Device>;
    using Devices = std::map<std::string, DevicesOfUser>;  // by canonical name

    static DevicesOfUser::iterator longest_unused(DevicesOfUser& devices, DeviceId but) {
        auto oldest = devices.end();
        for (auto at = devices.begin(); at != devices.end(); ++at) {
            if (at->first == but) continue;
            if (oldest == devices.end() || at->second.last_used < oldest->second.last_used) {
                oldest = at;
            }
        }
        return oldest;
    }

    SaveTicket next_ticket() {
        ++last_ticket_;
        if (!safe_devices_) saved_ = last_ticket_;
        return last_ticket_;
    }

    AccountStore accounts_;
    Devices devices_;
    std::optional<Devices> safe_devices_;  // while saves are held: what a crash leaves
    SaveTicket last_ticket_ = 0;
    SaveTicket saved_ = 0;
};

}  // namespace quicchat
