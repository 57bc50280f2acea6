#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "sim/chaos_files.hpp"

namespace quicchat::test {

/// How much space files may have taken, by what the store of files had and was asked to do: as much
/// as the server may have counted, at each time.
class FileSpace {
public:
    FileSpace(const FileDisk& files, const Limits& limits) : files_(&files), limits_(limits) {}

    /// Which limits forbid so many bytes more.
    struct Reasons {
        bool account = false;
        bool room = false;
        bool all = false;

        bool any() const { return account || room || all; }
    };

    /// Call after each turn of the server.
    void look() {
        if (std::exchange(seen_changes_, files_->changes) == files_->changes) return;
        Use use = measure();
        if (!history_.empty() && history_.back().second == use) return;
        history_.emplace_back(files_->now, std::move(use));
    }

    /// Of a file that was offered at that time or later.
    Reasons reasons(const std::string& room, const std::string& account, std::uint64_t size,
                    TimePoint since) const {
        Reasons found;
        for (auto entry = history_.rbegin(); entry != history_.rend(); ++entry) {
            const Use& use = entry->second;
            found.account |= of(use.accounts, account) + size > limits_.files_per_account_bytes_max;
            found.room |= of(use.rooms, room) + size > limits_.files_per_room_bytes_max;
            found.all |= use.all + size > limits_.files_bytes_max;
            if (entry->first < since) break;  // it was so when that time began
        }
        found.account |= size > limits_.files_per_account_bytes_max;
        found.room |= size > limits_.files_per_room_bytes_max;
        found.all |= size > limits_.files_bytes_max;
        return found;
    }

private:
    using Sums = std::map<std::string, std::uint64_t>;
    struct Use {
        Sums rooms;
        Sums accounts;
        std::uint64_t all = 0;

        friend bool operator==(const Use&, const Use&) = default;
    };

    static std::uint64_t of(const Sums& sums, const std::string& name) {
        const auto found = sums.find(name);
        return found == sums.end() ? 0 : found->second;
    }

    Use measure() const {
        struct Bytes {
            std::uint64_t there = 0;
            bool complete = false;
        };
        std::map<std::string, Bytes> files;
        for (const auto& [key, file] : files_->files) {
            files[key] = {file.bytes.size(), file.complete};
        }
        for (const FileDisk::Asked& asked : files_->pending) {
            if (asked.kind == FileDisk::Asked::Kind::begin) files.try_emplace(asked.key);
            if (asked.kind == FileDisk::Asked::Kind::write) {
                files[asked.key].there += asked.bytes.size();
            }
        }
        Use use;
        use.all = files_->found_at_start;
        for (const auto& [key, bytes] : files) {
            const auto size = files_->sizes.find(key);
            std::uint64_t kept = bytes.there;
            if (size != files_->sizes.end() && !bytes.complete) {
                kept = std::min(size->second, kept + limits_.upload_ahead_bytes);
            }
            // "room/epoch/author/device and id"
            const std::size_t id = key.rfind('/');
            const std::size_t author = key.rfind('/', id - 1);
            use.accounts[key.substr(author + 1, id - author - 1)] += kept;
            use.rooms[key.substr(0, key.rfind('/', author - 1))] += kept;
            use.all += kept;
        }
        return use;
    }

    const FileDisk* files_;
    Limits limits_;
    std::uint64_t seen_changes_ = ~std::uint64_t{0};
    std::vector<std::pair<TimePoint, Use>> history_;
};

}  // namespace quicchat::test
