#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/file/file_store.hpp"
#include "unit/auth/reference_crypto.hpp"

// What every model of FileStore promises: file/file_store.hpp, one test for each promise.

namespace quicchat::test {

/// A store that is asked one thing at a time. `wait` is called while it has no answer.
template <class Wait>
class FileScene {
public:
    FileScene(FileStore& files, Wait wait) : files_(&files), wait_(wait) {}

    FileDone begin(const std::string& key, std::uint64_t size) {
        files_->begin(++token_, key, size);
        return answer();
    }
    Errc write(const std::string& key, std::uint64_t offset, std::string_view text) {
        files_->write(++token_, key, offset, Bytes::copy_of(as_bytes(text)));
        return answer().error;
    }
    Errc finish(const std::string& key, std::string_view text) {
        const Digest digest = ReferenceCrypto::sha256(as_bytes(text));
        files_->finish(++token_, key, text.size(), digest);
        return answer().error;
    }
    /// How many bytes are left of what was begun.
    std::uint64_t keep_only(std::vector<std::string> keys,
                            Duration age_max = std::chrono::hours{1}) {
        files_->keep_only(std::move(keys), age_max);
        const FileDone done = answer(kept_files_token);
        CHECK(done.error == Errc{});
        return done.size;
    }
    /// The same.
    std::uint64_t drop_begun(Duration age_max = std::chrono::hours{1}) {
        files_->drop_begun(age_max);
        const FileDone done = answer(dropped_files_token);
        CHECK(done.error == Errc{});
        return done.size;
    }
    /// The bytes, or the name of the error.
    std::string read(const std::string& key, std::uint64_t offset, std::size_t count) {
        files_->read(++token_, key, offset, count);
        const FileDone done = answer();
        return done.error == Errc{} ? to_string(done.bytes.view())
                                    : std::string{error_name(done.error)};
    }
    void store(const std::string& key, std::string_view text) {
        CHECK(begin(key, text.size()).error == Errc{});
        if (!text.empty()) CHECK(write(key, 0, text) == Errc{});
        CHECK(finish(key, text) == Errc{});
    }

private:
    FileDone answer() { return answer(token_); }
    FileDone answer(FileToken token) {
        while (true) {
            if (std::optional<FileDone> done = files_->poll_done()) {
                CHECK(done->token == token);
                return *std::move(done);
            }
            wait_();
        }
    }

    FileStore* files_;
    Wait wait_;
    FileToken token_ = 0;
};

template <class Wait>
void check_file_store(FileStore& files, Wait wait) {
    FileScene scene{files, wait};
    REQUIRE(files.is_offered());

    SECTION("a file is read as it was written") {
        scene.store("a", "hello, world");
        CHECK(scene.read("a", 0, 100) == "hello, world");
        CHECK(scene.read("a", 7, 3) == "wor");
        CHECK(scene.read("a", 12, 5).empty());
        CHECK(scene.read("a", 99, 5).empty());
        scene.store("empty", "");
        CHECK(scene.read("empty", 0, 5).empty());
    }
    SECTION("it goes on where it was") {
        CHECK(scene.begin("a", 10).size == 0);
        CHECK(scene.write("a", 0, "01234") == Errc{});
        const FileDone again = scene.begin("a", 10);
        CHECK(again.size == 5);
        CHECK_FALSE(again.complete);
        CHECK(scene.write("a", 5, "56789") == Errc{});
        CHECK(scene.finish("a", "0123456789") == Errc{});
        const FileDone done = scene.begin("a", 10);
        CHECK(done.complete);
        CHECK(done.size == 10);
    }
    SECTION("what is there may be written again") {
        CHECK(scene.begin("a", 4).size == 0);
        CHECK(scene.write("a", 0, "abcd") == Errc{});
        CHECK(scene.write("a", 2, "cd") == Errc{});
        CHECK(scene.finish("a", "abcd") == Errc{});
    }
    SECTION("one that is too long is begun anew") {
        CHECK(scene.begin("a", 10).size == 0);
        CHECK(scene.write("a", 0, "0123456789") == Errc{});
        CHECK(scene.begin("a", 9).size == 0);
    }
    SECTION("a hole is refused") {
        CHECK(scene.begin("a", 10).size == 0);
        CHECK(scene.write("a", 1, "x") == Errc::file_mismatch);
    }
    SECTION("what is not complete cannot be read") {
        CHECK(scene.read("a", 0, 5) == "no_such_file");
        CHECK(scene.begin("a", 5).size == 0);
        CHECK(scene.write("a", 0, "01234") == Errc{});
        CHECK(scene.read("a", 0, 5) == "no_such_file");
    }
    SECTION("another size or digest throws it away") {
        for (const char* text : {"01235", "012345", "0123"}) {
            CHECK(scene.begin("a", 5).size == 0);
            CHECK(scene.write("a", 0, "01234") == Errc{});
            CHECK(scene.finish("a", text) == Errc::file_mismatch);
            CHECK(scene.read("a", 0, 5) == "no_such_file");
        }
        CHECK(scene.begin("a", 5).size == 0);
    }
    SECTION("one that was not begun is none") {
        CHECK(scene.write("a", 0, "x") == Errc::no_such_file);
        CHECK(scene.finish("a", "x") == Errc::no_such_file);
    }
    SECTION("keys are no paths, and each has its own file") {
        const std::string keys[] = {
            "../a", "/etc/passwd", "a/b", std::string{"a\0b", 3}, "a", "", std::string(5000, 'k')};
        for (const std::string& key : keys) scene.store(key, "of " + key);
        for (const std::string& key : keys) CHECK(scene.read(key, 0, 9999) == "of " + key);
    }
    SECTION("a file that was removed is gone, and one that was begun") {
        scene.store("a", "text");
        CHECK(scene.begin("b", 5).size == 0);
        CHECK(scene.write("b", 0, "01") == Errc{});
        files.remove("a");
        files.remove("b");
        files.remove("none");
        CHECK(scene.read("a", 0, 5) == "no_such_file");
        CHECK(scene.begin("b", 5).size == 0);
    }
    SECTION("only those stay that are to be kept") {
        scene.store("a", "text");
        scene.store("b", "text");
        CHECK(scene.begin("c", 5).size == 0);
        CHECK(scene.write("c", 0, "01") == Errc{});
        CHECK(scene.keep_only({"b"}) == 2);
        CHECK(scene.read("a", 0, 5) == "no_such_file");
        CHECK(scene.read("b", 0, 5) == "text");
        CHECK(scene.begin("c", 5).size == 2);
    }
    SECTION("to drop what was begun takes nothing else, and nothing that is new") {
        scene.store("a", "text");
        CHECK(scene.begin("c", 5).size == 0);
        CHECK(scene.write("c", 0, "01") == Errc{});
        CHECK(scene.drop_begun() == 2);
        CHECK(scene.read("a", 0, 5) == "text");
        CHECK(scene.begin("c", 5).size == 2);
    }
}

}  // namespace quicchat::test
