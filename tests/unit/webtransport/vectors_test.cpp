#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests_dir.hpp"
#include "unit/webtransport/peer.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace quicchat::webtransport;

namespace {

/// The frame by which a server says that to its page.
Buffer sent_capsule(const nlohmann::json& meaning) {
    const Config config = page_config();
    Session session{config};
    session.handle_data(StreamId{0}, Bytes{request_frame()}, false);
    while (session.poll_action()) {
    }
    if (meaning["capsule"] == "drain") {
        session.drain();
    } else {
        session.close(meaning["code"], std::string{meaning["text"]});
    }
    Buffer last;
    while (auto action = session.poll_action()) {
        if (auto* write = std::get_if<actions::Write>(&*action)) last = std::move(write->bytes);
    }
    return last;
}

}  // namespace

// tests/vectors/webtransport.txt; its head says what the columns mean.
TEST_CASE("requests of the vectors are read and answered", "[webtransport]") {
    std::ifstream file{QUICCHAT_TESTS_DIR "/vectors/webtransport.txt"};
    const Config config{.origins = {"http://127.0.0.1:21999"}};
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        ++count;
        std::istringstream columns{line};
        std::string name, bytes, meaning;
        std::getline(columns, name, '\t');
        std::getline(columns, bytes, '\t');
        std::getline(columns, meaning);
        CAPTURE(name);
        const auto json = nlohmann::json::parse(meaning);
        const Buffer frame = hex(bytes);
        if (json.contains("capsule")) {
            CHECK(sent_capsule(json) == frame);
            continue;
        }

        BytesView section = frame;
        REQUIRE(read_varint(section).value() == codes::frame_headers);
        const std::uint64_t length = read_varint(section).value();
        REQUIRE(length == section.size());
        const auto fields = decode_fields(section);
        Session session{config};
        (void)session.poll_action();  // our SETTINGS
        session.handle_data(StreamId{0}, Bytes{Buffer{frame}}, false);
        std::vector<Action> actions;
        while (auto action = session.poll_action()) actions.push_back(*std::move(action));
        REQUIRE(actions.size() >= 2);  // the bytes were consumed
        if (json.contains("error")) {
            CHECK_FALSE(fields);
            CHECK(std::holds_alternative<actions::Violation>(actions[1]));
            continue;
        }
        REQUIRE(fields);
        for (const auto& [field, value] : *fields) {
            if (!field.empty()) CHECK(json["fields"].value(field, "not there") == value);
        }
        CHECK(fields->size() == json["fields"].size());
        const auto* answer = std::get_if<actions::Write>(&actions[1]);
        REQUIRE(answer != nullptr);
        const unsigned status = json["status"];
        CHECK(answer->fin == (status != 200));
        CHECK(session.is_open() == (status == 200));
        BytesView response = answer->bytes;
        REQUIRE(read_varint(response).value() == codes::frame_headers);
        REQUIRE(read_varint(response).has_value());
        CHECK(decode_fields(response).value().front().second == std::to_string(status));
    }
    CHECK(count >= 20);
}
