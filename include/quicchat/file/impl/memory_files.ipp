#pragma once

#include "quicchat/file/memory_files.hpp"

namespace quicchat {

template <class Crypto>
void MemoryFiles<Crypto>::begin(FileToken token, const std::string& key, std::uint64_t size) {
    File& file = state_->files[key];
    if (file.bytes.size() > size) resize(file, 0);
    done({.token = token, .size = file.bytes.size(), .complete = file.complete});
}

template <class Crypto>
void MemoryFiles<Crypto>::write(FileToken token, const std::string& key, std::uint64_t offset,
                                Bytes bytes) {
    const auto found = state_->files.find(key);
    if (found == state_->files.end()) return done({token, Errc::no_such_file});
    File& file = found->second;
    if (file.complete || offset > file.bytes.size()) {
        return done({token, Errc::file_mismatch});
    }
    const std::size_t end = static_cast<std::size_t>(offset) + bytes.size();
    if (end > file.bytes.size() && state_->bytes + (end - file.bytes.size()) > state_->bytes_max) {
        return done({token, Errc::storage_full});
    }
    if (end > file.bytes.size()) resize(file, end);
    std::ranges::copy(bytes.view(), file.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    done({.token = token});
}

template <class Crypto>
void MemoryFiles<Crypto>::finish(FileToken token, const std::string& key, std::uint64_t size,
                                 BytesView digest) {
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

template <class Crypto>
void MemoryFiles<Crypto>::read(FileToken token, const std::string& key, std::uint64_t offset,
                               std::size_t count) {
    const auto found = state_->files.find(key);
    if (found == state_->files.end() || !found->second.complete) {
        return done({token, Errc::no_such_file});
    }
    const BytesView all{found->second.bytes};
    const auto from = static_cast<std::size_t>(std::min<std::uint64_t>(offset, all.size()));
    const BytesView part = all.subspan(from, std::min(count, all.size() - from));
    done({.token = token, .bytes = Bytes::copy_of(part)});
}

template <class Crypto>
void MemoryFiles<Crypto>::remove(const std::string& key) {
    const auto found = state_->files.find(key);
    if (found == state_->files.end()) return;
    resize(found->second, 0);
    state_->files.erase(found);
}

template <class Crypto>
void MemoryFiles<Crypto>::keep_only(std::vector<std::string> keys, Duration) {
    std::vector<std::string> gone;
    for (const auto& [key, file] : state_->files) {
        if (file.complete && std::ranges::find(keys, key) == keys.end()) gone.push_back(key);
    }
    for (const std::string& key : gone) remove(key);
    done({.token = kept_files_token, .size = begun()});
}

template <class Crypto>
void MemoryFiles<Crypto>::drop_begun(Duration) {
    done({.token = dropped_files_token, .size = begun()});
}

template <class Crypto>
std::uint64_t MemoryFiles<Crypto>::begun() const {
    std::uint64_t bytes = 0;
    for (const auto& [key, file] : state_->files) bytes += file.complete ? 0 : file.bytes.size();
    return bytes;
}

template <class Crypto>
void MemoryFiles<Crypto>::resize(File& file, std::size_t size) {
    state_->bytes += size;
    state_->bytes -= file.bytes.size();
    file.bytes.resize(size);
    if (size == 0) file.complete = false;
}

}  // namespace quicchat
