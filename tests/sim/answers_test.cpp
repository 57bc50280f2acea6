#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

constexpr Duration answer_wait = Limits{}.answer_wait;
constexpr Duration answer_timeout = Limits{}.answer_timeout;

/// A server that lets everybody in, and then answers what the test lets it answer.
struct LazyServer {
    memory::Network network{{.seed = 5}};
    memory::Transport server = network.listen("lazy");
    memory::Client client;
    ConnectionId connection{};
    std::vector<std::pair<StreamId, Message>> asked{};  ///< Behind the login.
    std::vector<ClientEvent> events{};
    bool takes_in = true;  ///< Gives credit for what comes.
    bool reads = true;     ///< The application takes its events.
    std::size_t owed = 0;  ///< Bytes on `owed_on` without credit.
    StreamId owed_on{};

    explicit LazyServer(Limits limits = {})
        : client(network.dial("lazy", limits), *NameLogin::create("ada"), Entropy::seeded(3),
                 {.limits = limits}) {
        client.connect(now());
        run_for(1s);
        REQUIRE(client.state() == State::ready);
    }

    Now now() const { return {network.now(), {}}; }

    void run_for(Duration duration) {
        const TimePoint end = network.now() + duration;
        std::size_t turns_left = 100'000;
        turn();
        while (network.now() < end) {
            REQUIRE(--turns_left > 0);
            const auto next = earlier(network.next_event(), client.next_deadline());
            network.advance_to(std::max(network.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }
    template <class M>
    void send(StreamId stream, const M& message, bool fin = false) {
        (void)server.write(connection, stream, Bytes{encode(message)}, fin);
    }
    /// Lets `bytes` more of what came be taken in.
    void take_in(std::size_t bytes) {
        server.consume(connection, owed_on, std::min(bytes, owed));
        owed -= std::min(bytes, owed);
    }
    template <class M>
    std::vector<std::pair<StreamId, M>> all_asked() const {
        std::vector<std::pair<StreamId, M>> found;
        for (const auto& [stream, message] : asked) {
            if (const M* m = std::get_if<M>(&message)) found.emplace_back(stream, *m);
        }
        return found;
    }
    template <class E>
    std::vector<E> all() const {
        std::vector<E> found;
        for (const ClientEvent& event : events) {
            if (const E* e = std::get_if<E>(&event)) found.push_back(*e);
        }
        return found;
    }
    template <class E>
    std::size_t count() const {
        return all<E>().size();
    }

private:
    void turn() {
        // As a driver does it: not in between.
        const std::optional<TimePoint> due = client.next_deadline();
        if (due && *due <= network.now()) client.process(now());
        while (reads) {
            std::optional<ClientEvent> event = client.poll_event();
            if (!event) break;
            events.push_back(*std::move(event));
        }
        while (std::optional<TransportEvent> event = server.poll_event()) {
            if (const auto* connected = std::get_if<Connected>(&*event)) {
                connection = connected->connection;
                streams_.clear();
            }
            if (const auto* data = std::get_if<StreamData>(&*event)) read(*data);
        }
    }
    void read(const StreamData& data) {
        if (takes_in) {
            server.consume(connection, data.stream, data.bytes.size());
        } else {
            owed += data.bytes.size();
            owed_on = data.stream;
        }
        FrameAssembler& stream =
            streams_.try_emplace(data.stream, FrameAssembler{64 * 1024}).first->second;
        stream.push(data.bytes.view());
        while (true) {
            const auto frame = stream.next();
            REQUIRE(frame);
            if (!*frame) break;
            Result<Message> message = decode(**frame);
            REQUIRE(message);
            if (std::holds_alternative<wire::Hello>(*message)) {
                send(control_stream, wire::Welcome{0, {}, {32'768, 8192, 100}, "{}"});
            } else if (std::holds_alternative<wire::LoginBegin>(*message)) {
                send(control_stream, wire::LoginDone{"ada", {}});
            } else {
                asked.emplace_back(data.stream, *std::move(message));
            }
        }
    }

    std::map<StreamId, FrameAssembler> streams_;
};

}  // namespace

TEST_CASE("a client whose server answers nothing", "[sim]") {
    LazyServer scene;
    const auto request = scene.client.tell("bob", "hello");
    REQUIRE(request);

    SECTION("says so after a while, once, and of what it waits for") {
        scene.run_for(answer_wait - 1s);
        CHECK(scene.count<NoAnswerYet>() == 0);
        scene.run_for(2s);
        REQUIRE(scene.count<NoAnswerYet>() == 1);
        const auto said = scene.all<NoAnswerYet>()[0];
        CHECK(said.request == *request);
        CHECK(said.kind == RequestKind::message);
        CHECK(said.room == "@bob");
        CHECK(said.waited >= answer_wait);
        CHECK(said.waited < answer_wait + 1s);

        REQUIRE(scene.client.tell("eve", "and you"));
        scene.run_for(answer_timeout - answer_wait - 3s);
        CHECK(scene.count<NoAnswerYet>() == 1);
        CHECK(scene.client.unanswered_requests() == 2);
    }
    SECTION("leaves it after a longer while, and asks again") {
        scene.run_for(answer_timeout - 1s);
        CHECK(scene.count<Reconnecting>() == 0);
        scene.run_for(2s);
        REQUIRE(scene.count<Reconnecting>() == 1);
        const CloseReason reason = scene.all<Reconnecting>()[0].reason;
        CHECK(reason.errc == Errc::transport_failed);
        CHECK_FALSE(reason.by_peer);
        CHECK(reason.text == "the server answers nothing");
        scene.run_for(5s);
        CHECK(scene.count<Online>() == 2);
        const auto told = scene.all_asked<wire::Tell>();
        REQUIRE(told.size() == 2);
        CHECK(told[0].second == told[1].second);

        scene.send(control_stream, wire::Ack{*request, Epoch{7}, 1, {}, {}});
        scene.run_for(10min);
        CHECK(scene.count<Acked>() == 1);
        CHECK(scene.count<Reconnecting>() == 1);
        CHECK(scene.count<NoAnswerYet>() == 1);
    }
    SECTION("says so again on the next connection") {
        scene.run_for(answer_timeout + 5s);
        CHECK(scene.count<NoAnswerYet>() == 1);
        scene.run_for(answer_wait);
        CHECK(scene.count<NoAnswerYet>() == 2);
    }
    SECTION("leaves it also while it goes on asking") {
        const TimePoint begin = scene.network.now();
        while (scene.count<Reconnecting>() == 0 &&
               scene.network.now() < begin + 10 * answer_timeout) {
            REQUIRE(scene.client.tell("bob", "are you there?"));
            scene.run_for(5s);
        }
        CHECK(scene.network.now() - begin < answer_timeout + 10s);
    }
    SECTION("stays where it hears of something else") {
        for (int i = 0; i < 20; ++i) {
            scene.run_for(answer_timeout - 1s);
            scene.send(control_stream, wire::Marker{"#lobby", "ada", 1});
        }
        CHECK(scene.count<Reconnecting>() == 0);
        CHECK(scene.count<NoAnswerYet>() == 1);
    }
}

TEST_CASE("each kind of request is waited for", "[sim]") {
    LazyServer scene;
    Result<RequestId> request = Errc::closed;
    auto kind = RequestKind::message;
    std::string room = "#lobby";
    SECTION("a join") {
        request = scene.client.join("#lobby");
        kind = RequestKind::join;
    }
    SECTION("a new room") {
        request = scene.client.create_room("#tea");
        kind = RequestKind::creation;
        room = "#tea";
    }
    SECTION("a list of rooms") {
        request = scene.client.request_rooms();
        kind = RequestKind::rooms;
        room = "";
    }
    SECTION("a display name") {
        request = scene.client.set_display_name("Ada");
        kind = RequestKind::profile;
        room = "";
    }
    SECTION("a page of history") {
        request = scene.client.request_history("#lobby", 100, 10, 0);
        kind = RequestKind::history;
    }
    SECTION("a search") {
        request = scene.client.request_search("#lobby", "tea");
        kind = RequestKind::search;
    }
    SECTION("a file that is sent") {
        request = scene.client.send_file(
            "#lobby", {.name = "plan", .size = 1, .digest = Buffer(digest_bytes_max)});
        kind = RequestKind::file_sent;
    }
    SECTION("a file that is fetched") {
        request = scene.client.fetch_file("#lobby", 1);
        kind = RequestKind::file_fetched;
    }
    REQUIRE(request);
    scene.run_for(answer_wait + 1s);
    REQUIRE(scene.count<NoAnswerYet>() == 1);
    const auto said = scene.all<NoAnswerYet>()[0];
    CHECK(said.request == *request);
    CHECK(said.kind == kind);
    CHECK(said.room == room);
    scene.run_for(answer_timeout - answer_wait);
    CHECK(scene.count<Reconnecting>() == 1);
}

TEST_CASE("a room that goes on after a reconnection is waited for, and its messages", "[sim]") {
    LazyServer scene;
    REQUIRE(scene.client.join("#lobby"));
    scene.run_for(1s);
    const auto joins = scene.all_asked<wire::Join>();
    scene.send(joins.at(0).first,
               wire::Joined{joins[0].second.request, "#lobby", Epoch{7}, 0, 1, false});
    scene.run_for(1s);
    REQUIRE(scene.count<RoomJoined>() == 1);

    SECTION("the room") {
        scene.network.cut(1);
        scene.run_for(5s);
        REQUIRE(scene.count<Online>() == 2);
        scene.run_for(answer_wait);
        REQUIRE(scene.count<NoAnswerYet>() == 1);
        CHECK(scene.all<NoAnswerYet>()[0].kind == RequestKind::rejoin);
    }
    SECTION("a message") {
        REQUIRE(scene.client.publish("#lobby", "hello"));
        scene.run_for(answer_wait + 1s);
        REQUIRE(scene.count<NoAnswerYet>() == 1);
        CHECK(scene.all<NoAnswerYet>()[0].kind == RequestKind::message);
    }
    SECTION("who is there") {
        REQUIRE(scene.client.request_members("#lobby"));
        scene.run_for(answer_wait + 1s);
        REQUIRE(scene.count<NoAnswerYet>() == 1);
        CHECK(scene.all<NoAnswerYet>()[0].kind == RequestKind::members);
    }
    CHECK(scene.all<NoAnswerYet>()[0].room == "#lobby");
}

TEST_CASE("a client that asks nothing waits for nothing", "[sim]") {
    LazyServer scene;
    scene.run_for(30min);
    CHECK(scene.count<NoAnswerYet>() == 0);
    CHECK(scene.count<Reconnecting>() == 0);
}

TEST_CASE("a request after a long silence has all of its time", "[sim]") {
    LazyServer scene;
    scene.run_for(30min);
    const auto request = scene.client.tell("bob", "hello");
    REQUIRE(request);
    scene.run_for(answer_wait - 1s);
    CHECK(scene.count<NoAnswerYet>() == 0);
    scene.send(control_stream, wire::Ack{*request, Epoch{7}, 1, {}, {}});
    scene.run_for(30min);
    CHECK(scene.count<NoAnswerYet>() == 0);
    CHECK(scene.count<Reconnecting>() == 0);
}

TEST_CASE("a server that is slow with one request and answers the others", "[sim]") {
    LazyServer scene;
    const auto slow = scene.client.tell("bob", "slow");
    for (int i = 0; i < 100; ++i) {
        const auto quick = scene.client.tell("eve", std::to_string(i));
        scene.run_for(5s);
        scene.send(control_stream, wire::Ack{*quick, Epoch{7}, Offset(i + 1), {}, {}});
        scene.run_for(1s);
    }
    CHECK(scene.count<Reconnecting>() == 0);
    CHECK(scene.count<Acked>() == 100);
    REQUIRE(scene.count<NoAnswerYet>() == 1);
    CHECK(scene.all<NoAnswerYet>()[0].request == *slow);

    SECTION("is told of again when another one is late") {
        scene.send(control_stream, wire::Ack{*slow, Epoch{7}, 1000, {}, {}});
        scene.run_for(1s);
        const auto other = scene.client.tell("bob", "also slow");
        scene.run_for(answer_wait + 1s);
        REQUIRE(scene.count<NoAnswerYet>() == 2);
        CHECK(scene.all<NoAnswerYet>()[1].request == *other);
    }
    SECTION("is told of once for all that are late") {
        REQUIRE(scene.client.tell("bob", "also slow"));
        scene.run_for(answer_wait + 1s);
        scene.send(control_stream, wire::Ack{*slow, Epoch{7}, 1000, {}, {}});
        scene.run_for(1s);
        CHECK(scene.count<NoAnswerYet>() == 1);
        CHECK(scene.client.unanswered_requests() == 1);
    }
}

TEST_CASE("a large page that comes slowly ends nothing", "[sim]") {
    LazyServer scene;
    const auto request = scene.client.request_history("#lobby", 1000, 100, 0);
    REQUIRE(request);
    scene.run_for(1s);
    const StreamId stream = scene.all_asked<wire::HistoryRequest>().at(0).first;
    Buffer page;
    for (Offset i = 1; i <= 4; ++i) {
        const Buffer frame = encode(wire::Event{i, {}, {}, "bob", std::string(30'000, 'x'), "{}"});
        page.insert(page.end(), frame.begin(), frame.end());
    }
    // Less than a frame within the limit: each piece shows that the server is there.
    for (std::size_t from = 0; from < page.size(); from += 1000) {
        const auto piece =
            BytesView{page}.subspan(from, std::min<std::size_t>(1000, page.size() - from));
        (void)scene.server.write(scene.connection, stream,
                                 Bytes{Buffer(piece.begin(), piece.end())}, false);
        scene.run_for(20s);
    }
    scene.send(stream, wire::HistoryEnd{*request, Epoch{7}, false, true}, true);
    scene.run_for(1s);
    CHECK(scene.count<Reconnecting>() == 0);
    REQUIRE(scene.count<HistoryPage>() == 1);
    CHECK(scene.all<HistoryPage>()[0].records.size() == 4);
}

TEST_CASE("an application that does not read blames nobody", "[sim]") {
    LazyServer scene{{.events_max = 16}};
    const auto request = scene.client.tell("bob", "hello");
    scene.reads = false;
    for (Offset i = 0; i < 20; ++i) {
        scene.send(control_stream, wire::Marker{"#lobby", "ada", i});
    }
    scene.run_for(10 * answer_timeout);
    scene.reads = true;
    scene.run_for(answer_wait - 1s);
    CHECK(scene.count<NoAnswerYet>() == 0);
    scene.send(control_stream, wire::Ack{*request, Epoch{7}, 1, {}, {}});
    scene.run_for(1h);
    CHECK(scene.count<Acked>() == 1);
    CHECK(scene.count<NoAnswerYet>() == 0);
    CHECK(scene.count<Reconnecting>() == 0);
}

TEST_CASE("much that leaves slowly ends nothing", "[sim]") {
    LazyServer scene{{.message_bytes_max = 32 * 1024}};
    scene.takes_in = false;
    std::vector<RequestId> requests;
    for (int i = 0; i < 20; ++i) {
        const auto request = scene.client.tell("bob", std::string(30'000, 'x'));
        REQUIRE(request);
        requests.push_back(*request);
    }
    scene.run_for(1s);
    // The first answer comes when nearly all has arrived.
    for (int i = 0; i < 9; ++i) {
        scene.run_for(answer_timeout - 5s);
        scene.take_in(50'000);
    }
    CHECK(scene.count<Reconnecting>() == 0);
    CHECK(scene.count<NoAnswerYet>() == 1);
    SECTION("until nothing of it is taken any more") {
        scene.run_for(2 * answer_timeout);  // the last of it is noticed at the next turn
        CHECK(scene.count<Reconnecting>() == 1);
    }
}

TEST_CASE("a file whose server has begun, and says no more", "[sim]") {
    LazyServer scene;
    const Buffer digest(digest_bytes_max);
    SECTION("is left when it takes nothing in") {
        const auto request = scene.client.send_file(
            "#lobby", {.name = "plan", .size = 10'000'000, .digest = digest});
        scene.run_for(1s);
        const StreamId stream = scene.all_asked<wire::FileOffer>().at(0).first;
        scene.takes_in = false;
        scene.send(stream, wire::FileReady{*request, 0});
        std::size_t given = 0;
        const TimePoint begin = scene.network.now();
        while (scene.count<Reconnecting>() == 0 &&
               scene.network.now() < begin + 10 * answer_timeout) {
            const auto wanted = scene.all<FileWanted>();
            for (; given < wanted.size(); ++given) {
                (void)scene.client.give_file(*request, wanted[given].offset,
                                             Buffer(wanted[given].bytes_max));
            }
            scene.run_for(1s);
        }
        CHECK(scene.network.now() - begin > answer_timeout);
        CHECK(scene.network.now() - begin < answer_timeout + 10s);
    }
    SECTION("is left when it sends nothing any more") {
        const auto request = scene.client.fetch_file("#lobby", 1);
        scene.run_for(1s);
        const StreamId stream = scene.all_asked<wire::FileRequest>().at(0).first;
        scene.send(stream, wire::FileHead{*request, Epoch{7}, "plan", 1000, digest});
        scene.send(stream, wire::FileData{Buffer(10)});
        scene.run_for(answer_timeout + 2s);
        CHECK(scene.count<Reconnecting>() == 1);
        CHECK(scene.count<NoAnswerYet>() == 0);
    }
    SECTION("but not while it is the application that takes nothing") {
        scene.client.hold_file_bytes();
        const auto request = scene.client.fetch_file("#lobby", 1);
        scene.run_for(1s);
        const StreamId stream = scene.all_asked<wire::FileRequest>().at(0).first;
        const std::size_t size = Limits{}.file_backlog_bytes_max;
        scene.send(stream, wire::FileHead{*request, Epoch{7}, "plan", 2 * size, digest});
        for (std::size_t sent = 0; sent < size; sent += 32 * 1024) {
            scene.send(stream, wire::FileData{Buffer(32 * 1024)});
        }
        scene.run_for(10 * answer_timeout);
        CHECK(scene.count<Reconnecting>() == 0);
        scene.client.release_file_bytes(size);
        scene.run_for(answer_timeout + 2s);
        CHECK(scene.count<Reconnecting>() == 1);
    }
    SECTION("nor while the application gives nothing of it") {
        const auto request =
            scene.client.send_file("#lobby", {.name = "plan", .size = 10'000, .digest = digest});
        scene.run_for(1s);
        const StreamId stream = scene.all_asked<wire::FileOffer>().at(0).first;
        scene.send(stream, wire::FileReady{*request, 0});
        scene.run_for(10 * answer_timeout);
        CHECK(scene.count<Reconnecting>() == 0);
        REQUIRE(scene.client.give_file(*request, 0, Buffer(10'000)) == Errc{});
        scene.run_for(answer_wait + 1s);
        CHECK(scene.count<NoAnswerYet>() == 1);
        scene.send(stream, wire::Ack{*request, Epoch{7}, 1, {}, {}});
        scene.run_for(10 * answer_timeout);
        CHECK(scene.count<Acked>() == 1);
        CHECK(scene.count<Reconnecting>() == 0);
    }
}
