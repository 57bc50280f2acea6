#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/frame_assembler.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "tests_dir.hpp"
#include "unit/wire/random_message.hpp"

using namespace quicchat;
using Json = nlohmann::ordered_json;

namespace {

struct Vector {
    std::string name;
    Buffer bytes;
    Json meaning;
};

/// tests/vectors/frames.txt; its head says what the columns mean.
std::vector<Vector> read_vectors() {
    std::ifstream file{QUICCHAT_TESTS_DIR "/vectors/frames.txt"};
    std::vector<Vector> vectors;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream columns{line};
        std::string name, bytes, meaning;
        std::getline(columns, name, '\t');
        std::getline(columns, bytes, '\t');
        std::getline(columns, meaning);
        vectors.push_back({name, test::hex(bytes), Json::parse(meaning)});
    }
    return vectors;
}

/// Gives the fields of a message the values of a JSON object, in its order; those of objects in it
/// at their place. It has the functions of FieldWriter; that the names belong to the values is
/// checked by tests/test_vectors.py.
class JsonFields {
public:
    explicit JsonFields(const Json& meaning) { add(meaning); }
    void number(std::uint64_t& value) { value = next().get<std::uint64_t>(); }
    void flag(bool& value) { value = next().get<bool>(); }
    template <class Enum>
    void choice(Enum& value, Enum /*last*/) {
        value = static_cast<Enum>(next().get<unsigned>());
    }
    void epoch(Epoch& value) { value = Epoch{std::stoull(next().get<std::string>(), nullptr, 16)}; }
    void time(WallTime& value) {
        value = WallTime{std::chrono::milliseconds{next().get<std::int64_t>()}};
    }
    void id(auto& value) {
        const Buffer bytes = test::hex(next().get<std::string>());
        for (std::size_t i = 0; i < 16; ++i) value.bytes[i] = bytes.at(i);
    }
    void text(std::string& value, std::size_t) { value = next().get<std::string>(); }
    void data(Buffer& value, std::size_t) { value = test::hex(next().get<std::string>()); }
    void texts(std::vector<std::string>& values, std::size_t, std::size_t) {
        values = next().get<std::vector<std::string>>();
    }
    template <class Value, class Fields>
    void list(std::vector<Value>& values, Fields fields) {
        for (const Json& value : next()) {
            JsonFields inner{value};
            fields(inner, values.emplace_back());
            CHECK(inner.done());
        }
    }
    bool done() const { return place_ == values_.size(); }

private:
    void add(const Json& object) {
        for (const auto& [name, value] : object.items()) {
            if (value.is_object()) {
                add(value);
            } else if (name != "frame" && name != "canonical") {
                values_.push_back(value);
            }
        }
    }
    const Json& next() { return values_.at(place_++); }

    std::vector<Json> values_;
    std::size_t place_ = 0;
};

/// The frame that comes out of an assembler, or the error, as a receiver on a stream has it.
std::string error_of(const Buffer& bytes) {
    FrameAssembler assembler{64 * 1024};
    assembler.push(bytes);
    const Result<std::optional<FrameView>> frame = assembler.next();
    if (!frame) return std::string{error_name(to_errc(frame.error()))};
    REQUIRE(*frame);
    const Result<Message> message = decode(**frame);
    if (message) return "none";
    const Errc errc = to_errc(message.error());
    const bool unknown_type = errc == Errc::unknown_frame && may_be_skipped((*frame)->type);
    return unknown_type ? "skipped" : std::string{error_name(errc)};
}

}  // namespace

TEST_CASE("frames mean what tests/vectors/frames.txt says", "[wire]") {
    const std::map<std::string, std::uint64_t> types{{"hello", 0x02},
                                                     {"welcome", 0x04},
                                                     {"login_begin", 0x06},
                                                     {"login_challenge", 0x08},
                                                     {"login_response", 0x0a},
                                                     {"login_done", 0x0c},
                                                     {"error", 0x0e},
                                                     {"goaway", 0x10},
                                                     {"token", 0x12},
                                                     {"join", 0x20},
                                                     {"joined", 0x22},
                                                     {"publish", 0x24},
                                                     {"ack", 0x26},
                                                     {"event", 0x28},
                                                     {"gap", 0x2a},
                                                     {"members_request", 0x2c},
                                                     {"members", 0x2e},
                                                     {"presence", 0x31},
                                                     {"heartbeat", 0x33},
                                                     {"tell", 0x34},
                                                     {"told", 0x36},
                                                     {"create_room", 0x38},
                                                     {"rooms_request", 0x3a},
                                                     {"rooms", 0x3c},
                                                     {"mark_read", 0x3e},
                                                     {"marker", 0x41},
                                                     {"history_request", 0x42},
                                                     {"history_end", 0x44},
                                                     {"typing", 0x47},
                                                     {"search_request", 0x48},
                                                     {"search_end", 0x4a},
                                                     {"set_profile", 0x4c},
                                                     {"profile", 0x4e},
                                                     {"file_offer", 0x50},
                                                     {"file_ready", 0x52},
                                                     {"file_data", 0x54},
                                                     {"file_request", 0x56},
                                                     {"file_head", 0x58}};
    std::set<std::uint64_t> seen;

    for (const auto& [name, bytes, meaning] : read_vectors()) {
        INFO(name);
        if (meaning.contains("error")) {
            CHECK(error_of(bytes) == meaning["error"].get<std::string>());
            continue;
        }
        const FrameView frame = test::view_frame(bytes);
        REQUIRE(frame.type == types.at(meaning["frame"]));
        seen.insert(frame.type);
        const Result<Message> decoded = decode(frame);
        REQUIRE(decoded);
        std::visit(
            [&, &m = meaning, &b = bytes]<class M>(const M& message) {
                M expected;
                JsonFields fields{m};
                quicchat::detail::fields(fields, expected);
                CHECK(fields.done());
                CHECK(message == expected);
                if (!m.contains("canonical"))
                    CHECK(test::to_hex(encode(expected)) == test::to_hex(b));
            },
            *decoded);
    }
    CHECK(seen.size() == std::variant_size_v<Message>);
}
