#pragma once

#include "quicchat/log/authors.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

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
    Author& author = at(step.author);
    count(author, step.device, step.bytes, step.records);
    if (step.records > 0) author.recent.add(step, 1);
    if (step.kept) author.old[step.device].push_back(*step.kept);
    if (step.forgotten) author.old[step.device].pop_front();
    tidy(author, step, step.records < 0, step.forgotten.has_value());
}

QUICCHAT_DECL void Authors::take_back(const Step& step) {
    Author& author = at(step.author);
    if (step.forgotten) author.old[step.device].push_front(*step.forgotten);
    if (step.kept) author.old[step.device].pop_back();
    count(author, step.device, -step.bytes, -step.records);
    if (step.records > 0) author.recent.add(step, -1);
    tidy(author, step, step.records > 0, step.kept.has_value());
}

QUICCHAT_DECL Authors::Step Authors::add(const Record& record, std::int64_t bytes,
                                         std::size_t ids_max) const {
    Step step{.author = record.author,
              .device = record.device,
              .bytes = bytes,
              .records = 1,
              .written = record.time};
    const Author* const author = find(record.author);
    if (author == nullptr) return step;
    const auto old = author->old.find(record.device);
    if (old == author->old.end()) return step;
    const std::size_t ids = live(*author, record.device) + 1 + old->second.size();
    if (ids > ids_max) step.forgotten = old->second.front();
    step.leaves_surplus = ids > ids_max + 1;
    return step;
}

QUICCHAT_DECL Authors::Step Authors::drop(const std::string& author, const OldId& old,
                                          const DeviceId& device, std::int64_t bytes,
                                          std::size_t ids_max) const {
    Step step{.author = author, .device = device, .bytes = -bytes, .records = -1};
    const Author* const found = find(author);
    if (found == nullptr || live(*found, device) <= ids_max) step.kept = old;
    return step;
}

QUICCHAT_DECL std::optional<Authors::Step> Authors::next_surplus(const std::string& name,
                                                                 const DeviceId& device,
                                                                 std::size_t ids_max) const {
    const Author* const author = find(name);
    if (author == nullptr || author->old.empty()) return std::nullopt;
    const auto& old = author->old;
    auto chosen = old.find(device);
    const bool too_many =
        chosen != old.end() && chosen->second.size() + live(*author, device) > ids_max;
    if (!too_many && old.size() <= devices_per_account_max) return std::nullopt;
    if (!too_many) chosen = quietest(*author);
    return Step{.author = name, .device = chosen->first, .forgotten = chosen->second.front()};
}

QUICCHAT_DECL const OldId* Authors::find(const std::string& name, const DeviceId& device,
                                         const MessageId& id, Offset offset) const {
    const Author* const author = find(name);
    if (author == nullptr) return nullptr;
    const auto old = author->old.find(device);
    if (old == author->old.end()) return nullptr;
    const auto found = std::ranges::lower_bound(old->second, offset, {}, &OldId::offset);
    const bool is_it = found != old->second.end() && found->offset == offset && found->id == id;
    return is_it ? &*found : nullptr;
}

QUICCHAT_DECL bool Authors::is_hasty(const std::string& name, WallTime now,
                                     const Retention& retention) const {
    const Author* const author = find(name);
    if (author == nullptr) return false;
    const auto& [records, bytes] = author->recent.at(now);
    const auto is_large = [](auto all, std::int64_t recent, std::size_t max) {
        const auto share = static_cast<std::int64_t>(max / 4);
        return static_cast<std::int64_t>(all) > share && recent > share;
    };
    return is_large(author->records, records, retention.records_max) ||
           is_large(author->bytes, bytes, retention.bytes_max);
}

QUICCHAT_DECL std::vector<Authors::Share> Authors::shares() const {
    std::vector<Share> shares;
    for (const auto& [name, author] : authors_) {
        if (!author.live.empty())
            shares.push_back({name, author.bytes, author.recent, author.live});
    }
    return shares;
}

QUICCHAT_DECL void Authors::load(Share share) {
    Author& author = at(share.author);
    author.bytes = share.bytes;
    author.records = 0;
    for (const auto& [device, records] : share.live) author.records += records;
    author.recent = share.recent;
    author.live = std::move(share.live);
}

QUICCHAT_DECL void Authors::Recent::add(const Step& step, std::int64_t sign) {
    const std::int64_t written = hour_of(step.written);
    if (written > hour) {
        before = written == hour + 1 ? now : Amount{};
        now = {};
        hour = written;
    }
    now.first += sign * step.records;
    now.second += sign * step.bytes;
}

QUICCHAT_DECL Authors::Recent::Amount Authors::Recent::at(WallTime time) const {
    const std::int64_t asked = hour_of(time);
    if (asked > hour + 1) return {};
    if (asked == hour + 1) return now;
    return {now.first + before.first, now.second + before.second};
}

QUICCHAT_DECL std::int64_t Authors::Recent::hour_of(WallTime time) {
    return std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count();
}

QUICCHAT_DECL void Authors::count(Author& author, const DeviceId& device, std::int64_t bytes,
                                  std::int64_t records) {
    author.bytes += bytes;
    if (records == 0) return;
    author.records += static_cast<std::size_t>(records);
    author.live[device] += static_cast<std::size_t>(records);
}

QUICCHAT_DECL const Authors::Author* Authors::find(const std::string& name) const {
    if (const Author* const newest = newest_.find(name)) return newest;
    const auto found = authors_.find(name);
    if (found == authors_.end()) return nullptr;
    newest_.set(&*found);
    return &found->second;
}

QUICCHAT_DECL Authors::Author& Authors::at(const std::string& name) {
    if (Author* const newest = newest_.find(name)) return *newest;
    auto& author = *authors_.try_emplace(name).first;
    newest_.set(&author);
    return author.second;
}

QUICCHAT_DECL void Authors::tidy(Author& author, const Step& step, bool fewer_live,
                                 bool fewer_old) {
    if (!fewer_live && !fewer_old) return;
    if (fewer_live) {
        const auto live = author.live.find(step.device);
        if (live != author.live.end() && live->second == 0) author.live.erase(live);
    }
    if (fewer_old) {
        const auto old = author.old.find(step.device);
        if (old != author.old.end() && old->second.empty()) author.old.erase(old);
    }
    if (!author.live.empty() || !author.old.empty()) return;
    newest_.set(nullptr);
    authors_.erase(step.author);
}

QUICCHAT_DECL std::size_t Authors::live(const Author& author, const DeviceId& device) {
    const auto found = author.live.find(device);
    return found == author.live.end() ? 0 : found->second;
}

QUICCHAT_DECL Authors::Old::const_iterator Authors::quietest(const Author& author) {
    const auto key = [&](const auto& device) {
        return std::pair{author.live.count(device.first) != 0, device.second.back().offset};
    };
    return std::ranges::min_element(author.old, {}, key);
}

}  // namespace quicchat
