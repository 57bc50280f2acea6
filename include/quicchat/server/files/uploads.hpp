#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/files/file_index.hpp"
#include "quicchat/server/files/partial_uploads.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/rate_limits.hpp"

namespace quicchat {

/// Something for the stream of an upload, and whether it is the last.
struct UploadFrame {
    ConnectionId connection{};
    StreamId stream{};
    Bytes frame{};
    bool last = false;
};

/// Takes in files for rooms (PROTOCOL.md §6.16): whether they may come, their bytes, and the record
/// that announces them, which is stored only when the file is.
class Uploads {
public:
    Uploads(FileStore& files, Hub& hub, RateLimits& rates, const Limits& limits)
        : files_(&files), hub_(&hub), rates_(&rates), limits_(&limits), partial_(limits) {}

    /// A stream begins with an offer. An error is the answer to it.
    Errc offer(const Caller& caller, StreamId stream, wire::FileOffer m, TimePoint now) {
        if (!files_->is_offered()) return Errc::unsupported;
        const auto own = uploads_.lower_bound({caller.connection, StreamId{}});
        const auto count = std::count_if(own, uploads_.end(), [&](const auto& entry) {
            return entry.first.first == caller.connection;
        });
        if (static_cast<std::size_t>(count) >= limits_->transfers_per_connection_max) {
            return Errc::queue_full;
        }
        const Result<const Room*> room = hub_->room_for_file(caller, m);
        if (!room) return to_errc(room.error());
        Upload upload{.user = std::string{caller.user},
                      .room = (*room)->key(),
                      .request = m.request,
                      .size = m.size,
                      .digest = m.digest,
                      .record = make_announcement(std::move(m), caller)};
        upload.key = file_key(upload.room, (*room)->epoch(), upload.record);
        upload.touched = now;
        replace_older(upload.key);
        const Place place{caller.connection, stream};
        places_[upload.key] = place;
        uploads_.insert_or_assign(place, std::move(upload));
        to_step_.insert(place);
        return Errc{};
    }

    /// The next bytes of a file. An error closes the connection.
    Errc data(ConnectionId connection, StreamId stream, wire::FileData m, TimePoint now) {
        const Place place{connection, stream};
        const auto found = uploads_.find(place);
        if (found == uploads_.end() || found->second.stage != Stage::receiving) {
            return Errc::unexpected_frame;
        }
        Upload& upload = found->second;
        if (m.data.size() > upload.size - upload.received) {
            files_->remove(upload.key);
            partial_.erase(upload.key);
            refuse(place, Errc::file_mismatch);
            return Errc{};
        }
        if (m.data.empty()) return Errc{};
        upload.touched = now;
        const std::size_t count = m.data.size();
        if (!has_space(upload, partial_.more_for(upload.key, upload.received + count))) {
            files_->remove(upload.key);
            partial_.erase(upload.key);
            refuse(place, Errc::quota_exceeded);
            return Errc{};
        }
        const FileToken token = begin_request(place);
        writes_[token] = count;
        files_->write(token, upload.key, upload.received, Bytes{std::move(m.data)});
        upload.unwritten += count;
        upload.received += count;
        partial_.note_received(upload.key, upload.received);
        const Duration wait = rates_->take_in(upload.user, count, now);
        if (wait > Duration{}) paused_.set(place, now + wait);
        return Errc{};
    }

    /// True while so much waits to be written that no more should be read, and while its account
    /// has sent more than it may.
    bool is_busy(ConnectionId connection, StreamId stream) const {
        const Place place{connection, stream};
        const auto found = uploads_.find(place);
        return found != uploads_.end() &&
               (found->second.unwritten >= limits_->file_backlog_bytes_max ||
                paused_.contains(place));
    }

    /// The client has sent all that it will send.
    void finish(ConnectionId connection, StreamId stream) {
        const Place place{connection, stream};
        const auto found = uploads_.find(place);
        if (found == uploads_.end()) return say(place, {}, true);
        Upload& upload = found->second;
        upload.ended = true;
        if (upload.stage == Stage::receiving && upload.received == upload.size) {
            return go_on(place, upload);
        }
        if (upload.stage > Stage::receiving) return;
        say(place, {}, true);  // the rest may come another time
        drop(found);
    }

    /// The stream or its connection is gone. What is stored already is announced all the same: the
    /// client will ask for it again.
    void abandon(ConnectionId connection, StreamId stream) {
        const auto found = uploads_.find({connection, stream});
        if (found != uploads_.end()) drop(found);
    }
    void abandon(ConnectionId connection) {
        auto found = uploads_.lower_bound({connection, StreamId{}});
        while (found != uploads_.end() && found->first.first == connection) found = drop(found);
    }

    /// Goes on with what had to wait for others. True if something was asked of the log or the
    /// files.
    bool step() {
        bool moved = false;
        for (const Place& place : std::exchange(to_step_, {})) {
            const auto found = uploads_.find(place);
            if (found == uploads_.end()) continue;
            if (found->second.stage == Stage::judging) moved |= look_up(place, found->second);
            if (found->second.stage == Stage::announcing) moved |= announce(place);
        }
        return moved;
    }

    /// The store of files has answered one of our requests. False: it was not ours.
    bool handle(const FileDone& done, TimePoint now) {
        const auto asked = asked_.extract(done.token);
        if (asked.empty()) return false;
        const auto written = writes_.extract(done.token);
        const auto found = uploads_.find(asked.mapped());
        if (found == uploads_.end()) return true;
        Upload& upload = found->second;
        upload.touched = now;
        if (!written.empty()) {
            // Whether it was busy before is not asked: the limit may have changed meanwhile.
            upload.unwritten -= written.mapped();
            if (upload.unwritten < limits_->file_backlog_bytes_max) freed_.push_back(found->first);
        }
        if (done.error != Errc{}) {
            const bool is_gone = upload.stage == Stage::finishing ||
                                 done.error == Errc::storage_full;  // the store gave its room back
            if (is_gone) partial_.erase(upload.key);
            return refuse(found->first, done.error), true;
        }
        if (upload.stage == Stage::opening) {
            upload.received = done.size;
            partial_.note_received(upload.key, done.size);
            upload.stage = done.complete ? Stage::announcing : Stage::receiving;
            if (done.complete) to_step_.insert(found->first);
            if (!done.complete) {
                say(found->first, Bytes{encode(wire::FileReady{upload.request, done.size})}, false);
            }
        } else if (upload.stage == Stage::receiving) {
            go_on(found->first, upload);
        } else if (upload.stage == Stage::finishing) {
            upload.stage = Stage::announcing;
            to_step_.insert(found->first);
        }
        return true;
    }

    /// The log has answered: it has the record already, or has it now, or refuses it. Or the
    /// server's program has.
    void handle(FileOutcome outcome) {
        const Place place{outcome.connection, outcome.stream};
        const auto found = uploads_.find(place);
        if (found == uploads_.end()) return;
        Upload& upload = found->second;
        if (outcome.error == Errc{}) {
            partial_.erase(upload.key);
            // The record may be there without its file: it was deleted, or the file is from before.
            const auto kept = hub_->files().find(upload.room, outcome.ack.offset);
            if (kept != upload.key) files_->remove(upload.key);
            wire::Ack ack = outcome.ack;
            ack.request = upload.request;
            say(place, Bytes{encode(ack)}, true);
            forget(found);
        } else if (upload.stage == Stage::looking && outcome.error == Errc::no_such_file) {
            upload.stage = Stage::checking;
            const auto& [connection, stream] = place;
            const bool waits = hub_->check_file(connection, stream, upload.room, upload.record);
            if (!waits) open(place, upload);
        } else if (upload.stage == Stage::checking && outcome.error == Errc::no_such_file) {
            upload.record = *std::move(outcome.record);
            open(place, upload);
        } else {
            refuse(place, outcome.error, outcome.reason);
        }
    }

    /// Drops what was begun and never finished, and offers whose bytes do not come.
    void handle_timeout(TimePoint now) {
        while (const auto key = partial_.take_expired(now)) files_->remove(*key);
        while (const auto place = paused_.take_due(now)) freed_.push_back(*place);
        if (uploads_.empty() || (next_look_ && now < *next_look_)) return;
        next_look_ = now + look_period;
        std::vector<Place> silent;
        for (const auto& [place, upload] : uploads_) {
            const bool waits = upload.stage == Stage::receiving && upload.unwritten == 0;
            if (waits && now >= upload.touched + limits_->empty_upload_expiry) {
                silent.push_back(place);
            }
        }
        for (const Place& place : silent) refuse(place, Errc::queue_full);
    }
    std::optional<TimePoint> next_deadline() const {
        return earlier(earlier(partial_.next_deadline(), paused_.next()),
                       uploads_.empty() ? std::nullopt : next_look_);
    }

    std::optional<UploadFrame> poll_frame() { return pop_front(frames_); }

    /// A stream that was busy and is not any more: read on.
    std::optional<std::pair<ConnectionId, StreamId>> poll_freed() { return pop_front(freed_); }

    std::size_t size() const { return uploads_.size(); }

private:
    using Place = std::pair<ConnectionId, StreamId>;

    /// In this order, `judging` and `announcing` when nobody's role in the room is being changed.
    enum class Stage : std::uint8_t {
        judging,     ///< May it come?
        looking,     ///< Is it there already?
        checking,    ///< What does the server's program say of its name?
        opening,     ///< How much of it is there?
        receiving,   ///< Its bytes come.
        finishing,   ///< Are they the right ones? Make them safe.
        announcing,  ///< May it still come?
        storing,     ///< The record is on its way to the log.
    };

    struct Upload {
        std::string user;
        std::string room;  ///< The key of its log.
        RequestId request = 0;
        std::uint64_t size = 0;
        Buffer digest;
        Record record;
        std::string key{};
        Stage stage = Stage::judging;
        std::uint64_t received = 0;  ///< Bytes from the beginning.
        std::size_t unwritten = 0;   ///< Of them, what the store has not answered.
        bool ended = false;          ///< The client has sent all.
        TimePoint touched{};
    };
    using Map = std::map<Place, Upload>;

    FileToken begin_request(const Place& place) {
        newest_ += 2;  // Downloads has the odd ones
        asked_[newest_] = place;
        return newest_;
    }

    bool look_up(const Place& place, Upload& upload) {
        const Errc errc = hub_->look_up_file(place.first, place.second, upload.room, upload.record);
        if (errc == Errc::queue_full) return to_step_.insert(place), false;  // not yet
        if (errc != Errc{}) return refuse(place, errc), false;
        upload.stage = Stage::looking;
        return true;
    }

    /// Whether so many bytes more than are kept for the upload fit.
    bool has_space(const Upload& upload, std::uint64_t bytes) const {
        const FileIndex& stored = hub_->files();
        const Limits& l = *limits_;
        const std::string& user = upload.user;
        return partial_.bytes(upload.room) + stored.bytes(upload.room) + bytes <=
                   l.files_per_room_bytes_max &&
               partial_.bytes_of(user) + stored.bytes_of(user) + bytes <=
                   l.files_per_account_bytes_max &&
               partial_.bytes() + stored.bytes() + bytes <= l.files_bytes_max;
    }

    void open(const Place& place, Upload& upload) {
        if (!partial_.contains(upload.key) && !has_space(upload, upload.size)) {
            return refuse(place, Errc::quota_exceeded);
        }
        const auto dropped = partial_.add(upload.key, upload.user, upload.room, upload.size);
        if (!dropped) return refuse(place, Errc::queue_full);
        if (!dropped->empty()) files_->remove(*dropped);
        upload.stage = Stage::opening;
        files_->begin(begin_request(place), upload.key, upload.size);
    }

    /// All bytes have come, or more are wanted.
    void go_on(const Place& place, Upload& upload) {
        if (!upload.ended || upload.unwritten > 0 || upload.received != upload.size) return;
        upload.stage = Stage::finishing;
        files_->finish(begin_request(place), upload.key, upload.size, upload.digest);
    }

    bool announce(const Place& place) {
        Upload& upload = uploads_.at(place);
        const Errc errc =
            hub_->announce_file(place.first, place.second, upload.room, upload.record);
        if (errc == Errc::queue_full) return to_step_.insert(place), false;  // not yet
        if (errc != Errc{}) return refuse(place, errc), false;
        upload.stage = Stage::storing;
        return true;
    }

    void refuse(const Place& place, Errc errc, std::string_view reason = {}) {
        const auto found = uploads_.find(place);
        const RequestId request = found->second.request;
        say(place, encode_refusal(request, errc, refused_retry_after, reason), true);
        drop(found);
    }

    void say(const Place& place, Bytes frame, bool last) {
        frames_.push_back({place.first, place.second, std::move(frame), last});
    }

    Map::iterator drop(Map::iterator upload) {
        partial_.leave(upload->second.key, upload->second.touched);
        return forget(upload);
    }

    Map::iterator forget(Map::iterator upload) {
        const auto place = places_.find(upload->second.key);
        if (place != places_.end() && place->second == upload->first) places_.erase(place);
        paused_.erase(upload->first);
        return uploads_.erase(upload);
    }

    /// A client that lost its connection may be back before we noticed.
    void replace_older(const std::string& key) {
        const auto found = places_.find(key);
        if (found != places_.end()) refuse(Place{found->second}, Errc::queue_full);
    }

    static Record make_announcement(wire::FileOffer m, const Caller& caller) {
        return {m.id,
                caller.device,
                std::string{caller.user},
                std::move(m.name),
                std::move(m.attributes),
                {},
                Act{.kind = Act::Kind::file,
                    .target = m.reply_to,
                    .subject = encode_hex(m.digest),
                    .value = m.size}};
    }

    FileStore* files_;
    Hub* hub_;
    RateLimits* rates_;
    const Limits* limits_;
    /// How often those that are under way are looked at.
    static constexpr Duration look_period = std::chrono::seconds{10};

    Map uploads_;
    DeadlineQueue<Place> paused_;          ///< Those that wait for their account's rate.
    std::set<Place> to_step_;              ///< Those that `step` may bring further.
    std::map<std::string, Place> places_;  ///< By key.
    std::optional<TimePoint> next_look_;
    PartialUploads partial_;
    std::map<FileToken, Place> asked_;
    std::map<FileToken, std::size_t> writes_;  ///< Bytes of each write under way.
    FileToken newest_ = 0;
    std::deque<UploadFrame> frames_;
    std::deque<Place> freed_;
};

}  // namespace quicchat
