#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {

/// Accounts and devices that are gone with the program. Models AccountBook. Not thread-safe.
class MemoryAccounts : public AccountBook {
public:
    MemoryAccounts() = default;
    /// Takes accounts over, none of which has a device yet.
    explicit MemoryAccounts(AccountStore accounts);

    const AccountStore& accounts() override { return accounts_; }

    /// As AccountStore has them. A new password ends the tokens of all devices, and so does
    /// removing the account: whoever gets the name next must not inherit them.
    Result<std::monostate> add(std::string_view user, const Verifier& verifier);
    /// False if there is no such account.
    /// @{
    bool replace_verifier(std::string_view user, const Verifier& verifier);
    bool remove(std::string_view user);
    /// @}

    /// Other accounts from now on. Those that are new, gone, or have another password lose their
    /// devices.
    void replace(AccountStore accounts);
    /// As AccountStore has them. Devices keep their tokens.
    /// @{
    bool disable(std::string_view user) { return accounts_.disable(user); }
    bool enable(std::string_view user) { return accounts_.enable(user); }
    /// @}

    Result<std::optional<Device>> find_device(std::string_view user, DeviceId id) override;

    /// The user's devices, by their ids.
    std::vector<Device> devices(std::string_view user) const;

    /// The user may be one that a hook vouches for, without an account here.
    SaveTicket save_device(std::string_view user, Device device) override;

    SaveTicket remove_device(std::string_view user, DeviceId id) override;

    SaveTicket saved() const override { return saved_; }

    /// For tests and simulations of a slow disk: from now on changes of devices are not safe.
    void hold_saves();

    /// The disk is done: what was held is safe now, and later changes at once.
    void release_saves();

    /// The power fails: what was held did not happen.
    void lose_saves();

private:
    using DevicesOfUser = std::map<DeviceId, Device>;
    using Devices = std::map<std::string, DevicesOfUser>;  // by canonical name

    static DevicesOfUser::iterator longest_unused(DevicesOfUser& devices, DeviceId but);

    SaveTicket next_ticket();

    AccountStore accounts_;
    Devices devices_;
    std::optional<Devices> safe_devices_;  // while saves are held: what a crash leaves
    SaveTicket last_ticket_ = 0;
    SaveTicket saved_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/memory_accounts.ipp"
#endif
