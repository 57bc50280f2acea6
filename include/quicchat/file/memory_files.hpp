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

    void begin(FileToken token, const std::string& key, std::uint64_t size) override;

    void write(FileToken token, const std::string& key, std::uint64_t offset, Bytes bytes) override;

    void finish(FileToken token, const std::string& key, std::uint64_t size,
                BytesView digest) override;

    void read(FileToken token, const std::string& key, std::uint64_t offset,
              std::size_t count) override;

    void remove(const std::string& key) override;

    /// What was begun stays: nobody tells it what time it is.
    void keep_only(std::vector<std::string> keys, Duration) override;
    void drop_begun(Duration) override;

    std::optional<FileDone> poll_done() override { return pop_front(state_->done); }

    // For tests.
    /// Files, whether they are complete or not.
    std::size_t size() const { return state_->files.size(); }
    /// What all of them hold.
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

    void resize(File& file, std::size_t size);

    std::uint64_t begun() const;

    void done(FileDone done) { state_->done.push_back(std::move(done)); }

    std::shared_ptr<State> state_;
};

}  // namespace quicchat

#include "quicchat/file/impl/memory_files.ipp"
