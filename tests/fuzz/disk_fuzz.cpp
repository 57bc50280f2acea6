// Files that a crash, a disk or a meddler left.

#include "partial_files.hpp"
#include "program.hpp"
#include "sqlite_files.hpp"

std::span<const quicchat::test::FuzzTarget> quicchat::test::fuzz_targets() {
    static constexpr FuzzTarget targets[] = {
        {"client_file", fuzz_client_file},
        {"partial_files", fuzz_partial_files},
        {"server_file", fuzz_server_file},
    };
    return targets;
}
