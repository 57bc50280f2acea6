#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// The files that somebody has begun to send and not finished, and the space that is kept for them:
/// what has come of a file, and a little ahead of that while it is sent. An offer alone keeps
/// hardly anything, and not for long.
class PartialUploads {
public:
    explicit PartialUploads(const Limits& limits) : limits_(&limits) {}

    bool contains(const std::string& key) const { return files_.count(key) != 0; }

    /// Somebody sends a file now, for the first time or again. If that account has too many begun,
    /// the one that was left for longest makes room: its key, which is to be removed, or an empty
    /// one. Nothing: none of them was left.
    std::optional<std::string> add(const std::string& key, std::string_view user,
                                   const std::string& room, std::uint64_t size) {
        if (const auto found = files_.find(key); found != files_.end()) {
            expiries_.erase(key);
            found->second.left.reset();
            keep(found->second, ahead_of(found->second));
            return std::string{};
        }
        std::string dropped;
        const std::string account = canonical_name(user);
        const auto own = keys_by_account_.find(account);
        if (own != keys_by_account_.end() &&
            own->second.size() >= limits_->uploads_per_account_max) {
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

    /// How much more space is to be kept once so much of the file has come.
    std::uint64_t more_for(const std::string& key, std::uint64_t received) const {
        const File& file = files_.at(key);
        const std::uint64_t ahead = std::min(file.size, received + limits_->upload_ahead_bytes);
        return ahead - std::min(ahead, file.kept);
    }

    /// So much of the file has come. The caller has seen to it that there is space.
    void note_received(const std::string& key, std::uint64_t received) {
        const auto found = files_.find(key);
        if (found == files_.end()) return;
        found->second.received = received;
        if (!found->second.left) keep(found->second, ahead_of(found->second));
    }

    /// Nobody sends it any more, for now. Only what has come of it takes space then.
    void leave(const std::string& key, TimePoint now) {
        const auto found = files_.find(key);
        if (found == files_.end()) return;
        File& file = found->second;
        file.left = now;
        keep(file, file.received);
        const bool is_empty = file.received == 0;
        expiries_.set(key,
                      now + (is_empty ? limits_->empty_upload_expiry : limits_->upload_expiry));
    }

    /// It is finished, or gone.
    void erase(const std::string& key) {
        const auto found = files_.find(key);
        if (found == files_.end()) return;
        keep(found->second, 0);
        const auto own = keys_by_account_.find(found->second.account);
        own->second.erase(key);
        if (own->second.empty()) keys_by_account_.erase(own);
        expiries_.erase(key);
        files_.erase(found);
    }

    /// The key of one that nobody went on with in time.
    std::optional<std::string> take_expired(TimePoint now) {
        std::optional<std::string> key = expiries_.take_due(now);
        if (key) erase(*key);
        return key;
    }

    std::optional<TimePoint> next_deadline() const { return expiries_.next(); }

    std::uint64_t bytes(const std::string& room) const { return find(bytes_by_room_, room); }
    std::uint64_t bytes_of(std::string_view user) const {
        return find(bytes_by_account_, canonical_name(user));
    }
    std::uint64_t bytes() const { return bytes_; }
    std::size_t size() const { return files_.size(); }

private:
    using Bytes = std::map<std::string, std::uint64_t>;

    struct File {
        std::string account;
        std::string room;
        std::uint64_t size = 0;
        std::uint64_t received = 0;
        std::uint64_t kept = 0;           ///< The space that is kept for it.
        std::optional<TimePoint> left{};  ///< When nobody sent it any more; nothing: it is sent.
    };

    std::uint64_t ahead_of(const File& file) const {
        return std::min(file.size, file.received + limits_->upload_ahead_bytes);
    }

    void keep(File& file, std::uint64_t bytes) {
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

    const std::string* oldest_left(const std::set<std::string>& keys) const {
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

    static std::uint64_t find(const Bytes& sums, const std::string& key) {
        const auto found = sums.find(key);
        return found == sums.end() ? 0 : found->second;
    }

    const Limits* limits_;
    std::map<std::string, File> files_;  ///< By key.
    std::map<std::string, std::set<std::string>> keys_by_account_;
    DeadlineQueue<std::string> expiries_;  ///< Of those that were left.
    Bytes bytes_by_room_;
    Bytes bytes_by_account_;
    std::uint64_t bytes_ = 0;
};

}  // namespace quicchat
