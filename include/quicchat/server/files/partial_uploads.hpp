#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// The files that somebody has begun to send and not finished, and the room that is kept for them.
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
            found->second.left.reset();
            return std::string{};
        }
        std::string dropped;
        const std::string account = canonical_name(user);
        std::size_t count = 0;
        auto oldest = files_.end();
        for (auto place = files_.begin(); place != files_.end(); ++place) {
            const File& file = place->second;
            if (file.account != account) continue;
            ++count;
            const bool older = oldest == files_.end() || file.left < oldest->second.left;
            if (file.left && older) oldest = place;
        }
        if (count >= limits_->uploads_per_account_max) {
            if (oldest == files_.end()) return std::nullopt;
            dropped = oldest->first;
            erase(dropped);
        }
        files_.emplace(key, File{account, room, size, {}});
        bytes_by_room_[room] += size;
        bytes_ += size;
        return dropped;
    }

    /// Nobody sends it any more, for now.
    void leave(const std::string& key, TimePoint now) {
        const auto found = files_.find(key);
        if (found != files_.end()) found->second.left = now;
    }

    /// It is finished, or gone.
    void erase(const std::string& key) {
        const auto found = files_.find(key);
        if (found == files_.end()) return;
        const auto room = bytes_by_room_.find(found->second.room);
        room->second -= found->second.size;
        if (room->second == 0) bytes_by_room_.erase(room);
        bytes_ -= found->second.size;
        files_.erase(found);
    }

    /// The key of one that nobody went on with in time.
    std::optional<std::string> take_expired(TimePoint now) {
        for (const auto& [key, file] : files_) {
            if (!file.left || now < *file.left + limits_->upload_expiry) continue;
            std::string expired = key;
            erase(expired);
            return expired;
        }
        return std::nullopt;
    }

    std::optional<TimePoint> next_deadline() const {
        std::optional<TimePoint> deadline;
        for (const auto& [key, file] : files_) {
            if (file.left) deadline = earlier(deadline, *file.left + limits_->upload_expiry);
        }
        return deadline;
    }

    std::uint64_t bytes(const std::string& room) const {
        const auto found = bytes_by_room_.find(room);
        return found == bytes_by_room_.end() ? 0 : found->second;
    }
    std::uint64_t bytes() const { return bytes_; }
    std::size_t size() const { return files_.size(); }

private:
    struct File {
        std::string account;
        std::string room;
        std::uint64_t size = 0;
        std::optional<TimePoint> left;  ///< When nobody sent it any more; nothing: it is sent now.
    };

    const Limits* limits_;
    std::map<std::string, File> files_;  ///< By key.
    std::map<std::string, std::uint64_t> bytes_by_room_;
    std::uint64_t bytes_ = 0;
};

}  // namespace quicchat
