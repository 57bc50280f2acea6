#pragma once

#include "quicchat/server/files/partial_uploads.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL PartialUploads::PartialUploads(const Limits& limits) : limits_(&limits) {}

QUICCHAT_RARE_DECL std::optional<std::string> PartialUploads::add(const std::string& key,
                                                                  std::string_view user,
                                                                  const std::string& room,
                                                                  std::uint64_t size) {
    if (const auto found = files_.find(key); found != files_.end()) {
        expiries_.erase(key);
        found->second.left.reset();
        keep(found->second, ahead_of(found->second));
        return std::string{};
    }
    std::string dropped;
    const std::string account = canonical_name(user);
    const auto own = keys_by_account_.find(account);
    if (own != keys_by_account_.end() && own->second.size() >= limits_->uploads_per_account_max) {
        const std::string* oldest = oldest_left(own->second);
        if (oldest == nullptr) return std::nullopt;
        dropped = *oldest;
        erase(dropped);
    }
    File& file = files_.emplace(key, File{account, room, size}).first->second;
    keys_by_account_[account].insert(key);
    keep(file, ahead_of(file));
    return dropped;
}

QUICCHAT_RARE_DECL std::uint64_t PartialUploads::more_for(const std::string& key,
                                                          std::uint64_t received) const {
    const File& file = files_.at(key);
    const std::uint64_t ahead = std::min(file.size, received + limits_->upload_ahead_bytes);
    return ahead - std::min(ahead, file.kept);
}

QUICCHAT_DECL void PartialUploads::note_received(const std::string& key, std::uint64_t received) {
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    found->second.received = received;
    if (!found->second.left) keep(found->second, ahead_of(found->second));
}

QUICCHAT_RARE_DECL void PartialUploads::note_found(std::uint64_t bytes, TimePoint now) {
    unclaimed_ = bytes;
    next_drop_ = now + limits_->upload_expiry;  // also what has no bytes lies there
}

QUICCHAT_RARE_DECL void PartialUploads::note_dropped(std::uint64_t bytes, TimePoint now) {
    std::uint64_t own = 0;
    for (const auto& [key, file] : files_) own += file.received;
    unclaimed_ = std::min(unclaimed_, bytes - std::min(bytes, own));
    if (unclaimed_ > 0) next_drop_ = now + limits_->upload_expiry;  // the clock was set
}

QUICCHAT_RARE_DECL bool PartialUploads::take_drop(TimePoint now) {
    if (!next_drop_ || now < *next_drop_) return false;
    next_drop_.reset();
    return true;
}

QUICCHAT_RARE_DECL bool PartialUploads::claim(const std::string& key, std::uint64_t bytes) {
    const auto found = files_.find(key);
    if (found == files_.end() || std::exchange(found->second.claimed, true)) return false;
    unclaimed_ -= std::min(unclaimed_, bytes);
    return true;
}

QUICCHAT_RARE_DECL void PartialUploads::leave(const std::string& key, TimePoint now) {
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    File& file = found->second;
    file.left = now;
    keep(file, file.received);
    const bool is_empty = file.received == 0;
    expiries_.set(key, now + (is_empty ? limits_->empty_upload_expiry : limits_->upload_expiry));
}

QUICCHAT_RARE_DECL void PartialUploads::erase(const std::string& key) {
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    keep(found->second, 0);
    const auto own = keys_by_account_.find(found->second.account);
    own->second.erase(key);
    if (own->second.empty()) keys_by_account_.erase(own);
    expiries_.erase(key);
    files_.erase(found);
}

QUICCHAT_RARE_DECL std::optional<std::string> PartialUploads::take_expired(TimePoint now) {
    std::optional<std::string> key = expiries_.take_due(now);
    if (key) erase(*key);
    return key;
}

QUICCHAT_RARE_DECL std::uint64_t PartialUploads::bytes_of(std::string_view user) const {
    return find(bytes_by_account_, canonical_name(user));
}

QUICCHAT_DECL std::uint64_t PartialUploads::ahead_of(const File& file) const {
    return std::min(file.size, file.received + limits_->upload_ahead_bytes);
}

QUICCHAT_RARE_DECL void PartialUploads::keep(File& file, std::uint64_t bytes) {
    const auto change = [&](Bytes& sums, const std::string& key) {
        std::uint64_t& sum = sums[key];
        sum = sum - file.kept + bytes;
        if (sum == 0) sums.erase(key);
    };
    change(bytes_by_room_, file.room);
    change(bytes_by_account_, file.account);
    bytes_ = bytes_ - file.kept + bytes;
    file.kept = bytes;
}

QUICCHAT_RARE_DECL const std::string* PartialUploads::oldest_left(
    const std::set<std::string>& keys) const {
    const std::string* oldest = nullptr;
    TimePoint when{};
    for (const std::string& key : keys) {
        const File& file = files_.at(key);
        if (!file.left || (oldest != nullptr && *file.left >= when)) continue;
        oldest = &key;
        when = *file.left;
    }
    return oldest;
}

QUICCHAT_RARE_DECL std::uint64_t PartialUploads::find(const Bytes& sums, const std::string& key) {
    const auto found = sums.find(key);
    return found == sums.end() ? 0 : found->second;
}

}  // namespace quicchat
