#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "quicchat/webtransport/transport.hpp"
#include "support/printers.hpp"
#include "unit/webtransport/peer.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

constexpr ConnectionId native{1};
constexpr ConnectionId web{2};

/// What a transport with HTTP/3 below was asked, for both kinds of connections.
struct Below {
    std::deque<TransportEvent> events{};
    std::map<std::pair<ConnectionId, StreamId>, Buffer> written{};
    std::map<std::pair<ConnectionId, StreamId>, bool> fin{};
    std::map<std::pair<ConnectionId, StreamId>, std::uint64_t> resets{};
    std::map<std::pair<ConnectionId, StreamId>, std::size_t> consumed{};
    std::vector<Buffer> datagrams{};
    std::vector<std::pair<ConnectionId, Errc>> closes{};
    bool has_uni_streams = true;
    std::size_t unacknowledged = 5;
};

class Inner {
public:
    explicit Inner(Below& below) : below_(&below) {}

    Result<StreamId> open_stream(ConnectionId) { return StreamId{1}; }
    Result<StreamId> open_uni_stream(ConnectionId) {
        if (!below_->has_uni_streams) return Errc::too_many_streams;
        return StreamId{3};
    }
    Result<Backlog> write(ConnectionId id, StreamId stream, Bytes bytes, bool fin) {
        append(below_->written[{id, stream}], bytes.view());
        below_->fin[{id, stream}] = fin;
        return Backlog{bytes.size()};
    }
    void reset_stream(ConnectionId id, StreamId stream, std::uint64_t code) {
        below_->resets[{id, stream}] = code;
    }
    Backlog backlog(ConnectionId, StreamId stream) const {
        return {static_cast<std::size_t>(stream) + 100};
    }
    std::size_t unacknowledged(ConnectionId) const { return below_->unacknowledged; }
    std::size_t unacknowledged() const { return 10; }
    void consume(ConnectionId id, StreamId stream, std::size_t bytes) {
        below_->consumed[{id, stream}] += bytes;
    }
    bool send_datagram(ConnectionId, Bytes bytes) {
        below_->datagrams.emplace_back(bytes.view().begin(), bytes.view().end());
        return true;
    }
    Result<ChannelBinding> channel_binding(ConnectionId) const { return ChannelBinding{}; }
    void close(ConnectionId id, Errc why, std::string_view text) {
        below_->closes.emplace_back(id, why);
        below_->events.emplace_back(Disconnected{id, {.errc = why, .text = std::string{text}}});
    }
    std::optional<TransportEvent> poll_event() { return pop_front(below_->events); }
    void handle_timeout(TimePoint) {}
    std::optional<TimePoint> next_deadline() const { return std::nullopt; }

private:
    Below* below_;
};

/// An adaptor with a native client and a page.
class Scene {
public:
    Scene() {
        transport.handle_timeout(now);
        below.events.emplace_back(Connected{native, "10.0.0.1:1", {}, "quicchat/1"});
        below.events.emplace_back(Connected{web, "10.0.0.2:2", {}, "h3", CertificateHash{}});
    }

    void feed(StreamId stream, const Buffer& bytes, bool fin = false) {
        below.events.emplace_back(StreamData{web, stream, Bytes{Buffer{bytes}}, fin});
    }
    void come() {
        feed(StreamId{2}, control_head());
        feed(StreamId{0}, request_frame());
    }
    std::vector<TransportEvent> events() {
        std::vector<TransportEvent> all;
        while (auto event = transport.poll_event()) all.push_back(*std::move(event));
        return all;
    }
    void pass(Duration time) { transport.handle_timeout(now += time); }

    Below below;
    TimePoint now{std::chrono::seconds{1000}};
    webtransport::Transport<Inner> transport{Inner{below}, page_config()};
};

/// With the page connected, and nothing to be told.
struct OpenScene : Scene {
    OpenScene() {
        come();
        CHECK(events().size() == 2);
        feed(StreamId{4}, joined({page_head(), text("hi")}));
    }
};

}  // namespace

TEST_CASE("native connections pass through an adaptor for pages", "[webtransport]") {
    Scene scene;
    auto& transport = scene.transport;
    const auto events = scene.events();
    REQUIRE(events.size() == 1);
    CHECK(std::get<Connected>(events[0]).alpn == "quicchat/1");

    CHECK(transport.open_stream(native).value() == StreamId{1});
    CHECK(transport.write(native, StreamId{0}, Bytes{text("x")}, true).value().bytes == 1);
    CHECK(scene.below.written[{native, StreamId{0}}] == text("x"));
    transport.reset_stream(native, StreamId{8}, 7);
    CHECK(scene.below.resets[{native, StreamId{8}}] == 7);
    transport.consume(native, StreamId{0}, 3);
    CHECK(scene.below.consumed[{native, StreamId{0}}] == 3);
    CHECK(transport.backlog(native, StreamId{4}).bytes == 104);
    CHECK(transport.unacknowledged(native) == 5);
    CHECK(transport.unacknowledged() == 10);
    CHECK(transport.channel_binding(native));
    CHECK(transport.send_datagram(native, Bytes{text("d")}));
    CHECK(scene.below.datagrams[0] == text("d"));
    transport.close(native, Errc::kicked, "x");
    CHECK(scene.below.closes.back() == std::pair{native, Errc::kicked});
    CHECK(std::holds_alternative<Disconnected>(scene.events().at(0)));
}

TEST_CASE("a page is Connected when its request was accepted", "[webtransport]") {
    Scene scene;
    scene.events();
    CHECK(scene.transport.write(web, StreamId{0}, {}, false).error() == Errc::not_ready);
    CHECK(scene.transport.open_stream(web).error() == Errc::not_ready);
    CHECK(scene.transport.channel_binding(web).error() == Errc::not_ready);
    CHECK(scene.transport.unacknowledged(web) == 0);
    scene.come();
    const auto events = scene.events();
    REQUIRE(events.size() == 1);
    const auto& connected = std::get<Connected>(events[0]);
    CHECK(connected.connection == web);
    CHECK(connected.peer_address == "10.0.0.2:2");
    CHECK(connected.alpn == http3_alpn);
    CHECK(connected.certificate_hash == CertificateHash{});
    CHECK(connected.origin == page_origin);
    CHECK(scene.transport.channel_binding(web).error() == Errc::unsupported);
    CHECK(scene.transport.open_stream(web).error() == Errc::too_many_streams);
}

TEST_CASE("who never asks as a page is never heard of", "[webtransport]") {
    Scene scene;
    scene.events();

    SECTION("and has ten seconds for it") {
        CHECK(scene.transport.next_deadline() == scene.now + webtransport::request_timeout);
        scene.pass(webtransport::request_timeout - 1ms);
        CHECK(scene.below.closes.empty());
        scene.pass(1ms);
        CHECK(scene.below.closes == std::vector{std::pair{web, Errc::closed}});
        CHECK(scene.events().empty());
        CHECK(scene.transport.pages() == 0);
        CHECK_FALSE(scene.transport.next_deadline());
    }
    SECTION("nor who asks for something else") {
        scene.feed(StreamId{0}, request_frame({{":method", "GET"}}), true);
        CHECK(scene.events().empty());
        CHECK(scene.below.fin[{web, StreamId{0}}]);
        scene.pass(webtransport::request_timeout);
        CHECK(scene.events().empty());
        CHECK(scene.transport.pages() == 0);
    }
    SECTION("nor who speaks no HTTP/3") {
        scene.feed(StreamId{2}, joined({varint(0), framed(7, {})}));
        CHECK(scene.events().empty());
        CHECK(scene.below.closes == std::vector{std::pair{web, Errc::unexpected_frame}});
        CHECK(scene.transport.pages() == 0);
    }
}

TEST_CASE("a connection that takes no control stream is ended", "[webtransport]") {
    Scene scene;
    scene.below.has_uni_streams = false;
    CHECK(scene.events().size() == 1);
    CHECK(scene.below.closes == std::vector{std::pair{web, Errc::unexpected_frame}});
}

TEST_CASE("an open page's streams are those of the protocol", "[webtransport]") {
    OpenScene scene;
    auto& transport = scene.transport;
    auto events = scene.events();
    REQUIRE(events.size() == 1);
    const auto& data = std::get<StreamData>(events[0]);
    CHECK(data.stream == control_stream);
    CHECK(to_string(data.bytes.view()) == "hi");

    SECTION("in what we send") {
        CHECK(transport.write(web, control_stream, Bytes{text("yo")}, false).value().bytes == 2);
        CHECK(scene.below.written[{web, StreamId{4}}] == text("yo"));
        CHECK(transport.backlog(web, control_stream).bytes == 104);
        CHECK(transport.write(web, StreamId{2}, {}, false).error() == Errc::not_ready);
        transport.consume(web, control_stream, 2);
        CHECK(scene.below.consumed[{web, StreamId{4}}] == page_head().size() + 2);
        transport.reset_stream(web, StreamId{4}, 17);
        CHECK(scene.below.resets[{web, StreamId{8}}] == codes::to_http(17));
        CHECK(transport.send_datagram(web, Bytes{text("d")}));
        CHECK(scene.below.datagrams[0] == joined({varint(0), text("d")}));
        CHECK_FALSE(transport.send_datagram(web, {}));
    }
    SECTION("in what we are told") {
        scene.below.events.emplace_back(Writable{web, StreamId{4}});
        scene.below.events.emplace_back(Writable{web, StreamId{0}});  // nobody's business
        scene.below.events.emplace_back(StreamReset{web, StreamId{8}, codes::to_http(3)});
        scene.below.events.emplace_back(
            DatagramReceived{web, Bytes{joined({varint(0), text("d")})}});
        scene.below.events.emplace_back(DatagramReceived{web, Bytes{varint(0)}});
        events = scene.events();
        REQUIRE(events.size() == 3);
        CHECK(std::get<Writable>(events[0]).stream == control_stream);
        CHECK(std::get<StreamReset>(events[1]).stream == StreamId{4});
        CHECK(std::get<StreamReset>(events[1]).code == 3);
        CHECK(to_string(std::get<DatagramReceived>(events[2]).bytes.view()) == "d");
    }
    SECTION("and a reset by the browser itself waits for what it means") {
        scene.below.events.emplace_back(StreamReset{web, StreamId{4}, codes::request_cancelled});
        CHECK(scene.events().empty());
        CHECK(transport.next_deadline() == scene.now + webtransport::reset_patience);
        scene.pass(webtransport::reset_patience);
        events = scene.events();
        REQUIRE(events.size() == 1);
        CHECK(std::get<StreamReset>(events[0]).stream == control_stream);
    }
}

TEST_CASE("a page that is there may stay", "[webtransport]") {
    OpenScene scene;
    scene.events();
    CHECK_FALSE(scene.transport.next_deadline());
    scene.pass(2 * webtransport::request_timeout);
    CHECK(scene.below.closes.empty());
    CHECK(scene.events().empty());
}

TEST_CASE("other rules are for pages that come", "[webtransport]") {
    OpenScene scene;
    CHECK(scene.events().size() == 1);
    const auto asks = [&](ConnectionId id, std::string_view path, std::string_view origin) {
        webtransport::Fields fields = page_request();
        for (auto& [name, value] : fields) {
            if (name == ":path") value = path;
            if (name == "origin") value = origin;
        }
        auto& events = scene.below.events;
        events.emplace_back(Connected{id, "10.0.0.3:3", {}, "h3", CertificateHash{}});
        events.emplace_back(StreamData{id, StreamId{2}, Bytes{control_head()}, false});
        events.emplace_back(StreamData{id, StreamId{0}, Bytes{request_frame(fields)}, false});
        return scene.events().size() == 1;
    };
    CHECK(asks(ConnectionId{3}, "/quicchat", page_origin));
    CHECK_FALSE(asks(ConnectionId{4}, "/quicchat", "https://other.example"));
    scene.transport.set_config({.path = "/chat", .origins = {"https://other.example"}});
    CHECK_FALSE(asks(ConnectionId{5}, "/quicchat", page_origin));
    CHECK_FALSE(asks(ConnectionId{6}, "/chat", page_origin));
    CHECK(asks(ConnectionId{7}, "/chat", "https://other.example"));
    scene.transport.set_config({});
    CHECK_FALSE(asks(ConnectionId{8}, "/quicchat", page_origin));

    scene.feed(StreamId{4}, text(" there"));
    const auto events = scene.events();
    REQUIRE(events.size() == 1);
    CHECK(to_string(std::get<StreamData>(events[0]).bytes.view()) == " there");
    CHECK(scene.below.closes.empty());
}

TEST_CASE("a page that goes ends its connection", "[webtransport]") {
    OpenScene scene;
    scene.events();

    SECTION("with its own reason") {
        scene.feed(StreamId{0}, framed(codes::frame_data, close_capsule(20, "bye")), true);
        const auto events = scene.events();
        REQUIRE(events.size() == 1);
        const auto& gone = std::get<Disconnected>(events[0]);
        CHECK(gone.reason.errc == Errc::server_shutdown);
        CHECK(gone.reason.text == "bye");
        CHECK(gone.reason.by_peer);
        CHECK(scene.below.closes == std::vector{std::pair{web, Errc::closed}});
    }
    SECTION("or with that of its connection") {
        scene.below.events.emplace_back(Disconnected{web, {.errc = Errc::idle_timeout}});
        const auto events = scene.events();
        REQUIRE(events.size() == 1);
        CHECK(std::get<Disconnected>(events[0]).reason.errc == Errc::idle_timeout);
    }
    CHECK(scene.transport.pages() == 0);
    CHECK_FALSE(scene.transport.next_deadline());
    CHECK(scene.transport.write(web, control_stream, {}, false));  // as below: it may be anybody's
}

TEST_CASE("a page that is there is asked to end soon", "[webtransport]") {
    Scene nobody;  // but for a page without a session
    nobody.events();
    nobody.transport.drain();
    CHECK(nobody.below.written[{web, StreamId{0}}].empty());

    OpenScene scene;
    scene.events();
    scene.transport.drain();
    const auto capsule = framed(codes::frame_data, framed(codes::capsule_drain_session, {}));
    const Buffer& written = scene.below.written[{web, StreamId{0}}];
    CHECK(std::equal(capsule.rbegin(), capsule.rend(), written.rbegin()));
    CHECK_FALSE(scene.below.fin[{web, StreamId{0}}]);
    CHECK(scene.transport.write(web, control_stream, Bytes{text("bye")}, false));
}

TEST_CASE("a page that we close hears why", "[webtransport]") {
    OpenScene scene;
    scene.events();
    CHECK_FALSE(scene.transport.says_farewell());
    scene.transport.close(web, Errc::kicked, "too loud");
    const auto events = scene.events();
    REQUIRE(events.size() == 1);
    CHECK(std::get<Disconnected>(events[0]).reason.errc == Errc::kicked);
    const auto capsule = framed(codes::frame_data, close_capsule(33, "too loud"));
    const Buffer& written = scene.below.written[{web, StreamId{0}}];
    CHECK(std::equal(capsule.rbegin(), capsule.rend(), written.rbegin()));
    CHECK(scene.below.fin[{web, StreamId{0}}]);
    CHECK(scene.below.closes.empty());
    CHECK(scene.transport.write(web, control_stream, {}, false).error() == Errc::not_ready);
    CHECK(scene.transport.unacknowledged(web) == 0);
    CHECK(scene.transport.says_farewell());
    scene.transport.close(web, Errc::closed, "");

    SECTION("and has a second to take note") {
        scene.pass(webtransport::farewell - 1ms);
        CHECK(scene.transport.says_farewell());
        scene.below.unacknowledged = 0;
        CHECK_FALSE(scene.transport.says_farewell());
        CHECK(scene.below.closes.empty());
        scene.pass(1ms);
    }
    SECTION("and its browser to tell it, when it has taken note") {
        scene.feed(StreamId{0}, {}, true);
        CHECK(scene.events().empty());
        CHECK(scene.below.closes.empty());
        scene.pass(webtransport::farewell);
    }
    SECTION("or none, if it is gone") {
        scene.below.events.emplace_back(Disconnected{web, {.errc = Errc::closed}});
    }
    CHECK(scene.events().empty());
    CHECK_FALSE(scene.transport.says_farewell());
    CHECK(scene.transport.pages() == 0);
    CHECK_FALSE(scene.transport.next_deadline());
}
