#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/error.hpp"
#include "quicchat/base/match.hpp"
#include "unit/webtransport/peer.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace quicchat::webtransport;
using namespace std::chrono_literals;

namespace {

std::string number(StreamId stream) { return std::to_string(static_cast<std::uint64_t>(stream)); }

/// The status of an answer, or its bytes.
std::string describe_write(const actions::Write& write) {
    BytesView rest = write.bytes;
    const auto type = read_varint(rest);
    const auto size = type ? read_varint(rest) : type;
    std::string text = "write " + number(write.stream);
    if (size && *type == codes::frame_headers) {
        text =
            "answer " + decode_fields(rest).value().front().second + " on " + number(write.stream);
    }
    return text + (write.fin ? " fin" : "");
}

/// A session with a browser at the other end, whose doings are lines of text.
class Scene {
public:
    explicit Scene(Config config = page_config()) : config_(std::move(config)), session(config_) {}

    /// What the session does about it, but for what it consumes.
    std::vector<std::string> feed(std::uint64_t stream, const Buffer& bytes, bool fin = false) {
        session.handle_data(StreamId{stream}, Bytes{Buffer{bytes}}, fin);
        return news();
    }
    std::vector<std::string> reset(std::uint64_t stream, std::uint64_t code) {
        session.handle_reset(StreamId{stream}, code, now);
        return news();
    }
    std::vector<std::string> pass(Duration time) {
        now += time;
        session.handle_timeout(now);
        return news();
    }
    std::vector<std::string> close(std::uint64_t code, std::string_view reason) {
        session.close(code, reason);
        return news();
    }

    std::vector<std::string> news() {
        std::vector<std::string> all;
        while (auto action = session.poll_action()) {
            if (const auto* consumed = std::get_if<actions::Consume>(&*action)) {
                consumed_[consumed->stream] += consumed->bytes;
                continue;
            }
            all.push_back(describe(*std::move(action)));
        }
        return all;
    }
    std::size_t consumed(std::uint64_t stream) { return consumed_[StreamId{stream}]; }

private:
    std::string describe(Action action) {
        return match(
            std::move(action),
            [&](actions::WriteControl&& a) { return last = a.bytes, std::string{"control"}; },
            [&](actions::Write&& a) { return last = a.bytes, describe_write(a); },
            [](actions::Reset&& a) {
                return "reset " + number(a.stream) + " with " + std::to_string(a.code);
            },
            [](actions::Consume&&) { return std::string{}; },
            [](actions::Violation&& a) { return "violation: " + a.text; },
            [](actions::Established&&) { return std::string{"established"}; },
            [](actions::PageData&& a) {
                return "data " + number(a.stream) + " '" + to_string(a.bytes.view()) + "'" +
                       (a.fin ? " fin" : "");
            },
            [](actions::PageReset&& a) {
                return "page reset " + number(a.stream) + " with " + std::to_string(a.code);
            },
            [](actions::PageClosed&& a) {
                return "page closed with " + std::to_string(a.code) + " '" + a.text + "'";
            });
    }

    Config config_;
    std::map<StreamId, std::size_t> consumed_;

public:
    Session session;
    Buffer last;  ///< Of the last write.
    TimePoint now{std::chrono::seconds{1000}};
};

using Lines = std::vector<std::string>;

/// With a session on stream 0.
Scene open_scene() {
    Scene scene;
    scene.feed(2, control_head());
    REQUIRE(scene.feed(0, request_frame()) == Lines{"answer 200 on 0", "established"});
    return scene;
}

bool is_violation(const Lines& lines) {
    return lines.size() == 1 && lines[0].starts_with("violation: ");
}

}  // namespace

TEST_CASE("a session begins with our SETTINGS", "[webtransport]") {
    Scene scene;
    CHECK(scene.news() == Lines{"control"});
    // A control stream, SETTINGS: 0x08, 0x33 and what four drafts ask for, all 1.
    CHECK(scene.last == hex("00 04 1c 08 01 33 01 ab603742 01 c0000000c671706a 01 94e9cd29 01"
                            "ac7cf000 01"));
    CHECK_FALSE(scene.session.is_open());
}

TEST_CASE("a page's request is answered", "[webtransport]") {
    Scene scene;
    scene.news();

    SECTION("with 200, and then the page is there") {
        CHECK(scene.feed(0, request_frame()) == Lines{"answer 200 on 0", "established"});
        CHECK(scene.session.is_open());
        CHECK(scene.session.origin() == page_origin);
    }
    SECTION("octet by octet, behind frames that mean nothing") {
        const Buffer bytes =
            joined({framed(0x21, text("grease")), framed(0x1000, {}), request_frame()});
        Lines all;
        for (const std::byte octet : bytes) {
            for (std::string& line : scene.feed(0, {octet})) all.push_back(std::move(line));
        }
        CHECK(all == Lines{"answer 200 on 0", "established"});
        CHECK(scene.consumed(0) == bytes.size());
    }
    SECTION("with its own protocol, if it can choose") {
        webtransport::Fields request = page_request();
        request.emplace_back("wt-available-protocols", "\"other\", \"quicchat/1\"");
        scene.feed(0, request_frame(request));
        BytesView rest = scene.last;
        (void)read_varint(rest), (void)read_varint(rest);
        CHECK(find_field(decode_fields(rest).value(), "wt-protocol") == "\"quicchat/1\"");
    }
    SECTION("with 429 if it is the second one") {
        scene.feed(0, request_frame());
        CHECK(scene.feed(4, request_frame()) == Lines{"answer 429 on 4 fin"});
        CHECK(scene.session.is_open());
    }
    SECTION("and another one may follow one that was refused") {
        auto request = page_request();
        request[4].second = "/elsewhere";
        CHECK(scene.feed(0, request_frame(request)) == Lines{"answer 404 on 0 fin"});
        CHECK(scene.feed(4, request_frame()) == Lines{"answer 200 on 4", "established"});
        // Its streams count from the one after.
        CHECK(scene.feed(8, joined({page_head(4), text("x")})) == Lines{"data 0 'x'"});
    }
    SECTION("not for ever") {
        for (std::uint64_t i = 0; i < requests_max; ++i) {
            CHECK(scene.feed(i * 4, request_frame({{":method", "GET"}}), true).size() == 1);
            CHECK(scene.session.streams() == 0);
        }
        CHECK(is_violation(scene.feed(requests_max * 4, request_frame({{":method", "GET"}}))));
    }
    SECTION("with a reset if it ends before it is complete") {
        CHECK(scene.feed(0, Buffer{request_frame().front()}, true) ==
              Lines{"reset 0 with " + std::to_string(codes::request_incomplete)});
        CHECK(scene.feed(4, {}, true) ==
              Lines{"reset 4 with " + std::to_string(codes::request_incomplete)});
        CHECK(scene.session.streams() == 0);
    }
}

TEST_CASE("who may come is a matter of the list", "[webtransport]") {
    const auto comes = [](std::vector<std::string> origins, std::optional<std::string> origin) {
        Scene scene{{.origins = std::move(origins)}};
        auto request = page_request();
        request.pop_back();
        if (origin) request.emplace_back("origin", *origin);
        scene.feed(0, request_frame(request));
        return scene.session.is_open();
    };
    CHECK(comes({"https://a", "https://b"}, "https://b"));
    CHECK_FALSE(comes({"https://a", "https://b"}, "https://c"));
    CHECK_FALSE(comes({"https://a"}, "https://a:443"));
    CHECK_FALSE(comes({"https://a"}, std::nullopt));
    CHECK(comes({"*"}, "https://c"));
    CHECK(comes({"*"}, std::nullopt));
    CHECK_FALSE(comes({}, "https://c"));
}

TEST_CASE("streams of a page", "[webtransport]") {
    Scene scene = open_scene();

    SECTION("are numbered from 0, and lose their heads") {
        CHECK(scene.feed(4, joined({page_head(), text("ab")})) == Lines{"data 0 'ab'"});
        CHECK(scene.feed(4, text("c")) == Lines{"data 0 'c'"});
        CHECK(scene.feed(8, joined({page_head(), text("d")}), true) == Lines{"data 4 'd' fin"});
        CHECK(scene.consumed(4) == page_head().size());  // the rest is for those above to consume
        CHECK(scene.session.outer_stream(StreamId{4}) == StreamId{8});
        CHECK_FALSE(scene.session.outer_stream(StreamId{1}));
        CHECK_FALSE(scene.session.outer_stream(StreamId{varint_max}));
    }
    SECTION("may come in octets, and end with nothing") {
        const Buffer bytes = joined({page_head(), text("a")});
        Lines all;
        for (const std::byte octet : bytes) {
            for (std::string& line : scene.feed(4, {octet})) all.push_back(std::move(line));
        }
        CHECK(all == Lines{"data 0 'a'"});
        CHECK(scene.consumed(4) == page_head().size());
        CHECK(scene.feed(4, {}, true) == Lines{"data 0 '' fin"});
        CHECK(scene.feed(8, page_head(), true) == Lines{"data 4 '' fin"});
    }
    SECTION("are forgotten when they have ended") {
        const std::size_t before = scene.session.streams();
        for (std::uint64_t id = 4; id < 4000; id += 4) scene.feed(id, page_head(), true);
        scene.feed(4000, page_head());
        scene.reset(4000, codes::to_http(1));
        scene.feed(4004, page_head());
        scene.session.forget(StreamId{4000});
        CHECK(scene.session.streams() == before);
        CHECK(scene.session.held_bytes() == 0);
    }
    SECTION("of another session are refused") {
        const std::string gone = std::to_string(codes::session_gone);
        CHECK(scene.feed(8, joined({page_head(4), text("a")})) == Lines{"reset 8 with " + gone});
        CHECK(scene.feed(8, text("more"), true) == Lines{});
        CHECK(scene.consumed(8) == page_head(4).size() + 5);
    }
    SECTION("that the page abandons are told with a code of ours") {
        scene.feed(4, page_head());
        const std::uint64_t code = GENERATE(0ull, 29ull, 30ull, 0xffff'ffffull);
        CHECK(scene.reset(4, codes::to_http(static_cast<std::uint32_t>(code))) ==
              Lines{"page reset 0 with " + std::to_string(code)});
    }
    SECTION("that it abandons with another code are told a little later") {
        scene.feed(4, page_head());
        CHECK(scene.reset(4, codes::request_cancelled) == Lines{});
        CHECK(scene.session.next_deadline() == scene.now + reset_patience);
        CHECK(scene.pass(reset_patience - 1ms) == Lines{});
        CHECK(scene.pass(1ms) == Lines{"page reset 0 with 0"});
        CHECK_FALSE(scene.session.next_deadline());
    }
    SECTION("are not told of if it was the page's end") {
        scene.feed(4, page_head());
        CHECK(scene.reset(4, codes::request_cancelled) == Lines{});
        CHECK(scene.feed(0, {}, true) == Lines{"page closed with 0 ''"});
        CHECK(scene.pass(1s) == Lines{});
    }
    SECTION("must not be unidirectional") {
        CHECK(is_violation(scene.feed(6, varint(codes::page_uni_stream))));
    }
}

TEST_CASE("streams that overtake their request", "[webtransport]") {
    Scene scene;
    scene.news();

    SECTION("wait for it") {
        CHECK(scene.feed(4, joined({page_head(), text("a")})) == Lines{});
        CHECK(scene.feed(8, joined({page_head(), text("x")}), true) == Lines{});
        CHECK(scene.feed(12, joined({page_head(8), text("y")})) == Lines{});
        CHECK(scene.feed(4, text("b")) == Lines{});
        CHECK(scene.feed(0, request_frame()) ==
              Lines{"answer 200 on 0", "established", "data 0 'ab'", "data 4 'x' fin",
                    "reset 12 with " + std::to_string(codes::session_gone)});
        CHECK(scene.feed(4, text("c")) == Lines{"data 0 'c'"});
        CHECK(scene.session.held_bytes() == 0);
        CHECK(scene.consumed(4) == page_head().size());
        CHECK(scene.session.streams() == 3);
    }
    SECTION("have a bound for all of them together") {
        std::uint64_t id = 4;
        Lines lines;
        std::size_t fed = 0;
        for (; lines.empty(); id += 4, fed += 1000) {
            lines = scene.feed(id, joined({page_head(), Buffer(1000)}));
        }
        CHECK(is_violation(lines));
        CHECK(fed <= held_bytes_max + 1000);
        CHECK(scene.session.held_bytes() <= held_bytes_max + 1000);
    }
    SECTION("may be abandoned") {
        scene.feed(4, joined({page_head(), Buffer(1000)}));
        CHECK(scene.reset(4, codes::request_cancelled) == Lines{});
        CHECK(scene.session.held_bytes() == 0);
        CHECK(scene.session.streams() == 0);
    }
}

TEST_CASE("a page ends its session", "[webtransport]") {
    Scene scene = open_scene();
    const Buffer capsule = close_capsule(20, "bye");

    SECTION("with a code and a text, behind capsules that mean nothing") {
        const Buffer all = joined({framed(0x78ae, {}), framed(0x1234567, Buffer(70'000)), capsule});
        CHECK(scene.feed(0, framed(codes::frame_data, all)) == Lines{"page closed with 20 'bye'"});
        CHECK_FALSE(scene.session.is_open());
        CHECK(scene.session.was_established());
    }
    SECTION("in frames of an octet each, in pieces") {
        Lines lines;
        for (const std::byte octet : capsule) {
            const Buffer frame = framed(codes::frame_data, {octet});
            for (const std::byte piece : joined({framed(0x40, {}), frame})) {
                for (std::string& line : scene.feed(0, {piece})) lines.push_back(std::move(line));
            }
        }
        CHECK(lines == Lines{"page closed with 20 'bye'"});
    }
    SECTION("by nothing but the end of its request") {
        CHECK(scene.feed(0, {}, true) == Lines{"page closed with 0 ''"});
    }
    SECTION("by a reset") {
        const auto failed = std::to_string(wire_code(Errc::transport_failed));
        CHECK(scene.reset(0, codes::request_cancelled) == Lines{"page closed with 0 ''"});
        CHECK(open_scene().reset(0, 0x102) == Lines{"page closed with " + failed + " ''"});
    }
    SECTION("once, and nothing comes after") {
        scene.feed(4, page_head());
        scene.feed(0, framed(codes::frame_data, capsule));
        CHECK(scene.feed(4, text("late")) == Lines{});
        CHECK(scene.consumed(4) == page_head().size() + 4);
        CHECK(scene.feed(0, framed(codes::frame_data, capsule), true) == Lines{});
        CHECK(scene.reset(0, 0) == Lines{});
        CHECK(scene.close(7, "") == Lines{});
    }
    SECTION("with no text longer than 1024 bytes") {
        const std::size_t size = GENERATE(1024u, 1025u);
        const Buffer frame = framed(codes::frame_data, close_capsule(1, std::string(size, 'x')));
        CHECK(is_violation(scene.feed(0, frame)) == (size > 1024));
    }
    SECTION("with no code of less than 32 bits") {
        const Buffer shorter = framed(codes::capsule_close_session, hex("000000"));
        CHECK(is_violation(scene.feed(0, framed(codes::frame_data, shorter))));
    }
}

TEST_CASE("we end a session", "[webtransport]") {
    Scene scene = open_scene();
    scene.feed(4, page_head());

    SECTION("with GOAWAY, and a capsule with code and text") {
        scene.session.close(33, "too loud");
        CHECK(scene.news() == Lines{"control", "write 0 fin"});
        CHECK(scene.last == framed(codes::frame_data, close_capsule(33, "too loud")));
        CHECK_FALSE(scene.session.is_open());
        CHECK(scene.feed(4, text("late")) == Lines{});
    }
    SECTION("after it asked the page for that, once") {
        scene.session.drain();
        CHECK(scene.news() == Lines{"control", "write 0"});
        CHECK(scene.last == framed(codes::frame_data, framed(codes::capsule_drain_session, {})));
        CHECK(scene.session.is_open());
        scene.session.drain();
        CHECK(scene.news() == Lines{});
        CHECK(scene.close(33, "") == Lines{"write 0 fin"});
        scene.session.drain();
        CHECK(scene.news() == Lines{});
    }
    SECTION("with a text of 1024 bytes at most, and whole characters") {
        std::string text(1023, 'x');
        scene.close(33, text + "ü");
        CHECK(scene.last == framed(codes::frame_data, close_capsule(33, text)));
    }
    SECTION("and hear when the page has taken note, once") {
        scene.close(33, "");
        CHECK(scene.feed(0, framed(codes::frame_data, close_capsule(0, ""))) == Lines{});
        CHECK(scene.feed(0, {}, true) == Lines{"page closed with 0 ''"});
        CHECK(scene.reset(0, 0) == Lines{});
    }
    SECTION("once") {
        scene.close(33, "");
        CHECK(scene.close(33, "") == Lines{});
    }
    SECTION("but none that is not there") {
        Scene nobody;
        nobody.news();
        CHECK(nobody.close(33, "") == Lines{});
    }
}

TEST_CASE("what is no HTTP/3 ends the connection", "[webtransport]") {
    Scene scene;
    scene.news();
    const auto control = [](const Buffer& frames) { return joined({varint(0), frames}); };

    SECTION("on the control stream") {
        const Buffer settings = framed(codes::frame_settings, {});
        const Buffer frames = GENERATE_COPY(
            framed(codes::frame_goaway, varint(0)),                          // not SETTINGS
            joined({settings, settings}),                                    //
            joined({settings, framed(codes::frame_data, {})}),               //
            joined({settings, framed(codes::frame_headers, {})}),            //
            joined({settings, framed(0x06, {})}),                            // of HTTP/2
            framed(codes::frame_settings, hex("02 01")),                     // the same
            framed(codes::frame_settings, hex("33")),                        // cut
            framed(codes::frame_settings, Buffer(settings_bytes_max + 1)));  // too long
        CHECK(is_violation(scene.feed(2, control(frames))));
        CHECK(scene.feed(0, request_frame()) == Lines{});
    }
    SECTION("which stays") {
        scene.feed(2, control_head());
        SECTION("alone") { CHECK(is_violation(scene.feed(6, control_head()))); }
        SECTION("open") { CHECK(is_violation(scene.feed(2, {}, true))); }
        SECTION("whole") { CHECK(is_violation(scene.reset(2, 0x100))); }
        SECTION("though it may say what we do not need") {
            const Buffer frames = joined({framed(codes::frame_goaway, varint(0)),
                                          framed(0x0d, varint(3)), framed(0xf0700, Buffer(9000))});
            CHECK(scene.feed(2, frames) == Lines{});
            CHECK(scene.feed(0, request_frame()).size() == 2);
        }
    }
    SECTION("on request streams") {
        const Buffer bytes =
            GENERATE(framed(codes::frame_data, {}), framed(codes::frame_settings, {}),
                     framed(codes::frame_goaway, hex("00")), framed(0x09, {}),
                     framed(codes::frame_headers, Buffer(request_bytes_max + 1)),
                     joined({request_frame(), request_frame()}));
        Lines lines = scene.feed(0, bytes);
        REQUIRE_FALSE(lines.empty());
        CHECK(lines.back().starts_with("violation: "));
    }
    SECTION("by a push") { CHECK(is_violation(scene.feed(2, varint(codes::push_stream)))); }
    SECTION("but streams of QPACK and of unknown kinds are no error") {
        CHECK(scene.feed(6, hex("02 3f e1 1f")) == Lines{});
        CHECK(scene.feed(10, hex("03")) == Lines{});
        CHECK(scene.feed(14, joined({varint(0x1234), Buffer(100'000)}), true) == Lines{});
        CHECK(scene.consumed(14) == 100'002);
        CHECK(scene.session.held_bytes() == 0);
    }
}

TEST_CASE("datagrams belong to the session", "[webtransport]") {
    Scene scene;
    const auto payload = [&](std::string_view bytes) {
        const auto found = scene.session.payload_of(Bytes{hex(bytes)});
        return found ? to_string(found->view()) : std::string{"none"};
    };
    CHECK(payload("00 61") == "none");
    scene.feed(0, request_frame({{":method", "GET"}}), true);
    scene.feed(4, request_frame());
    CHECK(scene.session.datagram_head() == hex("01"));
    CHECK(payload("01 61") == "a");
    CHECK(payload("01") == "");
    CHECK(payload("00 61") == "none");
    CHECK(payload("40") == "none");
    CHECK(payload("") == "none");
    scene.close(0, "");
    CHECK(payload("01 61") == "none");
}
