#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/courier.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// Answers the one question that is open, which is about a file.
MessageQuestion answer_one(Town& town, CheckDecision decision) {
    const auto question = town.server->poll_question();
    REQUIRE(question);
    CHECK(question->question.kind == MessageQuestion::Kind::file);
    CHECK(town.server->answer(question->ticket, std::move(decision)));
    CHECK_FALSE(town.server->poll_question());
    return question->question;
}

}  // namespace

TEST_CASE("a program judges the names of files before their bytes come", "[files][checks]") {
    Town town{{.server = {.checks_messages = true}}};
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    const Buffer content = make_content(100 * 1024, 5);
    const auto request = ada.send("#lobby", content, "damn.txt");
    REQUIRE(request);
    ada.run();
    CHECK(ada.person.count<FileWanted>() == 0);

    SECTION("it is asked with what it should know, and accepts") {
        const MessageQuestion asked = answer_one(town, AcceptMessage{});
        CHECK(asked.user == "ada");
        CHECK(asked.room == "#lobby");
        CHECK(asked.text == "damn.txt");
        CHECK(ada.outcome(request) == Errc{});
        CHECK(bob.person.last<RoomMessage>().text == "damn.txt");
        CHECK_FALSE(town.server->poll_question());
    }
    SECTION("it refuses, and no byte is sent") {
        answer_one(town, RefuseMessage{"not that name"});
        CHECK(ada.outcome(request) == Errc::not_accepted);
        CHECK(ada.person.last<Refused>().text == "not that name");
        CHECK(ada.person.count<FileWanted>() == 0);
        CHECK(bob.person.count<RoomMessage>() == 0);
        CHECK(town.server->transfers() == 0);
    }
    SECTION("it gives another name, which is the only one that others see") {
        answer_one(town, ReplaceMessage{"d***.txt"});
        CHECK(ada.outcome(request) == Errc{});
        const RoomMessage told = bob.person.last<RoomMessage>();
        CHECK(told.text == "d***.txt");
        const auto fetched = bob.fetch("#lobby", told.offset);
        CHECK(bob.outcome(fetched) == Errc{});
        CHECK(bob.fetched[*fetched].begun->name == "d***.txt");
        CHECK(bob.fetched[*fetched].bytes == content);

        SECTION("and sent again it is known, and nobody is asked") {
            const auto again = ada.send("#lobby", content, "damn.txt", ada.acked.at(*request).id);
            CHECK(ada.outcome(again) == Errc{});
            CHECK(ada.acked.at(*again).offset == told.offset);
            CHECK_FALSE(town.server->poll_question());
        }
    }
    SECTION("a name that is not fit for a file is not stored") {
        answer_one(town, ReplaceMessage{"../\nname"});
        CHECK(ada.outcome(request) == Errc::not_accepted);
    }
    SECTION("it does not answer in time") {
        town.run_for(std::chrono::seconds{6});
        CHECK(ada.outcome(request) == Errc::not_checked);
    }
    SECTION("the client does not want it any more when it answers") {
        ada.person.client.cancel_file(*request);
        town.run();
        CHECK(town.server->transfers() == 0);
        answer_one(town, AcceptMessage{});
        town.run();
        CHECK(bob.person.count<RoomMessage>() == 0);
    }
}

TEST_CASE("what is sent after a file does not wait for what its name is said to be",
          "[files][checks]") {
    Town town{{.server = {.checks_messages = true}}};
    Courier ada{town, town.add_in("ada", "#lobby")};
    REQUIRE(ada.send("#lobby", make_content(1000, 5), "name.txt"));
    ada.run();
    const auto about_file = town.server->poll_question();
    REQUIRE(about_file);

    REQUIRE(ada.person.client.publish("#lobby", "hello"));
    ada.run();
    const auto about_message = town.server->poll_question();
    REQUIRE(about_message);
    CHECK(about_message->question.kind == MessageQuestion::Kind::message);
    CHECK(town.server->answer(about_message->ticket, AcceptMessage{}));
    ada.run();

    CHECK(ada.person.texts() == std::vector<std::string>{"hello"});
}
