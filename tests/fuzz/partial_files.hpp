#pragma once

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "input.hpp"
#include "quicchat/disk/file_worker.hpp"
#include "sqlite_files.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// A folder of files in any state that a crash, a full disk or a meddler leaves: begun and complete
/// files of any bytes. A server's orders about them end as in a model that is a map.
class PartialFilesFuzz {
public:
    explicit PartialFilesFuzz(std::string path) : path_(std::move(path)) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directory(path_);
    }

    void run(BytesView bytes) {
        FuzzInput input{bytes};
        for (std::uint8_t left = input.octet() % 8; left > 0; --left) leave_something(input);
        disk::FolderConfig config;
        config.sync = false;
        config.space = [](int) { return std::optional<disk::Space>{}; };
        disk::FileWorker<ReferenceCrypto> worker{
            OwnedFd{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}, as_bytes(secret),
            config};
        while (!input.empty()) order(worker, input);
    }

private:
    static constexpr std::string_view secret = "a secret of enough bytes";

    struct File {
        std::optional<std::string> part{};
        std::optional<std::string> complete{};
    };

    std::string name_of(const std::string& key) const {
        return path_ + "/" +
               encode_hex(ReferenceCrypto::hmac_sha256(as_bytes(secret), as_bytes(key)));
    }

    static std::string key_of(std::uint8_t order) { return std::string(1, "ab"[order % 2]); }

    void leave_something(FuzzInput& input) {
        const std::uint8_t what = input.octet();
        const std::string key = key_of(what);
        const std::string text{as_text(input.take(input.octet()))};
        std::string name = name_of(key);
        File& file = files_[key];
        if (what / 2 % 8 == 0) {
            name += "~";  // of somebody else
        } else if (what / 2 % 2 == 0) {
            file.complete = text;
        } else {
            name += ".part";
            file.part = text;
        }
        std::ofstream{name, std::ios::binary | std::ios::trunc} << text;
    }

    void order(disk::FileWorker<ReferenceCrypto>& worker, FuzzInput& input) {
        const std::uint8_t what = input.octet();
        const std::string key = key_of(what);
        File& file = files_[key];
        switch (what / 2 % 8) {
            case 0:
            case 1:
                return begin(worker, key, file, input.octet());
            case 2:
            case 3: {
                const std::size_t offset = input.octet();
                const std::string bytes{as_text(input.take(input.octet()))};
                return write(worker, key, file, offset, bytes);
            }
            case 4:
            case 5:
                return finish(worker, key, file, input.octet());
            case 6: {
                const std::size_t offset = input.octet();
                const std::size_t count = input.octet();
                const FileDone done = worker.read(1, key, offset, count);
                if (!file.complete) return must(done.error == Errc::no_such_file);
                const std::size_t begin = std::min(offset, file.complete->size());
                return must(as_text(done.bytes.view()) == file.complete->substr(begin, count));
            }
            case 7:
                if (what >= 128) return keep_only(worker, key);
                worker.remove(key);
                file = {};
        }
    }

    void begin(disk::FileWorker<ReferenceCrypto>& worker, const std::string& key, File& file,
               std::uint64_t size) {
        const FileDone done = worker.begin(1, key, size);
        must(done.error == Errc{});
        if (file.complete && file.complete->size() == size) return must(done.complete);
        file.complete.reset();
        if (!file.part || file.part->size() > size) file.part = "";
        must(!done.complete && done.size == file.part->size());
    }

    void write(disk::FileWorker<ReferenceCrypto>& worker, const std::string& key, File& file,
               std::size_t offset, const std::string& bytes) {
        const FileDone done = worker.write(1, key, offset, as_bytes(bytes));
        if (!file.part) return must(done.error == Errc::no_such_file);
        if (offset > file.part->size()) return must(done.error == Errc::file_mismatch);
        must(done.error == Errc{});
        file.part->replace(offset, std::min(bytes.size(), file.part->size() - offset), bytes);
    }

    void finish(disk::FileWorker<ReferenceCrypto>& worker, const std::string& key, File& file,
                std::uint8_t how) {
        const std::string text = file.part.value_or("");
        const std::size_t size = text.size() + (how % 4 == 3 ? 1 : 0);
        Digest digest = ReferenceCrypto::sha256(as_bytes(text));
        if (how % 4 == 2) digest[how / 4 % 32] ^= std::byte{1};
        const FileDone done = worker.finish(1, key, size, digest);
        if (!file.part) return must(done.error == Errc::no_such_file);
        file.part.reset();
        if (how % 4 >= 2) return must(done.error == Errc::file_mismatch);
        must(done.error == Errc{});
        file.complete = text;
    }

    void keep_only(disk::FileWorker<ReferenceCrypto>& worker, const std::string& key) {
        const FileDone done = worker.keep_only({key}, std::chrono::hours{1});
        std::size_t begun = 0;
        for (auto& [name, file] : files_) {
            if (name != key) file.complete.reset();
            begun += file.part ? file.part->size() : 0;
        }
        must(done.token == kept_files_token && done.size == begun);
    }

    std::string path_;
    std::map<std::string, File> files_;
};

inline void fuzz_partial_files(BytesView bytes) {
    static const FuzzFolder folder;
    PartialFilesFuzz{folder.file("files")}.run(bytes);
}

}  // namespace quicchat::test
