#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/hex.hpp"
#include "quicchat/session/event.hpp"
#include "sim/chaos_file_space.hpp"
#include "sim/chaos_records.hpp"
#include "sim/chaos_witness.hpp"

namespace quicchat::test {

/// Compares the files that devices get with those that were sent, and knows why one may be refused.
class FileJudge {
public:
    struct Content {
        Buffer bytes;
        bool is_honest = true;  ///< Else other bytes are given than were announced.
    };

    FileJudge(const Records& records, const FileDisk& files, const Limits& limits)
        : records_(&records), files_(&files), limits_(limits), space_(files, limits) {}

    TimePoint now() const { return files_->now; }

    /// Call after each turn of the server.
    void look_at_space() { space_.look(); }

    void note_content(const std::string& digest, Content content) {
        contents_.insert_or_assign(digest, std::move(content));
    }
    const Content& content(const std::string& digest) const { return contents_.at(digest); }

    void note_fetch(Witness& w, RequestId request, Witness::Fetch fetch) const {
        const auto room = records_->disk().rooms.find(fetch.key);
        if (room != records_->disk().rooms.end()) {
            fetch.epoch = room->second.epoch;
            fetch.head = room->second.head();
            fetch.was_there = records_->is_live_file(fetch.key, fetch.epoch, fetch.offset);
        }
        w.fetches.insert_or_assign(request, std::move(fetch));
    }

    void on_acked(const Witness::Message& message, const Acked& e) {
        if (message.act.kind != Act::Kind::file) return;
        require(!message.was_gone || records_->is_live_file(message.room, e.epoch, e.offset),
                "a file was acknowledged that had gone");
        require(content(message.act.subject).is_honest,
                "a file was acknowledged that is not what was announced");
        ++stored_;
    }

    /// True for refusals that others than files do not get.
    static bool is_about_files(Errc errc) {
        return errc == Errc::file_too_large || errc == Errc::file_mismatch ||
               errc == Errc::storage_full || errc == Errc::no_such_file ||
               errc == Errc::quota_exceeded || errc == Errc::no_such_room;
    }

    /// Whether one of those may be what comes of a file that is sent.
    void on_send_refused(const Witness& w, const Witness::Message& message, Errc errc) {
        const bool stored = records_->is_there(w, message);
        switch (errc) {
            case Errc::file_too_large:
                require(message.act.value > limits_.file_bytes_max, "too large, and is not");
                break;
            case Errc::file_mismatch:
                require(!content(message.act.subject).is_honest,
                        "a file was refused as another one");
                break;
            case Errc::storage_full:
                require(files_->was_full || records_->disk().was_full, "full, and never was");
                break;
            case Errc::quota_exceeded:
                on_no_space(w, message);
                break;
            case Errc::no_such_file:
                require(records_->was_used(w, message) || records_->was_dropped(w, message, 0),
                        "a file that never was is said to have gone");
                require(!is_live(w, message), "a file that is there is said to have gone");
                return;
            default:
                break;
        }
        const bool once = std::ranges::count(w.sent, message.id, &Witness::Message::id) == 1;
        require(!once || !stored, "a file was refused and stored");
    }

    // What is fetched.

    void on_begun(Witness& w, const FileBegun& e) const {
        const auto found = w.fetches.find(e.request);
        if (found == w.fetches.end()) return;  // cancelled
        Witness::Fetch& fetch = found->second;
        const Record& record = records_->at(fetch.key, e.epoch, fetch.offset);
        require(record.act.kind == Act::Kind::file && e.offset == fetch.offset &&
                    record.text == e.name && record.act.value == e.size &&
                    record.act.subject == encode_hex(e.digest),
                "a file is not what its record says");
        const bool was_gone =
            fetch.epoch == e.epoch && fetch.head >= fetch.offset && !fetch.was_there;
        require(!was_gone, "a file was given although its record had gone");
        if (!fetch.digest.empty() && fetch.digest != record.act.subject) {
            require(records_->is_lost(fetch.key, fetch.begun_epoch), "another file is there now");
            w.fetches.erase(found);  // a program begins anew
            return;
        }
        fetch.digest = record.act.subject;
        fetch.begun_epoch = e.epoch;
    }

    void on_chunk(Witness& w, const FileChunk& e) const {
        const auto found = w.fetches.find(e.request);
        if (found == w.fetches.end()) return;
        Buffer& bytes = found->second.bytes;
        require(e.offset == bytes.size(), "bytes of a file were left out, repeated or mixed");
        append(bytes, e.bytes.view());
        const Buffer& whole = content(found->second.digest).bytes;
        require(
            bytes.size() <= whole.size() && std::equal(bytes.begin(), bytes.end(), whole.begin()),
            "a file has other bytes");
    }

    void on_fetched(Witness& w, const FileFetched& e) {
        const auto found = w.fetches.find(e.request);
        if (found == w.fetches.end()) return;
        const Witness::Fetch& fetch = found->second;
        require(fetch.bytes == content(fetch.digest).bytes, "a file is not whole");
        w.fetches.erase(found);
        ++fetched_;
    }

    /// False: the request is no fetch.
    bool on_refused(Witness& w, const Refused& e) {
        const auto found = w.fetches.find(e.request);
        if (found == w.fetches.end()) return false;
        const Witness::Fetch& fetch = found->second;
        const bool is_there =
            fetch.was_there && records_->is_live_file(fetch.key, fetch.epoch, fetch.offset);
        const RoomModel* model = records_->find_model(fetch.key, fetch.epoch);
        const bool may_be_outside = model != nullptr && model->has_refused();
        const bool continued_elsewhere =
            !fetch.bytes.empty() && records_->is_lost(fetch.key, fetch.begun_epoch);
        switch (e.errc) {
            case Errc::no_such_file:
                require(!is_there, "a file was not given although it is there");
                if (!fetch.digest.empty()) ++cut_short_;
                break;
            case Errc::no_such_room:
            case Errc::no_such_user:
                require(!is_there || may_be_outside, "a room with a file is not there");
                break;
            case Errc::file_mismatch:
            case Errc::invalid_request:
                require(continued_elsewhere, "a file has become another one");
                break;
            case Errc::queue_full:
                require(!fetch.must_come, "a file was not given to who fetches few");
                break;
            default:
                throw Broken{"a file was not given: " + std::string{error_name(e.errc)}};
        }
        w.fetches.erase(found);
        return true;
    }

    std::uint64_t stored() const { return stored_; }
    /// Those that went while they were fetched.
    std::uint64_t cut_short() const { return cut_short_; }
    /// Files that were refused because a room had enough of them, and for no other reason.
    std::uint64_t rooms_full() const { return rooms_full_; }
    /// The same of all files of the server.
    std::uint64_t servers_full() const { return servers_full_; }
    std::uint64_t fetched() const { return fetched_; }

private:
    /// A limit is the reason: what others have elsewhere takes nobody's space.
    void on_no_space(const Witness& w, const Witness::Message& message) {
        const FileSpace::Reasons reasons =
            space_.reasons(message.room, w.user, message.act.value, message.since);
        require(reasons.any(), "no space for a file, and there was");
        if (!reasons.account && !reasons.all) ++rooms_full_;
        if (!reasons.account && !reasons.room) ++servers_full_;
    }

    bool is_live(const Witness& w, const Witness::Message& message) const {
        for (const Records::LiveFile& file : records_->live_files()) {
            if (file.room != message.room || file.record->id != message.id) continue;
            if (file.record->author == w.user && file.record->device == w.device) return true;
        }
        return false;
    }

    const Records* records_;
    const FileDisk* files_;
    Limits limits_;
    FileSpace space_;
    std::map<std::string, Content> contents_;  ///< By digest, in hexadecimal digits.
    std::uint64_t stored_ = 0;
    std::uint64_t fetched_ = 0;
    std::uint64_t cut_short_ = 0;
    std::uint64_t rooms_full_ = 0;
    std::uint64_t servers_full_ = 0;
};

}  // namespace quicchat::test
