#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// How full a room is.
struct RoomSize {
    std::size_t records = 0;  ///< Records in the log.
    std::int64_t bytes = 0;   ///< What they need together, as `Retention` counts it.

    /// The newest record stays in any case: it was just acknowledged.
    bool fits(const Retention& retention) const;
};

/// Whether a record of that author and time may not be pushed out by the one that comes, if the
/// author of that one writes in haste.
QUICCHAT_DECL bool is_protected(std::string_view author, WallTime time, const Record& coming,
                                const Retention& retention);

/// What is known of a record that retention dropped: enough to recognise it when it is sent again.
struct OldId {
    MessageId id{};          ///< Which its sender chose.
    Offset offset = 0;       ///< Where the record stood.
    WallTime time{};         ///< When the server took it.
    std::uint64_t mark = 0;  ///< Of what was sent, see `mark_of`.
};

/// Who wrote what is in a room's log: how much of it is whose, and the ids whose records are gone,
/// by author and device. It changes by steps that can be taken back, in the opposite order.
class Authors {
public:
    /// A step: what more there is of an author and a device.
    struct Step {
        std::string author;                ///< In the spelling of the account.
        DeviceId device{};                 ///< From which he sent.
        std::int64_t bytes = 0;            ///< More bytes of records; below 0: fewer.
        std::int64_t records = 0;          ///< More records: 1, 0 or -1.
        WallTime written{};                ///< When, of a record that was added.
        std::optional<OldId> kept{};       ///< The newest of the device's ids without a record.
        std::optional<OldId> forgotten{};  ///< The oldest of them.
        bool leaves_surplus = false;       ///< One was not enough: see `next_surplus`.
    };

    /// The step must be one that was made for the state of now.
    void take(const Step& step);

    /// The newest that was taken and not taken back.
    void take_back(const Step& step);

    /// The step by which a record is added. If the device then has an id too many, its oldest one
    /// whose record is gone is forgotten.
    Step add(const Record& record, std::int64_t bytes, std::size_t ids_max) const;

    /// The step by which a record is dropped. Its id is kept unless the records of the device that
    /// are still there are as many as the ids to be recognised.
    Step drop(const std::string& author, const OldId& old, const DeviceId& device,
              std::int64_t bytes, std::size_t ids_max) const;

    /// The step by which an id is forgotten: of that device if it has too many, or else of the
    /// author's device that is quiet for longest, if he has too many. Nothing: all is within its
    /// bounds.
    std::optional<Step> next_surplus(const std::string& name, const DeviceId& device,
                                     std::size_t ids_max) const;

    /// The id of that device that stood at the offset, if the record there is gone.
    const OldId* find(const std::string& name, const DeviceId& device, const MessageId& id,
                      Offset offset) const;

    /// Whether more than a quarter of what a room may keep is the author's, and was written in
    /// haste: within the hour of that time and the one before. Who fills a room in days may go on.
    bool is_hasty(const std::string& name, WallTime now, const Retention& retention) const;

    /// Whether nothing is known of anybody.
    bool empty() const { return authors_.empty(); }

    /// What an author wrote in the hour of his newest record, and in the one before.
    struct Recent {
        using Amount = std::pair<std::int64_t, std::int64_t>;  ///< Records and bytes.

        std::int64_t hour = 0;  ///< Of the newest record, since 1970.
        Amount now{};           ///< In that hour.
        Amount before{};        ///< In the one before it.

        /// Counts the records of a step; `sign` is 1, or -1 to take it back.
        void add(const Step& step, std::int64_t sign);

        /// In the hour of that time and in the one before, as far as it is known.
        Amount at(WallTime time) const;

    private:
        static std::int64_t hour_of(WallTime time);
    };

    /// What is there of an author's records.
    struct Share {
        std::string author;                      ///< In the spelling of the account.
        std::int64_t bytes = 0;                  ///< Of all of them.
        Recent recent{};                         ///< What is new of it.
        std::map<DeviceId, std::size_t> live{};  ///< Records of each device.
    };

    /// Of all who have records here. Ids whose records are gone are not in it.
    std::vector<Share> shares() const;

    /// What was there in another life of the room's log. Call before any step.
    void load(Share share);

private:
    struct Author {
        std::int64_t bytes = 0;
        std::size_t records = 0;
        Recent recent{};
        std::map<DeviceId, std::size_t> live{};  ///< Records of each device.
        std::map<DeviceId, std::deque<OldId>> old{};
    };
    using Old = std::map<DeviceId, std::deque<OldId>>;
    /// In an order that is quickly found out.
    struct ShorterFirst {
        bool operator()(const std::string& a, const std::string& b) const {
            if (a.size() != b.size()) return a.size() < b.size();
            return std::memcmp(a.data(), b.data(), a.size()) < 0;
        }
    };
    using ByName = std::map<std::string, Author, ShorterFirst>;

    /// Who was looked for last: several steps in a row are about the same author.
    class Newest {
    public:
        Newest() = default;
        Newest(const Newest&) {}  // it points into another one's map
        Newest(Newest&& other) noexcept { other.author_ = nullptr; }
        Newest& operator=(const Newest&) {
            author_ = nullptr;
            return *this;
        }
        Newest& operator=(Newest&& other) noexcept {
            author_ = other.author_ = nullptr;
            return *this;
        }

        Author* find(const std::string& name) const {
            return author_ != nullptr && author_->first == name ? &author_->second : nullptr;
        }
        void set(ByName::value_type* author) { author_ = author; }

    private:
        ByName::value_type* author_ = nullptr;
    };

    /// nullptr: there is nothing of that author.
    const Author* find(const std::string& name) const;

    Author& at(const std::string& name);

    static void count(Author& author, const DeviceId& device, std::int64_t bytes,
                      std::int64_t records);

    /// Keeps nothing of whom nothing is there. Says whose of the device there are fewer now.
    void tidy(Author& author, const Step& step, bool fewer_live, bool fewer_old);

    static std::size_t live(const Author& author, const DeviceId& device);

    /// Of the devices without a record, or else of all: the one whose newest old id is the oldest.
    static Old::const_iterator quietest(const Author& author);

    mutable ByName authors_;  ///< Only so that `newest_` can be found by a look.
    mutable Newest newest_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/log/impl/authors.ipp"
#endif
