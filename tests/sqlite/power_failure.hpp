#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/memory/random.hpp"
#include "sqlite/faulty_disk.hpp"

namespace quicchat::test {

/// What a disk holds for sure, and what it was merely asked to write: fed with operations one by
/// one, it gives images of what may be found after a power failure at that moment.
class PowerFailure {
public:
    /// What becomes of the writes that were not synced.
    enum class Fate { all_lost, some_kept, some_kept_in_disorder, last_one_torn, all_kept };
    static constexpr Fate fates[] = {Fate::all_lost, Fate::some_kept, Fate::some_kept_in_disorder,
                                     Fate::last_one_torn, Fate::all_kept};

    explicit PowerFailure(const DiskFiles& files) {
        for (const auto& [name, bytes] : files) files_[name] = {.bytes = bytes, .durable = true};
    }

    void apply(const DiskOperation& operation) {
        using Kind = DiskOperation::Kind;
        File& file = files_[operation.file];
        switch (operation.kind) {
            case Kind::create:
                file.exists = true;
                return;
            case Kind::write:
            case Kind::truncate:
                file.unsynced.push_back(operation);
                return;
            case Kind::sync:
                for (const DiskOperation& waiting : file.unsynced) change(file.bytes, waiting);
                file.unsynced.clear();
                file.durable = true;
                return;
            case Kind::lose:
                file.unsynced.clear();
                return;
            case Kind::remove:
                if (operation.durable) {
                    files_.erase(operation.file);
                } else {  // what was synced may still be found
                    file.exists = false;
                    file.unsynced.clear();
                }
                return;
        }
    }

    DiskFiles image(Fate fate, memory::Random& random) const {
        DiskFiles found;
        for (const auto& [name, file] : files_) {
            const bool entry_known = file.durable && file.exists;
            const bool entry_kept = fate == Fate::all_lost
                                        ? file.durable
                                        : file.exists || (file.durable && random.chance(50));
            if (!entry_known && !entry_kept) continue;
            std::vector<char> bytes = file.bytes;
            for (const DiskOperation& kept : choose(file.unsynced, fate, random)) {
                change(bytes, kept);
            }
            found[name] = std::move(bytes);
        }
        return found;
    }

private:
    struct File {
        std::vector<char> bytes{};
        std::vector<DiskOperation> unsynced{};
        bool exists = true;
        bool durable = false;  ///< Its name is on the disk.
    };

    static void change(std::vector<char>& bytes, const DiskOperation& operation) {
        if (operation.kind == DiskOperation::Kind::truncate) {
            bytes.resize(operation.offset);
            return;
        }
        const std::size_t end = operation.offset + operation.bytes.size();
        if (bytes.size() < end) bytes.resize(end);
        std::copy(operation.bytes.begin(), operation.bytes.end(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(operation.offset));
    }

    static std::vector<DiskOperation> choose(std::vector<DiskOperation> unsynced, Fate fate,
                                             memory::Random& random) {
        if (unsynced.empty() || fate == Fate::all_kept) return unsynced;
        if (fate == Fate::all_lost) return {};
        if (fate == Fate::last_one_torn) {
            std::vector<char>& bytes = unsynced.back().bytes;
            bytes.resize(static_cast<std::size_t>(random.draw(0, bytes.size() / 512)) * 512);
            return unsynced;
        }
        std::erase_if(unsynced, [&](const DiskOperation&) { return random.chance(40); });
        if (fate == Fate::some_kept_in_disorder) {
            for (std::size_t i = unsynced.size(); i > 1; --i) {
                std::swap(unsynced[i - 1],
                          unsynced[static_cast<std::size_t>(random.draw(0, i - 1))]);
            }
        }
        return unsynced;
    }

    std::map<std::string, File> files_;
};

}  // namespace quicchat::test
