// The fuzz targets of files on disk, with every compiler: the corpus, and variations of it.

#include <catch2/catch_test_macros.hpp>

#include "fuzz/partial_files.hpp"
#include "fuzz/replay.hpp"
#include "fuzz/sqlite_files.hpp"

using namespace quicchat;

TEST_CASE("a server's file with damage is refused or works", "[fuzz]") {
    test::run_corpus("server_file", test::fuzz_server_file, 200);
}
TEST_CASE("a client's file with damage is refused or works", "[fuzz]") {
    test::run_corpus("client_file", test::fuzz_client_file, 300);
}
TEST_CASE("a folder of files may be in any state", "[fuzz]") {
    test::run_corpus("partial_files", test::fuzz_partial_files, 3000);
}
