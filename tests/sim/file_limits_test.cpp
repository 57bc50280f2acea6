#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/base/hex.hpp"
#include "sim/courier.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("what is wrong with a file is said, and costs nobody anything", "[files]") {
    Town town{with_limits({.file_bytes_max = 100 * kib,
                           .files_per_room_bytes_max = 150 * kib,
                           .files_bytes_max = 220 * kib,
                           .uploads_per_account_max = 2})};
    Courier ada{town, town.add_in("ada", "#lobby")};
    auto& client = ada.person.client;

    SECTION("before it is sent") {
        FileToSend file = describe(make_content(5, 1));
        for (const char* name : {"", "a/b", "..", "\\\\host\\share", " a", "a\nb",
                                 "\xe2\x80\xae"
                                 "fdp"}) {
            FileToSend bad = file;
            bad.name = name;
            CHECK(client.send_file("#lobby", bad).error() == Errc::invalid_name);
        }
        FileToSend cut = file;
        cut.digest.pop_back();
        CHECK(client.send_file("#lobby", cut).error() == Errc::invalid_request);
        FileToSend loud = file;
        loud.attributes = std::string(9 * kib, ' ');
        CHECK(client.send_file("#lobby", loud).error() == Errc::message_too_long);
        CHECK(client.send_file("lobby", file).error() == Errc::invalid_name);
        CHECK(client.fetch_file("lobby", 1).error() == Errc::invalid_name);
        CHECK(client.fetch_file("#lobby", 1, UINT64_MAX).error() == Errc::invalid_request);
    }
    SECTION("too large") {
        CHECK(ada.outcome(ada.send("#lobby", make_content(100 * kib + 1, 1))) ==
              Errc::file_too_large);
        CHECK(ada.outcome(ada.send("#lobby", make_content(100 * kib, 1))) == Errc{});
    }
    SECTION("no room for it") {
        ada.must_send("#lobby", make_content(100 * kib, 1));
        CHECK(ada.outcome(ada.send("#lobby", make_content(60 * kib, 2))) == Errc::quota_exceeded);
        ada.must_send("#lobby", make_content(50 * kib, 3));
        REQUIRE(town.outcome(ada.person, client.create_room("#other")) == Errc{});
        CHECK(ada.outcome(ada.send("#other", make_content(80 * kib, 4))) == Errc::quota_exceeded);
        CHECK(ada.outcome(ada.send("#other", make_content(70 * kib, 4))) == Errc{});
    }
    SECTION("not the one that was announced") {
        const Buffer content = make_content(50 * kib, 1);
        const auto request = client.send_file("#lobby", describe(content));
        ada.sending[*request] = make_content(50 * kib, 2);  // it changed meanwhile
        CHECK(ada.outcome(request) == Errc::file_mismatch);
        CHECK(town.files.size() == 0);
        CHECK(ada.person.count<RoomMessage>() == 0);
    }
    SECTION("there is none, or not there") {
        REQUIRE(town.say(ada.person, "#lobby", "hello") == Errc{});
        CHECK(ada.outcome(ada.fetch("#lobby", 1)) == Errc::no_such_file);
        CHECK(ada.outcome(ada.fetch("#lobby", 0)) == Errc::no_such_file);
        CHECK(ada.outcome(ada.fetch("#lobby", 99)) == Errc::no_such_file);
        const Offset offset = ada.must_send("#lobby", make_content(10, 1));
        CHECK(ada.outcome(ada.fetch("#lobby", offset, 11)) == Errc::invalid_request);
        CHECK(ada.outcome(ada.fetch("#lobby", offset, 10)) == Errc{});
    }
    SECTION("bytes that were not asked for") {
        const Buffer content = make_content(90 * kib, 1);
        ada.gives = false;
        const auto request = ada.send("#lobby", content);
        const BytesView all{content};
        CHECK(client.give_file(*request, 0, all) == Errc::not_ready);
        ada.run();
        CHECK(client.give_file(*request + 1, 0, all) == Errc::not_ready);
        CHECK(client.give_file(*request, 1, all.first(5)) == Errc::not_ready);
        CHECK(client.give_file(*request, 0, {}) == Errc::invalid_request);
        const Buffer more = make_content(91 * kib, 1);
        CHECK(client.give_file(*request, 0, more) == Errc::invalid_request);
        CHECK(client.give_file(*request, 0, all) == Errc{});
        CHECK(client.give_file(*request, 0, all) == Errc::not_ready);
        CHECK(ada.outcome(request) == Errc{});
    }
    SECTION("begun by the dozen") {
        ada.gives = false;
        const auto one = ada.send("#lobby", make_content(10 * kib, 1));
        const auto two = ada.send("#lobby", make_content(10 * kib, 2));
        ada.run();
        CHECK(ada.outcome(ada.send("#lobby", make_content(10 * kib, 3))) == Errc::queue_full);
        client.cancel_file(*one);
        ada.run();
        CHECK(town.files.size() == 2);
        const auto four = ada.send("#lobby", make_content(10 * kib, 4));
        ada.run();
        CHECK(town.files.size() == 2);  // the one that was left made room
        ada.gives = true;
        for (const auto& request : {two, four}) {
            CHECK(client.give_file(*request, 0, ada.sending[*request]) == Errc{});
            CHECK(ada.outcome(request) == Errc{});
        }
    }
    SECTION("begun and left for a day") {
        ada.gives = false;
        const Buffer content = make_content(10 * kib, 1);
        const auto request = ada.send("#lobby", content);
        ada.run();
        CHECK(client.give_file(*request, 0, BytesView{content}.first(5 * kib)) == Errc{});
        ada.run();
        town.vanish(ada.person);
        town.cut();
        town.run_for(std::chrono::hours{23});
        CHECK(town.files.size() == 1);
        town.run_for(std::chrono::hours{2});
        CHECK(town.files.size() == 0);
    }
}

TEST_CASE("an application that does not read holds its own file up, and nobody else", "[files]") {
    Town town;
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    const Buffer content = make_content(3000 * kib, 5);
    const Offset offset = ada.must_send("#lobby", content);
    bob.run();

    bob.person.reading = false;
    const auto request = bob.fetch("#lobby", offset);
    town.run();
    CHECK(town.say(ada.person, "#lobby", "still here") == Errc{});
    std::size_t waiting = 0;
    bob.person.read();
    for (const FileChunk& chunk : bob.person.all<FileChunk>()) waiting += chunk.bytes.size();
    CHECK(waiting < 1500 * kib);
    bob.person.reading = true;
    CHECK(bob.outcome(request) == Errc{});
    CHECK(bob.fetched[*request].bytes == content);
    CHECK(bob.person.texts().back() == "still here");
}

TEST_CASE("an application whose disk is slow gets no more of a file than it has room for",
          "[files]") {
    Town town;
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    const Buffer content = make_content(3000 * kib, 11);
    const Offset offset = ada.must_send("#lobby", content);
    bob.person.client.hold_file_bytes();

    const auto request = bob.fetch("#lobby", offset);
    bob.run();
    // What is on its way is bounded by the stream's window.
    const Buffer& got = bob.fetched[*request].bytes;
    const std::size_t first = got.size();
    CHECK(first >= Limits{}.file_backlog_bytes_max);
    CHECK(first < 2 * Limits{}.file_backlog_bytes_max);
    REQUIRE(ada.person.client.publish("#lobby", "meanwhile"));
    town.run();
    CHECK(bob.person.last<RoomMessage>().text == "meanwhile");

    SECTION("and all of it as it writes it") {
        std::size_t written = 0;
        while (got.size() > written) {
            bob.person.client.release_file_bytes(got.size() - std::exchange(written, got.size()));
            bob.run();
        }
        CHECK(got == content);
    }
    SECTION("and what it cancels makes room for another") {
        bob.person.client.cancel_file(*request);
        bob.person.client.release_file_bytes(first);
        bob.run();
        const auto again = bob.fetch("#lobby", offset);
        bob.run();
        CHECK(bob.fetched[*again].bytes.size() >= Limits{}.file_backlog_bytes_max);
    }
}

TEST_CASE("many files at once take turns", "[files]") {
    Town town;
    Courier ada{town, town.add_in("ada", "#lobby")};
    std::vector<Buffer> contents;
    std::vector<Result<RequestId>> requests;
    for (std::uint64_t i = 0; i < 12; ++i) {
        contents.push_back(make_content(30 * kib + i, i));
        requests.push_back(ada.send("#lobby", contents.back()));
    }
    ada.run();
    std::vector<Result<RequestId>> fetching;
    for (std::size_t i = 0; i < 12; ++i) {
        REQUIRE(ada.acked.count(*requests[i]) == 1);
        fetching.push_back(ada.fetch("#lobby", ada.acked.at(*requests[i]).offset));
    }
    ada.run();
    for (std::size_t i = 0; i < 12; ++i) {
        CHECK(ada.fetched[*fetching[i]].complete);
        CHECK(ada.fetched[*fetching[i]].bytes == contents[i]);
    }
}

TEST_CASE("who fetches much waits in between, and nobody else does", "[files]") {
    Limits limits;
    limits.file_bytes_per_account = {.burst = 128 * kib, .per_second = 128 * kib};
    Town town{with_limits(limits)};
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    const Buffer content = make_content(640 * kib, 5);
    const Offset large = ada.must_send("#lobby", content);
    const Offset small = ada.must_send("#lobby", make_content(kib, 6));
    bob.run();

    const auto request = bob.fetch("#lobby", large);
    REQUIRE(request);
    bob.run();
    CHECK(bob.fetched[*request].bytes.size() == 128 * kib);
    CHECK(ada.outcome(ada.fetch("#lobby", small)) == Errc{});

    SECTION("as fast as it may") {
        town.run_for(std::chrono::milliseconds{2500});
        bob.run();
        CHECK(bob.fetched[*request].bytes.size() == 384 * kib);
        town.run_for(std::chrono::seconds{2});
        bob.run();
        CHECK(bob.fetched[*request].complete);
        CHECK(bob.fetched[*request].bytes == content);
    }
    SECTION("and if it does not want it any more, nothing is left") {
        bob.person.client.cancel_file(*request);
        town.run();
        CHECK(town.server->transfers() == 0);
    }
}

TEST_CASE("who sends much is read more slowly, and nobody else is", "[files]") {
    Limits limits;
    limits.upload_bytes_per_account = {.burst = 128 * kib, .per_second = 128 * kib};
    Town town{with_limits(limits)};
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    const Buffer content = make_content(1024 * kib, 5);
    const auto request = ada.send("#lobby", content);
    ada.run();
    CHECK(ada.acked.count(*request) == 0);  // what is above its burst waits
    (void)bob.must_send("#lobby", make_content(100 * kib, 6));
    for (int i = 0; i < 40 && ada.acked.count(*request) == 0; ++i) {
        town.run_for(std::chrono::milliseconds{500});
        ada.run();
    }
    REQUIRE(ada.acked.count(*request) == 1);
    CHECK(town.now().steady - TimePoint{} > std::chrono::seconds{6});
}

TEST_CASE("an offer without bytes ends, and takes no space from anybody", "[files]") {
    Limits limits;
    limits.files_bytes_max = 4 << 20;
    Town town{with_limits(limits)};
    Courier mal{town, town.add_in("mal", "#lobby")};
    Courier ada{town, town.add_in("ada", "#lobby")};
    mal.gives = false;
    for (int i = 0; i < 3; ++i) REQUIRE(mal.send("#lobby", make_content(3 << 20, 1)));
    mal.run();
    // Three offers of 3 MiB keep a window each; a file of 1 MiB fits beside them.
    (void)ada.must_send("#lobby", make_content(900 * kib, 2));
    town.run_for(std::chrono::seconds{90});
    mal.run();
    CHECK(mal.refused.size() == 3);
    town.run_for(std::chrono::seconds{90});
    (void)ada.must_send("#lobby", make_content(2 << 20, 3));  // their windows are free again
}

TEST_CASE("an account has room for so many files, and fetches so many at a time", "[files]") {
    Limits limits;
    limits.files_per_account_bytes_max = 400 * kib;
    limits.downloads_per_account_max = 1;
    limits.file_bytes_per_account = {.burst = 128 * kib, .per_second = kib};
    Town town{with_limits(limits)};
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier tablet{town, town.add_in("Ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    const Offset large = ada.must_send("#lobby", make_content(300 * kib, 1));
    CHECK(tablet.outcome(tablet.send("#lobby", make_content(101 * kib, 2))) ==
          Errc::quota_exceeded);
    const Offset small = bob.must_send("#lobby", make_content(101 * kib, 3));

    REQUIRE(ada.fetch("#lobby", large));
    ada.run();  // and it waits for its rate
    CHECK(tablet.outcome(tablet.fetch("#lobby", small)) == Errc::queue_full);
    CHECK(bob.outcome(bob.fetch("#lobby", small)) == Errc{});
    const Offset tiny = bob.must_send("#lobby", make_content(kib, 4));
    for (int i = 0; i < 3; ++i) CHECK(bob.outcome(bob.fetch("#lobby", tiny)) == Errc{});
}

TEST_CASE("what still comes of a file that was refused is of no use, and ends no connection",
          "[files]") {
    Town town{with_limits({.files_per_account_bytes_max = 200 * kib, .upload_ahead_bytes = kib})};
    Courier ada{town, town.add_in("ada", "#lobby")};
    ada.gives = false;
    // Both fit when they begin. The one takes the space of the other.
    const auto one = ada.send("#lobby", make_content(120 * kib, 1));
    const auto other = ada.send("#lobby", make_content(120 * kib, 2));
    ada.run();
    const auto give = [&](const Result<RequestId>& request) {
        CHECK(ada.person.client.give_file(*request, 0, ada.sending[*request]) == Errc{});
    };
    give(one);
    give(other);
    ada.run();
    CHECK(ada.outcome(one) == Errc{});
    CHECK(ada.outcome(other) == Errc::quota_exceeded);
    CHECK(ada.person.count<Reconnecting>() == 0);
    CHECK(ada.person.online());
}
