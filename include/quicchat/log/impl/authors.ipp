#pragma once

#include "quicchat/log/authors.hpp"

#include <algorithm>
#include <chrono>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {

QUICCHAT_DECL bool RoomSize::fits(const Retention& retention) const {
    return records <= 1 || (records <= retention.records_max &&
                            static_cast<std::uint64_t>(bytes) <= retention.bytes_max);
}

QUICCHAT_DECL bool is_protected(std::string_view author, WallTime time, const Record& coming,
                                const Retention& retention) {
    return author != coming.author && coming.time - time < retention.age_min;
}

QUICCHAT_DECL void Authors::take(const Step& step) {
    Author& author = authors_[step.author];
    add(author, step.device, step.bytes, step.records);
    if (step.records > 0) author.recent.add(step, 1);
    if (step.kept) author.old[step.device].push_back(*step.kept);
    if (step.forgotten) author.old[step.device].pop_front();
    if (step.records < 0 || step.forgotten) tidy(step);
}

QUICCHAT_DECL void Authors::take_back(const Step& step) {
    Author& author = authors_[step.author];
    if (step.forgotten) author.old[step.device].push_front(*step.forgotten);
    if (step.kept) author.old[step.device].pop_back();
    add(author, step.device, -step.bytes, -step.records);
    if (step.records > 0) author.recent.add(step, -1);
    if (step.records > 0 || step.kept) tidy(step);
}

QUICCHAT_DECL Authors::Step Authors::drop(const std::string& author, const OldId& old,
                                          const DeviceId& device, std::int64_t bytes,
                                          std::size_t ids_max) const {
    Step step{.author = author, .device = device, .bytes = -bytes, .records = -1};
    if (live(author, device) <= ids_max) step.kept = old;
    return step;
}

QUICCHAT_DECL std::optional<Authors::Step> Authors::next_surplus(const std::string& name,
                                                                 const DeviceId& device,
                                                                 std::size_t ids_max) const {
    const auto author = authors_.find(name);
    if (author == authors_.end()) return std::nullopt;
    const auto& old = author->second.old;
    if (old.empty()) return std::nullopt;
    auto chosen = old.find(device);
    const auto live = author->second.live.find(device);
    const std::size_t records = live == author->second.live.end() ? 0 : live->second;
    const bool too_many = chosen != old.end() && chosen->second.size() + records > ids_max;
    if (!too_many && old.size() <= devices_per_account_max) return std::nullopt;
    if (!too_many) chosen = quietest(author->second);
    return Step{.author = name, .device = chosen->first, .forgotten = chosen->second.front()};
}

QUICCHAT_DECL const OldId* Authors::find(const std::string& name, const DeviceId& device,
                                         const MessageId& id, Offset offset) const {
    const auto author = authors_.find(name);
    if (author == authors_.end()) return nullptr;
    const auto old = author->second.old.find(device);
    if (old == author->second.old.end()) return nullptr;
    const auto found = std::ranges::lower_bound(old->second, offset, {}, &OldId::offset);
    const bool is_it = found != old->second.end() && found->offset == offset && found->id == id;
    return is_it ? &*found : nullptr;
}

QUICCHAT_DECL bool Authors::is_hasty(const std::string& name, WallTime now,
                                     const Retention& retention) const {
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

QUICCHAT_DECL void Authors::Recent::add(const Step& step, std::int64_t sign) {
    const std::int64_t hour = hour_of(step.written);
    if (hour > hour_) {
        before_ = hour == hour_ + 1 ? now_ : Amount{};
        now_ = {};
        hour_ = hour;
    }
    now_.first += sign * step.records;
    now_.second += sign * step.bytes;
}

QUICCHAT_DECL std::pair<std::int64_t, std::int64_t> Authors::Recent::at(WallTime time) const {
    const std::int64_t hour = hour_of(time);
    if (hour > hour_ + 1) return {};
    if (hour == hour_ + 1) return now_;
    return {now_.first + before_.first, now_.second + before_.second};
}

QUICCHAT_DECL std::int64_t Authors::Recent::hour_of(WallTime time) {
    return std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count();
}

QUICCHAT_DECL void Authors::add(Author& author, const DeviceId& device, std::int64_t bytes,
                                std::int64_t records) {
    author.bytes += bytes;
    if (records == 0) return;
    author.records += static_cast<std::size_t>(records);
    author.live[device] += static_cast<std::size_t>(records);
}

QUICCHAT_DECL void Authors::tidy(const Step& step) {
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

QUICCHAT_DECL std::size_t Authors::live(const std::string& name, const DeviceId& device) const {
    const auto author = authors_.find(name);
    if (author == authors_.end()) return 0;
    const auto found = author->second.live.find(device);
    return found == author->second.live.end() ? 0 : found->second;
}

QUICCHAT_DECL Authors::Old::const_iterator Authors::quietest(const Author& author) {
    const auto key = [&](const auto& device) {
        return std::pair{author.live.count(device.first) != 0, device.second.back().offset};
    };
    return std::ranges::min_element(author.old, {}, key);
}

}  // namespace quicchat
