#pragma once

#include "quicchat/server/files/uploads.hpp"

#include <algorithm>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/files/file_index.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Uploads::Uploads(FileStore& files, Hub& hub, RateLimits& rates,
                                    const Limits& limits)
    : files_(&files), hub_(&hub), rates_(&rates), limits_(&limits), partial_(limits) {}

QUICCHAT_RARE_DECL Errc Uploads::offer(const Caller& caller, StreamId stream, wire::FileOffer m,
                                       TimePoint now) {
    if (!files_->is_offered()) return Errc::unsupported;
    if (caller.connection != program_connection &&
        count_of(uploads_, caller.connection) >= limits_->transfers_per_connection_max) {
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

QUICCHAT_DECL Errc Uploads::data(ConnectionId connection, StreamId stream, wire::FileData m,
                                 TimePoint now) {
    const Place place{connection, stream};
    const auto found = uploads_.find(place);
    if (found == uploads_.end()) return Errc{};  // refused meanwhile; what still comes is of no use
    if (found->second.stage != Stage::receiving) return Errc::unexpected_frame;
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
    if (is_programs(place)) return Errc{};
    const Duration wait = rates_->take_in(upload.user, count, now);
    if (wait > Duration{}) paused_.set(place, now + wait);
    return Errc{};
}

QUICCHAT_DECL bool Uploads::is_busy(ConnectionId connection, StreamId stream) const {
    const Place place{connection, stream};
    const auto found = uploads_.find(place);
    return found != uploads_.end() &&
           (found->second.unwritten >= limits_->file_backlog_bytes_max || paused_.contains(place));
}

QUICCHAT_RARE_DECL void Uploads::finish(ConnectionId connection, StreamId stream) {
    const Place place{connection, stream};
    const auto found = uploads_.find(place);
    if (found == uploads_.end()) return say(place, {}, true);
    Upload& upload = found->second;
    upload.ended = true;
    if (upload.stage == Stage::receiving && upload.received == upload.size) {
        return go_on(place, upload);
    }
    if (upload.stage > Stage::receiving) return;
    if (is_programs(place)) return refuse(place, Errc::file_mismatch);
    say(place, {}, true);  // the rest may come another time
    drop(found);
}

QUICCHAT_RARE_DECL bool Uploads::abandon(ConnectionId connection, StreamId stream) {
    const auto found = uploads_.find({connection, stream});
    if (found == uploads_.end()) return true;
    if (is_programs(found->first) && found->second.stage == Stage::storing) return false;
    drop(found);
    return true;
}

QUICCHAT_RARE_DECL void Uploads::abandon(ConnectionId connection) {
    auto found = uploads_.lower_bound({connection, StreamId{}});
    while (found != uploads_.end() && found->first.first == connection) found = drop(found);
}

QUICCHAT_DECL bool Uploads::step() {
    bool moved = false;
    for (const Place& place : std::exchange(to_step_, {})) {
        const auto found = uploads_.find(place);
        if (found == uploads_.end()) continue;
        if (found->second.stage == Stage::judging) moved |= look_up(place, found->second);
        if (found->second.stage == Stage::announcing) moved |= announce(place);
    }
    return moved;
}

QUICCHAT_DECL bool Uploads::handle(const FileDone& done, TimePoint now) {
    if (done.token == kept_files_token) return partial_.note_found(done.size, now), true;
    if (done.token == dropped_files_token) return partial_.note_dropped(done.size, now), true;
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
        handle_opened(found->first, upload, done);
    } else if (upload.stage == Stage::receiving) {
        go_on(found->first, upload);
    } else if (upload.stage == Stage::finishing) {
        upload.stage = Stage::announcing;
        to_step_.insert(found->first);
    }
    return true;
}

QUICCHAT_RARE_DECL void Uploads::handle_opened(const Place& place, Upload& upload,
                                               const FileDone& done) {
    upload.received = done.size;
    upload.stage = done.complete ? Stage::announcing : Stage::receiving;
    if (done.complete) {
        partial_.note_received(upload.key, done.size);
        to_step_.insert(place);
        return;
    }
    const bool is_new = partial_.claim(upload.key, done.size);
    partial_.note_received(upload.key, done.size);
    if (is_new && !has_space(upload, partial_.more_for(upload.key, upload.size))) {
        if (done.size == 0) {
            files_->remove(upload.key);
            partial_.erase(upload.key);
        }
        return refuse(place, Errc::quota_exceeded);
    }
    if (is_programs(place)) return program_.push_back({place.second, done.size});
    say(place, Bytes{encode(wire::FileReady{upload.request, done.size})}, false);
}

QUICCHAT_DECL void Uploads::handle(FileOutcome outcome) {
    const Place place{outcome.connection, outcome.stream};
    const auto found = uploads_.find(place);
    if (found == uploads_.end()) return;
    Upload& upload = found->second;
    if (outcome.error == Errc{}) {
        partial_.erase(upload.key);
        // It was stored once, and went with its record: that was deleted, or is too old. An Ack
        // would say that it is there.
        const auto kept = hub_->files().find(upload.room, outcome.ack.offset);
        if (kept != upload.key) {
            files_->remove(upload.key);
            return refuse(place, Errc::no_such_file);
        }
        wire::Ack ack = outcome.ack;
        ack.request = upload.request;
        if (is_programs(place)) {
            program_.push_back({place.second, ack});
        } else {
            say(place, Bytes{encode(ack)}, true);
        }
        forget(found);
    } else if (upload.stage == Stage::looking && outcome.error == Errc::no_such_file) {
        upload.stage = Stage::checking;
        const auto& [connection, stream] = place;
        const bool waits =
            !is_programs(place) && hub_->check_file(connection, stream, upload.room, upload.record);
        if (!waits) open(place, upload);
    } else if (upload.stage == Stage::checking && outcome.error == Errc::no_such_file) {
        upload.record = *std::move(outcome.record);
        open(place, upload);
    } else {
        if (is_programs(place)) clear(upload);
        refuse(place, outcome.error, outcome.reason);
    }
}

QUICCHAT_DECL void Uploads::handle_timeout(TimePoint now) {
    while (const auto key = partial_.take_expired(now)) files_->remove(*key);
    if (partial_.take_drop(now)) files_->drop_begun(limits_->upload_expiry);
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

QUICCHAT_DECL std::optional<TimePoint> Uploads::next_deadline() const {
    return earlier(earlier(partial_.next_deadline(), paused_.next()),
                   uploads_.empty() ? std::nullopt : next_look_);
}

QUICCHAT_DECL std::optional<UploadFrame> Uploads::poll_frame() { return pop_front(frames_); }

QUICCHAT_RARE_DECL std::optional<ProgramUpload> Uploads::poll_program() {
    return pop_front(program_);
}

QUICCHAT_DECL std::optional<std::pair<ConnectionId, StreamId>> Uploads::poll_freed() {
    return pop_front(freed_);
}

QUICCHAT_RARE_DECL FileToken Uploads::begin_request(const Place& place) {
    newest_ += 2;  // Downloads has the odd ones
    asked_[newest_] = place;
    return newest_;
}

QUICCHAT_RARE_DECL bool Uploads::look_up(const Place& place, Upload& upload) {
    const Errc errc = hub_->look_up_file(place.first, place.second, upload.room, upload.record);
    if (errc == Errc::queue_full) return to_step_.insert(place), false;  // not yet
    if (errc != Errc{}) return refuse(place, errc), false;
    upload.stage = Stage::looking;
    return true;
}

QUICCHAT_RARE_DECL bool Uploads::has_space(const Upload& upload, std::uint64_t bytes,
                                           std::uint64_t there) const {
    const FileIndex& stored = hub_->files();
    const Limits& l = *limits_;
    const std::string& user = upload.user;
    return partial_.bytes(upload.room) + stored.bytes(upload.room) + bytes <=
               l.files_per_room_bytes_max &&
           partial_.bytes_of(user) + stored.bytes_of(user) + bytes <=
               l.files_per_account_bytes_max &&
           partial_.bytes() + stored.bytes() + bytes <= l.files_bytes_max + there;
}

QUICCHAT_RARE_DECL void Uploads::open(const Place& place, Upload& upload) {
    const std::uint64_t there = std::min(upload.size, partial_.unclaimed());  // perhaps; see below
    if (!partial_.contains(upload.key) && !has_space(upload, upload.size, there)) {
        return refuse(place, Errc::quota_exceeded);
    }
    const auto dropped = partial_.add(upload.key, upload.user, upload.room, upload.size);
    if (!dropped) return refuse(place, Errc::queue_full);
    if (!dropped->empty()) files_->remove(*dropped);
    upload.stage = Stage::opening;
    files_->begin(begin_request(place), upload.key, upload.size);
}

QUICCHAT_DECL void Uploads::go_on(const Place& place, Upload& upload) {
    if (!upload.ended || upload.unwritten > 0 || upload.received != upload.size) return;
    upload.stage = Stage::finishing;
    files_->finish(begin_request(place), upload.key, upload.size, upload.digest);
}

QUICCHAT_RARE_DECL bool Uploads::announce(const Place& place) {
    Upload& upload = uploads_.at(place);
    const Errc errc = hub_->announce_file(place.first, place.second, upload.room, upload.record);
    if (errc == Errc::queue_full) return to_step_.insert(place), false;  // not yet
    if (errc != Errc{}) return refuse(place, errc), false;
    upload.stage = Stage::storing;
    return true;
}

QUICCHAT_RARE_DECL void Uploads::refuse(const Place& place, Errc errc, std::string_view reason) {
    const auto found = uploads_.find(place);
    const RequestId request = found->second.request;
    hub_->refusals().add(errc);
    if (is_programs(place)) {
        program_.push_back({place.second, errc});
        drop(found);
        return;
    }
    say(place, encode_refusal(request, errc, refused_retry_after, reason), true);
    drop(found);
}

QUICCHAT_DECL void Uploads::say(const Place& place, Bytes frame, bool last) {
    frames_.push_back({place.first, place.second, std::move(frame), last});
}

QUICCHAT_RARE_DECL Uploads::Map::iterator Uploads::drop(Map::iterator upload) {
    const Stage stage = upload->second.stage;
    if (is_programs(upload->first) && stage >= Stage::opening && stage < Stage::storing) {
        clear(upload->second);
    } else {
        partial_.leave(upload->second.key, upload->second.touched);
    }
    return forget(upload);
}

QUICCHAT_RARE_DECL void Uploads::clear(const Upload& upload) {
    if (!partial_.contains(upload.key)) return;  // it never began, or was removed before
    files_->remove(upload.key);
    partial_.erase(upload.key);
}

QUICCHAT_RARE_DECL Uploads::Map::iterator Uploads::forget(Map::iterator upload) {
    const auto place = places_.find(upload->second.key);
    if (place != places_.end() && place->second == upload->first) places_.erase(place);
    paused_.erase(upload->first);
    return uploads_.erase(upload);
}

QUICCHAT_RARE_DECL void Uploads::replace_older(const std::string& key) {
    const auto found = places_.find(key);
    if (found != places_.end()) refuse(Place{found->second}, Errc::queue_full);
}

QUICCHAT_RARE_DECL Record Uploads::make_announcement(wire::FileOffer m, const Caller& caller) {
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

}  // namespace quicchat
