#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/queue.hpp"
#include "quicchat/file/file_store.hpp"

namespace quicchat {

/// Files in memory, for tests and for servers that keep nothing. `Crypto` has a `sha256`, see
/// ScramCrypto. Models FileStore; copies share the files.
template <class Crypto>
class MemoryFiles : public FileStore {
public:
    /// `bytes_max`: above that there is no room.
    explicit MemoryFiles(std::size_t bytes_max = 64 * 1024 * 1024)
        : state_(std::make_shared<State>()) {
        state_->bytes_max = bytes_max;
    }

    bool is_offered() const override { return true; }

    void begin(FileToken token, const std::string& key, std::uint64_t size) override {
        File& file = state_->files[key];
        if (file.bytes.size() > size) resize(file, 0);
        done({.token = token, .size = file.bytes.size(), .complete = file.complete});
    }

    void write(FileToken token, const std::string& key, std::uint64_t offset,
               Bytes bytes) override {
        const auto found = state_->files.find(key);
        if (found == state_->files.end()) return done({token, Errc::no_such_file});
        File& file = found->second;
        if (file.complete || offset > file.bytes.size()) {
            return done({token, Errc::file_mismatch});
        }
        const std::size_t end = static_cast<std::size_t>(offset) + bytes.size();
        if (end > file.bytes.size() &&
            state_->bytes + (end - file.bytes.size()) > state_->bytes_max) {
            return done({token, Errc::storage_full});
        }
        if (end > file.bytes.size()) resize(file, end);
        std::ranges::copy(bytes.view(), file.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
        done({.token = token});
    }

    void finish(FileToken token, const std::string& key, std::uint64_t size,
                BytesView digest) override {
        const auto found = state_->files.find(key);
        if (found == state_->files.end()) return done({token, Errc::no_such_file});
        const auto hash = Crypto::sha256(found->second.bytes);
        if (found->second.bytes.size() != size || !std::ranges::equal(hash, digest)) {
            remove(key);
            return done({token, Errc::file_mismatch});
        }
        found->second.complete = true;
        done({.token = token});
    }

    void read(FileToken token, const std::string& key, std::uint64_t offset,
              std::size_t count) override {
        const auto found = state_->files.find(key);
        if (found == state_->files.end() || !found->second.complete) {
            return done({token, Errc::no_such_file});
        }
        const BytesView all{found->second.bytes};
        const auto from = static_cast<std::size_t>(std::min<std::uint64_t>(offset, all.size()));
        const BytesView part = all.subspan(from, std::min(count, all.size() - from));
        done({.token = token, .bytes = Bytes::copy_of(part)});
    }

    void remove(const std::string& key) override {
        const auto found = state_->files.find(key);
        if (found == state_->files.end()) return;
        resize(found->second, 0);
        state_->files.erase(found);
    }

    /// What was begun stays: nobody tells it what time it is.
    void keep_only(std::vector<std::string> keys, Duration) override {
        std::vector<std::string> gone;
        for (const auto& [key, file] : state_->files) {
            if (file.complete && std::ranges::find(keys, key) == keys.end()) gone.push_back(key);
        }
        for (const std::string& key : gone) remove(key);
    }

    std::optional<FileDone> poll_done() override { return pop_front(state_->done); }

    // For tests.
    std::size_t size() const { return state_->files.size(); }
    std::size_t bytes() const { return state_->bytes; }
    /// The answers that nobody has asked for: a crash of the server forgets them.
    void forget_answers() { state_->done.clear(); }

private:
    struct File {
        Buffer bytes;
        bool complete = false;
    };
    struct State {
        std::map<std::string, File> files;
        std::deque<FileDone> done;
        std::size_t bytes = 0;
        std::size_t bytes_max = 0;
    };

    void resize(File& file, std::size_t size) {
        state_->bytes += size;
        state_->bytes -= file.bytes.size();
        file.bytes.resize(size);
        if (size == 0) file.complete = false;
    }

    void done(FileDone done) { state_->done.push_back(std::move(done)); }

    std::shared_ptr<State> state_;
};

}  // namespace quicchat
