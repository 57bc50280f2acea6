#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "sim/town.hpp"

namespace quicchat::test {

inline constexpr std::size_t kib = 1024;

inline TownConfig with_limits(Limits limits) { return {.server = {.limits = limits}}; }

/// Bytes that differ from place to place, and from seed to seed.
inline Buffer make_content(std::size_t size, std::uint64_t seed) {
    Buffer content(size);
    std::uint64_t state = seed * 2 + 1;
    for (std::byte& byte : content) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        byte = static_cast<std::byte>(state >> 56);
    }
    return content;
}

inline FileToSend describe(const Buffer& content, std::string name = "file.bin") {
    const Digest digest = ReferenceCrypto::sha256(content);
    return {.name = std::move(name),
            .size = content.size(),
            .digest = Buffer(digest.begin(), digest.end())};
}

/// A client that sends and fetches files: it answers FileWanted and puts together what comes.
struct Courier {
    struct Fetched {
        Buffer bytes;
        std::optional<FileBegun> begun;
        bool complete = false;
    };

    Town& town;
    Chatter& person;
    std::size_t wanted_max = SIZE_MAX;  ///< Gives at most so many bytes at a time.
    bool gives = true;
    std::map<RequestId, Buffer> sending{};
    std::map<RequestId, Fetched> fetched{};
    std::map<RequestId, Errc> refused{};
    std::map<RequestId, Acked> acked{};
    std::size_t seen = 0;
    std::size_t chunks = 0;

    Result<RequestId> send(const std::string& room, Buffer content, std::string name = "file.bin",
                           std::optional<MessageId> id = std::nullopt) {
        FileToSend file = describe(content, std::move(name));
        const Result<RequestId> request = person.client.send_file(room, std::move(file), id);
        if (request) sending[*request] = std::move(content);
        return request;
    }

    Result<RequestId> fetch(const std::string& room, Offset offset, std::uint64_t from = 0) {
        return person.client.fetch_file(room, offset, from);
    }

    /// Reads what came since the last call, and answers. False: there was nothing.
    bool look() {
        bool moved = false;
        for (; seen < person.events.size(); ++seen) {
            moved = true;
            const ClientEvent event = person.events[seen];  // a copy: answering may add others
            if (const auto* e = std::get_if<FileWanted>(&event)) give(*e);
            if (const auto* e = std::get_if<FileBegun>(&event)) fetched[e->request].begun = *e;
            if (const auto* e = std::get_if<FileFetched>(&event)) {
                fetched[e->request].complete = true;
            }
            if (const auto* e = std::get_if<FileChunk>(&event)) {
                Buffer& bytes = fetched[e->request].bytes;
                CHECK(e->offset == bytes.size());
                append(bytes, e->bytes.view());
                ++chunks;
            }
            if (const auto* e = std::get_if<Refused>(&event)) refused[e->request] = e->errc;
            if (const auto* e = std::get_if<Acked>(&event)) acked.emplace(e->request, *e);
        }
        return moved;
    }

    /// Until nothing happens any more.
    void run() {
        do {
            town.run();
        } while (look());
    }

    /// Sends a file, and gives the offset of its record.
    Offset must_send(const std::string& room, Buffer content, std::string name = "file.bin",
                     std::optional<MessageId> id = std::nullopt) {
        const Result<RequestId> request = send(room, std::move(content), std::move(name), id);
        REQUIRE(request);
        run();
        REQUIRE(acked.count(*request) == 1);
        return acked.at(*request).offset;
    }

    /// What comes of a request to send or to fetch: `Errc{}`, or why not.
    Errc outcome(const Result<RequestId>& request) {
        if (!request) return to_errc(request.error());
        run();
        if (const auto found = refused.find(*request); found != refused.end()) {
            return found->second;
        }
        REQUIRE((acked.count(*request) == 1 || fetched[*request].complete));
        return Errc{};
    }

private:
    void give(const FileWanted& wanted) {
        const auto found = sending.find(wanted.request);
        if (!gives || found == sending.end()) return;
        const BytesView all{found->second};
        const std::size_t left = all.size() - static_cast<std::size_t>(wanted.offset);
        const std::size_t count = std::min({left, wanted.bytes_max, wanted_max});
        // `not_ready`: the connection broke meanwhile, and it will be asked for again.
        (void)person.client.give_file(wanted.request, wanted.offset,
                                      all.subspan(static_cast<std::size_t>(wanted.offset), count));
    }
};

}  // namespace quicchat::test
