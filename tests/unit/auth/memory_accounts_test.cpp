#include "quicchat/auth/memory_accounts.hpp"

#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

namespace {

Device device(unsigned number, int last_used = 0) {
    Device made;
    made.id.bytes.fill(static_cast<std::byte>(number));
    made.current.generation = number;
    made.last_used = WallTime{std::chrono::hours{last_used}};
    return made;
}

Verifier verifier() {
    Verifier made;
    made.iterations = 4096;
    return made;
}

}  // namespace

TEST_CASE("accounts in memory", "[auth]") {
    MemoryAccounts book;
    REQUIRE(book.add("Ada", verifier()));

    SECTION("are those of an AccountStore") {
        CHECK(book.accounts().find("ada")->name == "Ada");
        CHECK_FALSE(book.add("ADA", verifier()));
        CHECK(book.disable("ada"));
        CHECK_FALSE(book.accounts().find("ada")->enabled);
        CHECK(book.enable("ada"));
        CHECK(book.remove("ada"));
        CHECK_FALSE(book.remove("ada"));
        AccountStore store;
        REQUIRE(store.add("bob", verifier()));
        CHECK(MemoryAccounts{std::move(store)}.accounts().find("bob") != nullptr);
    }
    SECTION("have devices, each account its own") {
        book.save_device("ada", device(1));
        CHECK(book.find_device("ADA", device(1).id).value() == device(1));
        CHECK_FALSE(book.find_device("bob", device(1).id).value());
        CHECK_FALSE(book.find_device("ada", device(2).id).value());
        Device changed = device(1);
        changed.next = TokenKeys{7, {}, {}};
        book.save_device("Ada", changed);
        CHECK(book.devices("ada") == std::vector<Device>{changed});
        book.remove_device("ada", device(2).id);
        book.remove_device("bob", device(1).id);
        CHECK(book.devices("ada").size() == 1);
        book.remove_device("aDa", device(1).id);
        CHECK(book.devices("ada").empty());
    }
    SECTION("have so many devices; the one that was not used for longest makes room") {
        for (unsigned i = 1; i <= devices_per_account_max; ++i) {
            book.save_device("ada", device(i, i == 5 ? 1 : 10));
        }
        book.save_device("bob", device(99));
        CHECK(book.devices("ada").size() == devices_per_account_max);
        CHECK(book.find_device("ada", device(5).id).value());
        // The new one is the oldest by its clock, and stays.
        book.save_device("ada", device(50, 0));
        CHECK(book.devices("ada").size() == devices_per_account_max);
        CHECK_FALSE(book.find_device("ada", device(5).id).value());
        CHECK(book.find_device("ada", device(50).id).value());
        CHECK(book.devices("bob").size() == 1);
    }
    SECTION("lose all devices with a new password, and with the account") {
        book.save_device("ada", device(1));
        SECTION("password") { book.replace_verifier("ADA", verifier()); }
        SECTION("account") { book.remove("ADA"); }
        SECTION("a name that was a hook's before") {
            book.remove("ada");
            book.save_device("ada", device(1));
            REQUIRE(book.add("ada", verifier()));
        }
        CHECK(book.devices("ada").empty());
    }
    SECTION("are replaced by others: only who is the same keeps devices") {
        Verifier other = verifier();
        other.iterations = 5000;
        for (const char* user : {"bob", "eve"}) REQUIRE(book.add(user, verifier()));
        for (const char* user : {"ada", "bob", "eve", "carl"}) book.save_device(user, device(1));
        AccountStore next;
        REQUIRE(next.add("ADA", verifier()));
        REQUIRE(next.add("bob", other));
        REQUIRE(next.add("carl", verifier()));
        book.save_device("hooked", device(1));
        book.replace(std::move(next));
        CHECK(book.accounts().accounts().size() == 3);
        CHECK(book.accounts().find("ada")->name == "ADA");
        CHECK(book.accounts().find("eve") == nullptr);
        CHECK(book.devices("ada").size() == 1);
        CHECK(book.devices("bob").empty());
        CHECK(book.devices("eve").empty());
        CHECK(book.devices("carl").empty());  // from when a hook had the name
        CHECK(book.devices("hooked").size() == 1);
    }
    SECTION("keep their devices when a name is taken already") {
        book.save_device("ada", device(1));
        CHECK_FALSE(book.add("ada", verifier()));
        CHECK(book.devices("ada").size() == 1);
    }
    SECTION("save at once") {
        CHECK(book.saved() == 0);
        CHECK(book.save_device("ada", device(1)) == 1);
        CHECK(book.saved() == 1);
        CHECK(book.remove_device("ada", device(1).id) == 2);
        CHECK(book.saved() == 2);
    }
}

TEST_CASE("accounts in memory on a slow disk", "[auth]") {
    MemoryAccounts book;
    book.save_device("ada", device(1));
    book.hold_saves();
    const SaveTicket first = book.save_device("ada", device(2));
    book.hold_saves();
    const SaveTicket second = book.remove_device("ada", device(1).id);

    SECTION("know a change before it is safe") {
        CHECK(book.saved() < first);
        CHECK(book.devices("ada") == std::vector<Device>{device(2)});
    }
    SECTION("are safe in the end") {
        book.release_saves();
        CHECK(book.saved() == second);
        const SaveTicket third = book.save_device("ada", device(3));
        CHECK(book.saved() == third);
        book.lose_saves();
        CHECK(book.devices("ada") == std::vector<Device>{device(2), device(3)});
    }
    SECTION("lose what was not safe when the power fails") {
        book.lose_saves();
        CHECK(book.devices("ada") == std::vector<Device>{device(1)});
        CHECK(book.saved() < first);
        const SaveTicket third = book.save_device("ada", device(3));
        CHECK(book.saved() == third);
    }
}
