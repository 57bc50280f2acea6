#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// How full a room is.
struct RoomSize {
    std::size_t records = 0;
    std::int64_t bytes = 0;

    /// The newest record stays in any case: it was just acknowledged.
    bool fits(const Retention& retention) const {
        return records <= 1 || (records <= retention.records_max &&
                                static_cast<std::uint64_t>(bytes) <= retention.bytes_max);
    }
};

/// Whether a record of that author and time may not be pushed out by the one that comes, if the
/// author of that one writes in haste.
inline bool is_protected(std::string_view author, WallTime time, const Record& coming,
                         const Retention& retention) {
    return author != coming.author && coming.time - time < retention.age_min;
}

/// What is known of a record that retention dropped: enough to recognise it when it is sent again.
struct OldId {
    MessageId id{};
    Offset offset = 0;
    WallTime time{};
    std::uint64_t mark = 0;  ///< Of what was sent, see `mark_of`.
};

/// Who wrote what is in a room's log: how much of it is whose, and the ids whose records are gone,
/// by author and device. It changes by steps that can be taken back, in the opposite order.
class Authors {
public:
    /// A step: what more there is of an author and a device.
    struct Step {
        std::string author;
        DeviceId device{};
        std::int64_t bytes = 0;
        std::int64_t records = 0;
        WallTime written{};                ///< When, of a record that was added.
        std::optional<OldId> kept{};       ///< The newest of the device's ids without a record.
        std::optional<OldId> forgotten{};  ///< The oldest of them.
    };

    void take(const Step& step) {
        Author& author = authors_[step.author];
        add(author, step.device, step.bytes, step.records);
        if (step.records > 0) author.recent.add(step, 1);
        if (step.kept) author.old[step.device].push_back(*step.kept);
        if (step.forgotten) author.old[step.device].pop_front();
        tidy(step);
    }

    void take_back(const Step& step) {
        Author& author = authors_[step.author];
        if (step.forgotten) author.old[step.device].push_front(*step.forgotten);
        if (step.kept) author.old[step.device].pop_back();
        add(author, step.device, -step.bytes, -step.records);
        if (step.records > 0) author.recent.add(step, -1);
        tidy(step);
    }

    /// The step by which a record is dropped. Its id is kept unless the records of the device that
    /// are still there are as many as the ids to be recognised.
    Step drop(const std::string& author, const OldId& old, const DeviceId& device,
              std::int64_t bytes, std::size_t ids_max) const {
        Step step{.author = author, .device = device, .bytes = -bytes, .records = -1};
        if (live(author, device) <= ids_max) step.kept = old;
        return step;
    }

    /// The step by which an id is forgotten: of that device if it has too many, or else of the
    /// author's device that is quiet for longest, if he has too many. Nothing: all is within its
    /// bounds.
    std::optional<Step> next_surplus(const std::string& name, const DeviceId& device,
                                     std::size_t ids_max) const {
        const auto author = authors_.find(name);
        if (author == authors_.end()) return std::nullopt;
        const auto& old = author->second.old;
        auto chosen = old.find(device);
        const bool too_many =
            chosen != old.end() && chosen->second.size() + live(name, device) > ids_max;
        if (!too_many && old.size() <= devices_per_account_max) return std::nullopt;
        if (!too_many) chosen = quietest(author->second);
        return Step{.author = name, .device = chosen->first, .forgotten = chosen->second.front()};
    }

    /// The id of that device that stood at the offset, if the record there is gone.
    const OldId* find(const std::string& name, const DeviceId& device, const MessageId& id,
                      Offset offset) const {
        const auto author = authors_.find(name);
        if (author == authors_.end()) return nullptr;
        const auto old = author->second.old.find(device);
        if (old == author->second.old.end()) return nullptr;
        const auto found = std::ranges::lower_bound(old->second, offset, {}, &OldId::offset);
        const bool is_it = found != old->second.end() && found->offset == offset && found->id == id;
        return is_it ? &*found : nullptr;
    }

    /// Whether more than a quarter of what a room may keep is the author's, and was written in
    /// haste: within the hour of that time and the one before. Who fills a room in days may go on.
    bool is_hasty(const std::string& name, WallTime now, const Retention& retention) const {
        const auto author = authors_.find(name);
        if (author == authors_.end()) return false;
        const auto& [records, bytes] = author->second.recent.at(now);
        const auto is_large = [](auto all, std::int64_t recent, std::size_t max) {
            const auto share = static_cast<std::int64_t>(max / 4);
            return static_cast<std::int64_t>(all) > share && recent > share;
        };
        return is_large(author->second.records, records, retention.records_max) ||
               is_large(author->second.bytes, bytes, retention.bytes_max);
    }

    bool empty() const { return authors_.empty(); }

private:
    /// What an author wrote in the hour of his newest record, and in the one before.
    class Recent {
    public:
        void add(const Step& step, std::int64_t sign) {
            const std::int64_t hour = hour_of(step.written);
            if (hour > hour_) {
                before_ = hour == hour_ + 1 ? now_ : Amount{};
                now_ = {};
                hour_ = hour;
            }
            now_.first += sign * step.records;
            now_.second += sign * step.bytes;
        }

        /// Records and bytes.
        std::pair<std::int64_t, std::int64_t> at(WallTime time) const {
            const std::int64_t hour = hour_of(time);
            if (hour > hour_ + 1) return {};
            if (hour == hour_ + 1) return now_;
            return {now_.first + before_.first, now_.second + before_.second};
        }

    private:
        using Amount = std::pair<std::int64_t, std::int64_t>;

        static std::int64_t hour_of(WallTime time) {
            return std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count();
        }

        std::int64_t hour_ = 0;
        Amount now_{};
        Amount before_{};
    };

    struct Author {
        std::int64_t bytes = 0;
        std::size_t records = 0;
        Recent recent{};
        std::map<DeviceId, std::size_t> live{};  ///< Records of each device.
        std::map<DeviceId, std::deque<OldId>> old{};
    };
    using Old = std::map<DeviceId, std::deque<OldId>>;

    static void add(Author& author, const DeviceId& device, std::int64_t bytes,
                    std::int64_t records) {
        author.bytes += bytes;
        if (records == 0) return;
        author.records += static_cast<std::size_t>(records);
        author.live[device] += static_cast<std::size_t>(records);
    }

    /// Keeps nothing of whom nothing is there.
    void tidy(const Step& step) {
        const auto author = authors_.find(step.author);
        auto& [name, a] = *author;
        if (const auto live = a.live.find(step.device); live != a.live.end() && live->second == 0) {
            a.live.erase(live);
        }
        if (const auto old = a.old.find(step.device); old != a.old.end() && old->second.empty()) {
            a.old.erase(old);
        }
        if (a.live.empty() && a.old.empty()) authors_.erase(author);
    }

    std::size_t live(const std::string& name, const DeviceId& device) const {
        const auto author = authors_.find(name);
        if (author == authors_.end()) return 0;
        const auto found = author->second.live.find(device);
        return found == author->second.live.end() ? 0 : found->second;
    }

    /// Of the devices without a record, or else of all: the one whose newest old id is the oldest.
    static Old::const_iterator quietest(const Author& author) {
        const auto key = [&](const auto& device) {
            return std::pair{author.live.count(device.first) != 0, device.second.back().offset};
        };
        return std::ranges::min_element(author.old, {}, key);
    }

    std::map<std::string, Author> authors_;
};

}  // namespace quicchat
