#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/base/hex.hpp"
#include "quicchat/quic.hpp"
#include "stack/judge.hpp"

namespace quicchat::test {

/// The files of one client: what it sends and fetches, also over cuts and over its program's ends.
class FileDesk {
public:
    using Draw = std::function<std::uint64_t(std::uint64_t, std::uint64_t)>;

    FileDesk(Truth& truth, Witness& witness, std::string room, Draw draw)
        : truth_(truth), witness_(witness), room_(std::move(room)), draw_(std::move(draw)) {}

    void send(quic::Client& client, MessageId id, std::size_t size_max) {
        auto bytes = Buffer(draw_(0, size_max));
        std::uint64_t state = draw_(1, 1u << 30);
        for (std::byte& byte : bytes) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            byte = static_cast<std::byte>(state >> 56);
        }
        const auto digest = quic::WolfCrypto::sha256(bytes);
        truth_.files_said[id] = {"file" + std::to_string(draw_(0, 99)), std::move(bytes),
                                 Buffer(digest.begin(), digest.end())};
        begin(client, id);
    }

    /// One of those that are there; the largest of so many.
    void fetch(quic::Client& client, int of = 1) {
        if (truth_.announced.empty()) return;
        Offset found = 0;
        for (int i = 0; i < of; ++i) {
            const Offset offset = truth_.announced[draw_(0, truth_.announced.size() - 1)];
            const bool is_larger = found == 0 || size_at(found) < size_at(offset);
            if (is_larger) found = offset;
        }
        begin(client, {.offset = found, .at = truth_.now});
    }

    /// The program has begun anew, and has what it had.
    void go_on(quic::Client& client) {
        for (const auto& [request, id] : std::exchange(sends_, {})) begin(client, id);
        for (auto& [request, fetch] : std::exchange(fetches_, {})) begin(client, std::move(fetch));
    }

    /// True if it is for nobody else.
    bool handle(quic::Client& client, const ClientEvent& event) {
        if (const auto* wanted = std::get_if<FileWanted>(&event)) give(client, *wanted);
        if (const auto* begun = std::get_if<FileBegun>(&event)) handle_begun(*begun);
        if (const auto* chunk = std::get_if<FileChunk>(&event)) {
            handle_chunk(*chunk);
            client.release_file_bytes(chunk->bytes.size());
        }
        if (const auto* fetched = std::get_if<FileFetched>(&event)) handle_fetched(*fetched);
        if (const auto* acked = std::get_if<Acked>(&event)) sends_.erase(acked->request);
        const auto* refused = std::get_if<Refused>(&event);
        return refused != nullptr && begins_again(client, *refused);
    }

    /// Whether all that was asked for has come, of what was asked for before then.
    bool is_done(TimePoint before = TimePoint::max()) const {
        return std::none_of(fetches_.begin(), fetches_.end(),
                            [&](const auto& fetch) { return fetch.second.at < before; });
    }
    std::uint64_t fetched() const { return fetched_; }

private:
    struct Fetch {
        Offset offset = 0;
        TimePoint at{};
        Buffer bytes{};
    };

    void begin(quic::Client& client, MessageId id) {
        const Truth::File& file = truth_.files_said[id];
        const auto request =
            client.send_file(room_, {file.name, file.bytes.size(), file.digest}, id);
        if (!request) return;
        sends_[*request] = id;
        witness_.note_file(*request, id, file.name);
    }
    void begin(quic::Client& client, Fetch fetch) {
        const auto request = client.fetch_file(room_, fetch.offset, fetch.bytes.size());
        if (request) fetches_[*request] = std::move(fetch);
    }

    /// A server lets go of an upload of which nothing came for long: if that was the network's
    /// fault, it goes on where it was.
    bool begins_again(quic::Client& client, const Refused& refused) {
        const auto found = sends_.find(refused.request);
        if (found == sends_.end() || refused.errc != Errc::queue_full) return false;
        if (witness_.is_calm_for(Limits{}.empty_upload_expiry)) return false;
        witness_.forget(refused.request);
        begin(client, sends_.extract(found).mapped());
        return true;
    }

    void give(quic::Client& client, const FileWanted& wanted) {
        const auto found = sends_.find(wanted.request);
        if (found == sends_.end()) truth_.fail("bytes of nothing are wanted");
        const BytesView all{truth_.files_said[found->second].bytes};
        if (wanted.offset > all.size()) truth_.fail("bytes behind a file are wanted");
        const BytesView left = all.subspan(static_cast<std::size_t>(wanted.offset));
        std::size_t count = std::min(left.size(), wanted.bytes_max);
        if (count > 1 && draw_(0, 2) == 0) count = draw_(1, count);
        (void)client.give_file(wanted.request, wanted.offset, left.first(count));
    }

    Fetch& fetch_of(RequestId request) {
        const auto found = fetches_.find(request);
        if (found == fetches_.end()) truth_.fail("something of a file that nobody fetches");
        return found->second;
    }
    const Truth::File& file_at(Offset offset) const {
        return truth_.files_said.at(truth_.entries[offset - 1].id);
    }

    std::size_t size_at(Offset offset) const { return file_at(offset).bytes.size(); }

    void handle_begun(const FileBegun& e) {
        const Fetch& fetch = fetch_of(e.request);
        const Truth::File& file = file_at(fetch.offset);
        if (e.offset != fetch.offset || e.name != file.name || e.size != file.bytes.size() ||
            e.digest != file.digest) {
            truth_.fail("another file than was announced");
        }
    }
    void handle_chunk(const FileChunk& e) {
        Fetch& fetch = fetch_of(e.request);
        if (e.offset != fetch.bytes.size()) truth_.fail("bytes of a file are out of order");
        const BytesView bytes = e.bytes.view();
        fetch.bytes.insert(fetch.bytes.end(), bytes.begin(), bytes.end());
    }
    void handle_fetched(const FileFetched& e) {
        const Fetch fetch = std::move(fetch_of(e.request));
        fetches_.erase(e.request);
        if (fetch.bytes != file_at(fetch.offset).bytes) truth_.fail("a file is not what was sent");
        ++fetched_;
    }

    Truth& truth_;
    Witness& witness_;
    std::string room_;
    Draw draw_;
    std::map<RequestId, MessageId> sends_;
    std::map<RequestId, Fetch> fetches_;
    std::uint64_t fetched_ = 0;
};

}  // namespace quicchat::test
