#include <catch2/catch_test_macros.hpp>

#include "conformance/file_conformance.hpp"
#include "quicchat/file/memory_files.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("files in memory keep the promises of a store", "[file]") {
    MemoryFiles<ReferenceCrypto> files;
    check_file_store(files, [] { FAIL("no answer"); });
}

TEST_CASE("memory for files is bounded", "[file]") {
    MemoryFiles<ReferenceCrypto> files{10};
    FileScene scene{files, [] { FAIL("no answer"); }};
    scene.store("a", "123456");
    CHECK(scene.begin("b", 5).size == 0);
    CHECK(scene.write("b", 0, "12345") == Errc::storage_full);
    CHECK(scene.write("b", 0, "1234") == Errc{});
    CHECK(scene.read("a", 0, 9) == "123456");
    files.remove("a");
    CHECK(scene.write("b", 4, "5") == Errc{});
    CHECK(files.bytes() == 5);
}

TEST_CASE("a server without files offers none", "[file]") {
    NoFiles files;
    CHECK_FALSE(files.is_offered());
    files.begin(1, "a", 5);
    CHECK_FALSE(files.poll_done());
}
