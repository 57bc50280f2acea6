#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/session/client_session_fixture.hpp"

namespace quicchat::test {
namespace {

TEST_CASE("a client session and display names", "[session]") {
    ClientFixture f;

    SECTION("says what its account wants to be called") {
        CHECK(to_errc(f.session.set_display_name("Ada").error()) == Errc::not_ready);
        f.go_online();
        REQUIRE(f.session.set_display_name("Ada L."));
        const auto sent = f.sent_of<wire::SetProfile>();
        REQUIRE(sent.size() == 1);
        CHECK(sent.front().display == "Ada L.");
        CHECK(f.receive(control, wire::Profile{sent.front().request, "ada", "Ada L."}) == Errc{});
        const auto event = f.event<ProfileChanged>();
        CHECK(event.request == sent.front().request);
        CHECK(event.user == "ada");
        CHECK(event.display == "Ada L.");
        REQUIRE(f.session.set_display_name(""));
    }
    SECTION("does not ask for what is no name") {
        f.go_online();
        CHECK(to_errc(f.session.set_display_name("a\nb").error()) == Errc::invalid_text);
        CHECK(to_errc(f.session.set_display_name(" a").error()) == Errc::invalid_text);
        CHECK(f.sent().empty());
    }
    SECTION("is told of others") {
        f.go_online();
        CHECK(f.receive(control, wire::Profile{0, "bob", "Bob B."}) == Errc{});
        const auto event = f.event<ProfileChanged>();
        CHECK(event.request == 0);
        CHECK(event.user == "bob");
        CHECK(f.receive(control, wire::Profile{0, "bob", ""}) == Errc{});
        CHECK(f.event<ProfileChanged>().display.empty());
    }
    SECTION("takes a refusal") {
        f.go_online();
        const RequestId request = *f.session.set_display_name("bob");
        CHECK(f.receive(control, wire::Error{request, wire_code(Errc::forbidden), 4, 0, "no"}) ==
              Errc{});
        CHECK(f.event<Refused>().errc == Errc::forbidden);
    }
    SECTION("has no answer when the connection is lost") {
        f.go_online();
        const RequestId request = *f.session.set_display_name("Ada");
        f.lose();
        const auto events = f.events();
        const auto* refused = std::get_if<Refused>(&events.at(0));
        REQUIRE(refused != nullptr);
        CHECK(refused->request == request);
        CHECK(refused->errc == Errc::not_ready);
        CHECK(f.session.unanswered_requests() == 0);
    }
    SECTION("believes no answer that it did not ask for") {
        f.go_online();
        CHECK(f.receive(control, wire::Profile{7, "ada", "Ada"}) == Errc::unexpected_frame);
    }
    SECTION("closes on names that could not be shown") {
        f.join_lobby();
        for (const char* bad : {" x", "a\tb",
                                "\xe2\x80\xae"
                                "x",
                                "x\xe2\x80\x8b"}) {
            CHECK(f.receive(control, wire::Profile{0, "bob", bad}) == Errc::malformed_frame);
            CHECK(f.receive(room_stream, wire::Presence{"bob", true, bad}) ==
                  Errc::malformed_frame);
            CHECK(f.receive(room_stream,
                            wire::Members{0, {{"bob", Role::member, true, bad}}, true}) ==
                  Errc::malformed_frame);
        }
        CHECK(f.receive(control, wire::Profile{0, "b b", "Bob"}) == Errc::malformed_frame);
        CHECK(f.events().empty());
    }
    SECTION("hears them with who comes and who is there") {
        f.join_lobby();
        CHECK(f.receive(room_stream, wire::Presence{"bob", true, "Bob B."}) == Errc{});
        CHECK(f.event<PresenceChanged>().display == "Bob B.");
        CHECK(f.receive(room_stream,
                        wire::Members{0, {{"bob", Role::member, true, "Bob B."}}, true}) == Errc{});
        CHECK(f.event<MemberList>().people.at(0).display == "Bob B.");
    }
}

}  // namespace
}  // namespace quicchat::test
