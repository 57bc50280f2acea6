#include "quicchat/base/limits.hpp"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

TEST_CASE("limits that do not fit together are named in words") {
    const auto problem = [](const auto& change) -> std::string {
        Limits limits;
        change(limits);
        const char* found = limits_problem(limits);
        return found == nullptr ? "" : found;
    };
    CHECK(problem([](Limits&) {}).empty());
    CHECK(problem([](Limits& l) { l.message_bytes_max = 60'000; }).find("do not fit a frame") !=
          std::string::npos);
    CHECK(problem([](Limits& l) { l.messages_per_account = {0, 1}; }).find("a rate") == 0);
    CHECK(problem([](Limits& l) { l.markers_per_account = {1, 0}; }).find("a rate") == 0);
    CHECK(problem([](Limits& l) { l.file_chunk_bytes_max = 65'536; }).find("file_chunk") == 0);
    CHECK(problem([](Limits& l) { l.file_chunk_bytes_max = 0; }).find("file_chunk") == 0);
    CHECK(problem([](Limits& l) {
              l.frame_bytes_before_login_max = 100'000;
          }).find("frame_bytes_before") == 0);
    CHECK(problem([](Limits& l) { l.outbox_bytes_max = 1000; }).find("outbox_bytes_max") == 0);
    CHECK(problem([](Limits& l) { l.outbox_bytes_max = 4 << 20; }).find("stored_bytes") == 0);
    CHECK(problem([](Limits& l) {
              l.output_bytes_per_account = {1000, 1000};
          }).find("output_bytes") == 0);
    CHECK(problem([](Limits& l) { l.replies_max = 0; }).find("a limit that must be") == 0);
    CHECK(problem([](Limits& l) { l.unsent_bytes_max = 1000; }).find("unsent_bytes_max") == 0);
    CHECK(problem([](Limits& l) { l.answer_wait = {}; }).find("answer_wait") == 0);
    CHECK(problem([](Limits& l) { l.answer_timeout = l.answer_wait; }).find("answer_wait") == 0);
    CHECK(problem([](Limits& l) { l.strangers_per_prefix_max = 0; }).find("strangers") == 0);
    CHECK(problem([](Limits& l) { l.control_backlog_bytes_max = 1; }).find("stream_backlog") == 0);
}
