#pragma once

#include "quicchat/server/files/program_files.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Errc ProgramFiles::begin(std::uint64_t ticket, const std::string& author,
                                            wire::FileOffer offer, TimePoint now) {
    if (ending_) return Errc::server_shutdown;
    if (!is_user_name(author)) return Errc::invalid_name;
    if (transfers_.size() >= transfers_max) return Errc::queue_full;
    const Caller caller{program_connection, author};
    const Errc errc = uploads_->offer(caller, stream_of(ticket), std::move(offer), now);
    if (errc == Errc{}) transfers_[ticket].waiting = ticket;
    return errc;
}

QUICCHAT_RARE_DECL Errc ProgramFiles::give(std::uint64_t ticket, std::uint64_t transfer,
                                           Buffer bytes, TimePoint now) {
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end()) return end_of(transfer);
    Transfer& own = found->second;
    if (own.waiting != 0 || bytes.empty() || bytes.size() > piece_bytes_max) {
        return Errc::invalid_request;
    }
    const std::size_t count = bytes.size();
    const Errc errc = uploads_->data(program_connection, stream_of(transfer),
                                     wire::FileData{std::move(bytes)}, now);
    if (errc != Errc{}) return Errc::invalid_request;  // behind the end
    own.waiting = ticket;
    own.gives = true;
    own.next += count;
    settle();  // it may have been refused at once
    const auto still = transfers_.find(transfer);
    if (still != transfers_.end()) go_on(transfer, still->second);
    return Errc{};
}

QUICCHAT_RARE_DECL Errc ProgramFiles::finish(std::uint64_t ticket, std::uint64_t transfer) {
    const auto found = transfers_.find(transfer);
    if (found == transfers_.end()) return end_of(transfer);
    if (found->second.waiting != 0) return Errc::invalid_request;
    found->second.waiting = ticket;
    uploads_->finish(program_connection, stream_of(transfer));
    return Errc{};
}

QUICCHAT_RARE_DECL void ProgramFiles::abandon(std::uint64_t transfer) {
    (void)end_of(transfer);
    if (transfers_.erase(transfer) == 0) return;
    uploads_->abandon(program_connection, stream_of(transfer));
}

QUICCHAT_RARE_DECL Errc ProgramFiles::read(std::uint64_t ticket, std::string_view reader,
                                           const std::string& room, std::pair<Epoch, Offset> file,
                                           std::uint64_t from, std::size_t count) {
    if (ending_) return Errc::server_shutdown;
    if (!files_->is_offered()) return Errc::unsupported;
    if (reads_.size() >= transfers_max) return Errc::queue_full;
    const Result<StoredFile> found = hub_->admin().file(reader, room, file.second);
    if (!found) return to_errc(found.error());
    if (found->epoch != file.first) return Errc::no_such_file;
    if (from >= found->size || count == 0) return Errc::invalid_request;
    ++newest_;
    reads_.emplace(newest_, ticket);
    files_->read(newest_, found->key, from,
                 std::min(count, limits_->file_chunk_bytes_max * std::size_t{4}));
    return Errc{};
}

QUICCHAT_RARE_DECL void ProgramFiles::end() {
    ending_ = true;
    settle();  // what was stored or refused is told so
    std::erase_if(transfers_, [this](const auto& transfer) {
        const auto& [number, own] = transfer;
        if (!uploads_->abandon(program_connection, stream_of(number))) return false;
        if (own.waiting != 0) outcomes_.push_back({own.waiting, Errc::server_shutdown});
        return true;
    });
}

QUICCHAT_DECL void ProgramFiles::settle() {
    while (const std::optional<ProgramUpload> news = uploads_->poll_program()) {
        const auto number = static_cast<std::uint64_t>(news->stream);
        const auto found = transfers_.find(number);
        if (found == transfers_.end()) continue;  // abandoned
        Transfer& own = found->second;
        const std::uint64_t ticket = std::exchange(own.waiting, 0);
        match(
            news->what,
            [&](std::uint64_t offset) {
                own.next = offset;
                outcomes_.push_back({ticket, ProgramFileWanted{offset}});
            },
            [&](const wire::Ack& ack) {
                if (ticket != 0) outcomes_.push_back({ticket, ack});
                transfers_.erase(found);
            },
            [&](Errc errc) {
                if (ticket != 0) outcomes_.push_back({ticket, errc});
                if (ticket == 0) ended_.emplace_back(number, errc);
                if (ended_.size() > ended_max) ended_.pop_front();
                transfers_.erase(found);
            });
    }
}

QUICCHAT_RARE_DECL void ProgramFiles::handle_freed(StreamId stream) {
    const auto found = transfers_.find(static_cast<std::uint64_t>(stream));
    if (found != transfers_.end()) go_on(found->first, found->second);
}

QUICCHAT_RARE_DECL bool ProgramFiles::handle(const FileDone& done) {
    const auto asked = reads_.extract(done.token);
    if (asked.empty()) return false;
    if (done.error != Errc{} || done.bytes.empty()) {
        const Errc errc = done.error == Errc{} ? Errc::no_such_file : done.error;
        outcomes_.push_back({asked.mapped(), errc});
    } else {
        outcomes_.push_back({asked.mapped(), done.bytes});
    }
    return true;
}

QUICCHAT_RARE_DECL Errc ProgramFiles::end_of(std::uint64_t transfer) {
    const auto found = std::ranges::find(ended_, transfer, [](const auto& e) { return e.first; });
    if (found == ended_.end()) return Errc::no_such_file;
    const Errc errc = found->second;
    ended_.erase(found);
    return errc;
}

QUICCHAT_RARE_DECL void ProgramFiles::go_on(std::uint64_t number, Transfer& transfer) {
    if (!transfer.gives || transfer.waiting == 0) return;
    if (uploads_->is_busy(program_connection, stream_of(number))) return;
    transfer.gives = false;
    outcomes_.push_back({std::exchange(transfer.waiting, 0), ProgramFileWanted{transfer.next}});
}

}  // namespace quicchat
