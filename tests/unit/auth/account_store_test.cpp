#include "quicchat/auth/account_store.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/password.hpp"
#include "reference_crypto.hpp"

using namespace quicchat;
using test::ReferenceCrypto;

namespace {

Verifier verifier(unsigned number = 1, std::uint32_t iterations = 4096) {
    Verifier v;
    v.iterations = iterations;
    v.salt.fill(static_cast<std::byte>(number));
    v.stored_key.fill(static_cast<std::byte>(number + 1));
    v.server_key.fill(static_cast<std::byte>(number + 2));
    return v;
}

const std::string secret = "the server's secret, 16 or more";

ScramLookUp look_up(const AccountStore& store, std::string_view name,
                    std::string_view server_secret = secret) {
    return store.find_or_fake<ReferenceCrypto>(name, as_bytes(server_secret));
}

}  // namespace

TEST_CASE("passwords", "[auth]") {
    for (const std::string_view good :
         {"x", "pencil", "p\xc3\xa4ss", "a b", "\xf0\x9f\x94\x91", "\xc2\xa0", "\xef\xbf\xbd"}) {
        CAPTURE(good);
        CHECK(is_password(good));
    }
    CHECK(is_password(std::string(1024, 'x')));
    for (const std::string_view bad :
         {"", "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80",
          "a\n", "a\tb", "\x7f", "\xc2\x80", "\xc2\x9f", "\x1b[0m"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_password(bad));
    }
    CHECK_FALSE(is_password(std::string_view{"a\0b", 3}));
    CHECK_FALSE(is_password(std::string(1025, 'x')));
}

TEST_CASE("names", "[auth]") {
    CHECK(is_user_name("Ada.L-1_x"));
    CHECK(is_user_name(std::string(32, 'a')));
    for (const std::string_view bad :
         {"", "a b", "a,b", "a=b", "#a", "a/b", "\xc3\xa9", "a\n", "a:b"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_user_name(bad));
    }
    CHECK_FALSE(is_user_name(std::string(33, 'a')));
    CHECK_FALSE(is_user_name(std::string_view{"a\0", 2}));
    CHECK(canonical_name("Ada.L-1_X") == "ada.l-1_x");
    CHECK(canonical_name(canonical_name("ADA")) == "ada");
}

TEST_CASE("the text of a verifier", "[auth]") {
    const std::string text =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    SECTION("comes back as it was") {
        REQUIRE(parse_verifier(text));
        CHECK(format_verifier(*parse_verifier(text)) == text);
        CHECK(*parse_verifier(format_verifier(verifier(7, 600'000))) == verifier(7, 600'000));
    }
    SECTION("is taken whole or not at all") {
        for (std::size_t size = 0; size < text.size(); ++size) {
            CAPTURE(size);
            CHECK_FALSE(parse_verifier(text.substr(0, size)));
            CHECK_FALSE(parse_verifier(text.substr(text.size() - size)));
        }
        for (const std::string& bad :
             {text + " ", text + "\n", text + "$", " " + text, text + ":x"}) {
            CHECK_FALSE(parse_verifier(bad));
        }
    }
    SECTION("is refused with other values") {
        const auto with = [&](std::string_view what, std::string_view instead) {
            std::string changed = text;
            return changed.replace(changed.find(what), what.size(), instead);
        };
        CHECK(parse_verifier(with("4096", "600000")));
        for (const std::string_view digits : {"4095", "04096", "+4096", "0", "", "2000001", "-4096",
                                              "4294971392", "99999999999", "4096 "}) {
            CAPTURE(digits);
            CHECK_FALSE(parse_verifier(with("4096", digits)));
        }
        CHECK_FALSE(parse_verifier(with("SHA-256", "SHA-1")));
        CHECK_FALSE(parse_verifier(with("SCRAM", "scram")));
        CHECK_FALSE(parse_verifier(with("W22ZaJ0SNY7soEsUEjb6gQ==", "W22ZaJ0SNY7soEsUEjb6")));
        CHECK_FALSE(parse_verifier(with("W22ZaJ0SNY7soEsUEjb6gQ==", "W22ZaJ0SNY7soEsUEjb6gR==")));
        CHECK_FALSE(parse_verifier(with("WG5d8oPm3Otc", "WG5d8oPm")));
        CHECK_FALSE(parse_verifier(with("WG5d", "WG d")));
    }
    SECTION("is not made of a bad password or number of iterations") {
        CHECK(make_verifier<ReferenceCrypto>("", {}, 4096).error() == Errc::invalid_text);
        CHECK(make_verifier<ReferenceCrypto>("a\nb", {}, 4096).error() == Errc::invalid_text);
        CHECK(make_verifier<ReferenceCrypto>("a", {}, 4095).error() == Errc::invalid_request);
        CHECK(make_verifier<ReferenceCrypto>("a", {}, 2'000'001).error() == Errc::invalid_request);
    }
}

TEST_CASE("an account store", "[auth]") {
    AccountStore store;
    REQUIRE(store.add("Ada", verifier()));

    SECTION("finds a name in any case, and keeps its spelling") {
        REQUIRE(store.find("aDA") != nullptr);
        CHECK(store.find("aDA")->name == "Ada");
        CHECK(store.find("ad") == nullptr);
        CHECK(look_up(store, "ADA").name == "Ada");
        CHECK(look_up(store, "ADA").may_log_in);
        CHECK(look_up(store, "ADA").verifier == verifier());
    }
    SECTION("refuses names that are taken or are none") {
        CHECK(store.add("ADA", verifier(5)).error() == Errc::invalid_request);
        CHECK(store.find("ada")->verifier == verifier());
        CHECK(store.add("a b", verifier()).error() == Errc::invalid_name);
        CHECK(store.add("", verifier()).error() == Errc::invalid_name);
        CHECK(store.accounts().size() == 1);
    }
    SECTION("gives a name free again") {
        CHECK(store.remove("ada"));
        CHECK_FALSE(store.remove("ada"));
        CHECK(store.find("ada") == nullptr);
        CHECK_FALSE(look_up(store, "ada").may_log_in);
        CHECK(store.add("ADA", verifier(2)));
        CHECK(store.find("ada")->name == "ADA");
    }
    SECTION("changes a password") {
        CHECK(store.replace_verifier("ADA", verifier(9, 8192)));
        CHECK(store.find("ada")->verifier == verifier(9, 8192));
        CHECK(store.find("ada")->name == "Ada");
        CHECK_FALSE(store.replace_verifier("bob", verifier()));
        CHECK(look_up(store, "nobody").verifier.iterations == 8192);
    }
    SECTION("shows a disabled account as before, but lets nobody in") {
        REQUIRE(store.disable("ADA"));
        CHECK_FALSE(look_up(store, "ada").may_log_in);
        CHECK(look_up(store, "ada").name.empty());
        CHECK(look_up(store, "ada").verifier == verifier());
        REQUIRE(store.enable("ada"));
        CHECK(look_up(store, "ada").may_log_in);
        CHECK_FALSE(store.disable("bob"));
        CHECK_FALSE(store.enable("bob"));
    }
    SECTION("enumerates its accounts in order") {
        REQUIRE(store.add("Bob", verifier()));
        REQUIRE(store.add("ab", verifier()));
        std::string names;
        for (const auto& [canonical, account] : store.accounts()) names += account.name + " ";
        CHECK(names == "ab Ada Bob ");
    }
}

TEST_CASE("an unknown user", "[auth]") {
    AccountStore store;

    SECTION("has the same salt each time, in any case, and another for each name and secret") {
        const ScramLookUp first = look_up(store, "eve");
        CHECK_FALSE(first.may_log_in);
        CHECK(first.verifier == look_up(store, "EVE").verifier);
        CHECK(first.verifier.salt != look_up(store, "bob").verifier.salt);
        CHECK(first.verifier.salt !=
              look_up(store, "eve", "another secret of the server").verifier.salt);
        const Digest expected = ReferenceCrypto::hmac_sha256(as_bytes(secret), as_bytes("eve"));
        CHECK(std::equal(first.verifier.salt.begin(), first.verifier.salt.end(), expected.begin()));
        CHECK(first.verifier.stored_key != first.verifier.server_key);
    }
    SECTION("keeps the salt when accounts come and go") {
        const auto before = look_up(store, "eve").verifier.salt;
        REQUIRE(store.add("ada", verifier()));
        CHECK(look_up(store, "eve").verifier.salt == before);
    }
    SECTION("has the iterations of real users") {
        CHECK(look_up(store, "eve").verifier.iterations == scram_iterations_default);
        REQUIRE(store.add("ada", verifier(1, 5000)));
        CHECK(look_up(store, "eve").verifier.iterations == 5000);
    }
    SECTION("has old iterations as often as real users have them, and does not change sides") {
        for (int i = 0; i < 100; ++i) {
            REQUIRE(
                store.add("user" + std::to_string(i), verifier(1, i % 4 == 0 ? 4096 : 600'000)));
        }
        std::map<std::uint32_t, int> seen;
        std::map<std::string, std::uint32_t> first;
        for (int i = 0; i < 1000; ++i) {
            const std::string name = "nobody" + std::to_string(i);
            first[name] = look_up(store, name).verifier.iterations;
            ++seen[first[name]];
        }
        CHECK(seen.size() == 2);
        CHECK(seen[4096] > 200);
        CHECK(seen[4096] < 300);
        REQUIRE(store.add("another", verifier(1, 600'000)));
        int changed = 0;
        for (const auto& [name, iterations] : first) {
            changed += look_up(store, name).verifier.iterations != iterations;
        }
        CHECK(changed < 20);
    }
}
