#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {

/// The files that somebody has begun to send and not finished, and the space that is kept for them:
/// what has come of a file, and a little ahead of that while it is sent. An offer alone keeps
/// hardly anything, and not for long.
class PartialUploads {
public:
    /// `limits` outlives it.
    explicit PartialUploads(const Limits& limits);

    /// Whether that file is begun, be it sent now or left.
    bool contains(const std::string& key) const { return files_.count(key) != 0; }

    /// Somebody sends a file now, for the first time or again. If that account has too many begun,
    /// the one that was left for longest makes room: its key, which is to be removed, or an empty
    /// one. Nothing: none of them was left.
    std::optional<std::string> add(const std::string& key, std::string_view user,
                                   const std::string& room, std::uint64_t size);

    /// How much more space is to be kept once so much of the file has come.
    std::uint64_t more_for(const std::string& key, std::uint64_t received) const;

    /// So much of the file has come. The caller has seen to it that there is space.
    void note_received(const std::string& key, std::uint64_t received);

    /// Nobody sends it any more, for now. Only what has come of it takes space then.
    void leave(const std::string& key, TimePoint now);

    /// So many bytes lay there when the server began, begun before that and of nobody yet.
    void note_found(std::uint64_t bytes, TimePoint now);

    /// So many bytes are there of all that was begun, after the old ones were dropped.
    void note_dropped(std::uint64_t bytes, TimePoint now);

    /// True, once, when what was begun before the server was, and of nobody yet, is old by now: it
    /// is to be dropped.
    bool take_drop(TimePoint now);

    /// Some of them are those of this file. True if it is asked for the first time.
    bool claim(const std::string& key, std::uint64_t bytes);
    /// Bytes that were begun before the server was and that nobody went on with.
    std::uint64_t unclaimed() const { return unclaimed_; }

    /// It is finished, or gone.
    void erase(const std::string& key);

    /// The key of one that nobody went on with in time.
    std::optional<std::string> take_expired(TimePoint now);

    /// When `take_drop` or `take_expired` may have something.
    std::optional<TimePoint> next_deadline() const { return earlier(expiries_.next(), next_drop_); }

    /// The space that is kept for those of a room, of an account, and of all with `unclaimed`.
    /// @{
    std::uint64_t bytes(const std::string& room) const { return find(bytes_by_room_, room); }
    std::uint64_t bytes_of(std::string_view user) const;
    std::uint64_t bytes() const { return bytes_ + unclaimed_; }
    /// @}

    /// Files, but for those that were begun before the server was and not gone on with.
    std::size_t size() const { return files_.size(); }

private:
    using Bytes = std::map<std::string, std::uint64_t>;

    struct File {
        std::string account;
        std::string room;
        std::uint64_t size = 0;
        std::uint64_t received = 0;
        bool claimed = false;
        std::uint64_t kept = 0;           ///< The space that is kept for it.
        std::optional<TimePoint> left{};  ///< When nobody sent it any more; nothing: it is sent.
    };

    std::uint64_t ahead_of(const File& file) const;

    void keep(File& file, std::uint64_t bytes);

    const std::string* oldest_left(const std::set<std::string>& keys) const;

    static std::uint64_t find(const Bytes& sums, const std::string& key);

    const Limits* limits_;
    std::map<std::string, File> files_;  ///< By key.
    std::map<std::string, std::set<std::string>> keys_by_account_;
    DeadlineQueue<std::string> expiries_;  ///< Of those that were left.
    Bytes bytes_by_room_;
    Bytes bytes_by_account_;
    std::uint64_t bytes_ = 0;
    std::uint64_t unclaimed_ = 0;           ///< Begun before the server was, and of nobody yet.
    std::optional<TimePoint> next_drop_{};  ///< When that is old.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/files/impl/partial_uploads.ipp"
#endif
