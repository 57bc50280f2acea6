#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/login_table.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

/// What stands behind the exchanges of SlowAuthenticator: a store that answers when it likes.
struct SlowStore {
    std::map<std::string, LoginStep> answers;  ///< By user. Taken when it is polled.
    std::size_t polls = 0;
};

/// Takes a name as `data` and asks the store, which is slow.
class SlowAuthenticator : public Authenticator {
public:
    explicit SlowAuthenticator(SlowStore& store) : store_(&store) {}

    class Exchange final : public LoginExchange {
    public:
        explicit Exchange(SlowStore& store) : store_(&store) {}
        LoginStep start(const LoginRequest& request) override {
            user_ = to_string(request.data);
            if (user_ == "fast") return LoginAccepted{user_, {}};
            if (user_ == "asked") return LoginChallenge{hex("aa")};
            waits_ = true;
            deadline_ = request.now.steady + 5s;
            return LoginPending{};
        }
        LoginStep respond(BytesView) override {
            waits_ = true;
            return LoginPending{};
        }
        bool waits() const override { return waits_; }
        std::optional<LoginStep> poll(Now) override {
            ++store_->polls;
            const auto found = store_->answers.find(user_);
            if (found == store_->answers.end()) return std::nullopt;
            LoginStep step = found->second;
            store_->answers.erase(found);
            // After an acceptance a token is to come.
            waits_ = std::holds_alternative<LoginAccepted>(step) && user_ == "token";
            return step;
        }
        std::optional<TimePoint> deadline() const override { return deadline_; }
        const std::string& claimed_user() const override { return user_; }

    private:
        SlowStore* store_;
        std::string user_;
        bool waits_ = false;
        std::optional<TimePoint> deadline_;
    };

    std::unique_ptr<LoginExchange> begin(BytesView entropy) override {
        REQUIRE(entropy.size() == login_entropy_bytes);
        return std::make_unique<Exchange>(*store_);
    }

    std::optional<std::string> find_account(const std::string& name) const override {
        return name == "ADA" ? std::optional<std::string>{"ada"} : std::nullopt;
    }

private:
    SlowStore* store_;
};

struct Scene {
    SlowStore store{};
    LoginTable table{SlowAuthenticator{store}, Entropy::seeded(1), 15s};
    TimePoint now{1h};
    ChannelBinding binding{};

    LoginStep start(std::uint64_t connection, std::string_view user) {
        table.open(ConnectionId{connection}, now);
        return table.start(ConnectionId{connection},
                           {"M", as_bytes(user), binding, {}, "peer", {now, {}}});
    }
    std::optional<std::pair<ConnectionId, LoginStep>> poll() { return table.poll({now, {}}); }
};

template <class S>
bool is(const LoginStep& step) {
    return std::holds_alternative<S>(step);
}

}  // namespace

TEST_CASE("a table of logins", "[server]") {
    Scene scene;

    SECTION("hands on what an exchange knows at once, and polls it no more") {
        CHECK(is<LoginAccepted>(scene.start(1, "fast")));
        CHECK_FALSE(scene.poll().has_value());
        CHECK(scene.store.polls == 0);
    }
    SECTION("polls those that wait, each until it has its answer") {
        CHECK(is<LoginPending>(scene.start(1, "ada")));
        CHECK(is<LoginPending>(scene.start(2, "bob")));
        CHECK(is<LoginAccepted>(scene.start(3, "fast")));
        CHECK_FALSE(scene.poll().has_value());
        CHECK(scene.store.polls == 2);
        scene.store.answers.emplace("bob", LoginRefused{});
        const auto bob = scene.poll();
        REQUIRE(bob.has_value());
        CHECK(bob->first == ConnectionId{2});
        CHECK(is<LoginRefused>(bob->second));
        scene.store.answers.emplace("bob", LoginRefused{});  // nobody asks for it
        CHECK_FALSE(scene.poll().has_value());
        scene.store.answers.emplace("ada", LoginAccepted{"ada", {}});
        CHECK(is<LoginAccepted>(scene.poll()->second));
        CHECK_FALSE(scene.poll().has_value());
    }
    SECTION("gives all answers that are there, one after the other") {
        for (const char* user : {"a", "b", "c"}) {
            CHECK(is<LoginPending>(scene.start(static_cast<std::uint64_t>(user[0]), user)));
            scene.store.answers.emplace(user, LoginAccepted{user, {}});
        }
        std::string users;
        while (const auto step = scene.poll()) users += std::get<LoginAccepted>(step->second).user;
        CHECK(users == "abc");
    }
    SECTION("polls on after an acceptance, while a token is to come") {
        CHECK(is<LoginPending>(scene.start(1, "token")));
        scene.store.answers.emplace("token", LoginAccepted{"token", {}});
        CHECK(is<LoginAccepted>(scene.poll()->second));
        CHECK_FALSE(scene.poll().has_value());
        scene.store.answers.emplace("token", TokenIssued{1, hex("aa")});
        CHECK(is<TokenIssued>(scene.poll()->second));
        const std::size_t polls = scene.store.polls;
        CHECK_FALSE(scene.poll().has_value());
        CHECK(scene.store.polls == polls);
    }
    SECTION("polls what waits after a response, once") {
        CHECK(is<LoginChallenge>(scene.start(1, "asked")));
        CHECK_FALSE(scene.poll().has_value());
        CHECK(scene.store.polls == 0);
        CHECK(is<LoginPending>(scene.table.respond(ConnectionId{1}, {})));
        CHECK(is<LoginPending>(scene.table.respond(ConnectionId{1}, {})));
        CHECK_FALSE(scene.poll().has_value());
        CHECK(scene.store.polls == 1);
    }
    SECTION("knows whom a peer claims to be") {
        scene.start(1, "ada");
        CHECK(scene.table.claimed_user(ConnectionId{1}) == "ada");
        CHECK(scene.table.claimed_user(ConnectionId{2}).empty());
    }
    SECTION("forgets a connection that is gone, also while it waits") {
        scene.start(1, "ada");
        scene.start(2, "bob");
        scene.table.forget(ConnectionId{1});
        scene.table.forget(ConnectionId{9});
        scene.store.answers.emplace("ada", LoginAccepted{"ada", {}});
        CHECK_FALSE(scene.poll().has_value());
        CHECK(scene.table.claimed_user(ConnectionId{1}).empty());
        scene.store.answers.emplace("bob", LoginAccepted{"bob", {}});
        CHECK(scene.poll()->first == ConnectionId{2});
    }
}

TEST_CASE("a login table keeps time", "[server]") {
    Scene scene;
    CHECK_FALSE(scene.table.next_deadline());
    const TimePoint begin = scene.now;
    scene.start(1, "fast");

    SECTION("for those who are late, each once, in the order of their coming") {
        scene.now += 1s;
        scene.start(2, "fast");
        CHECK(scene.table.next_deadline() == begin + 15s);
        CHECK_FALSE(scene.table.poll_late(begin + 15s - Duration{1}));
        CHECK(scene.table.poll_late(begin + 15s) == ConnectionId{1});
        CHECK_FALSE(scene.table.poll_late(begin + 15s));
        CHECK(scene.table.next_deadline() == begin + 16s);
        CHECK(scene.table.poll_late(begin + 1h) == ConnectionId{2});
        CHECK_FALSE(scene.table.poll_late(begin + 1h));
        CHECK_FALSE(scene.table.next_deadline());
    }
    SECTION("by another measure for those who come after it was set") {
        scene.table.set_timeout(5s);
        scene.now += 1s;
        scene.start(2, "fast");
        CHECK(scene.table.next_deadline() == begin + 6s);
        CHECK(scene.table.poll_late(begin + 6s) == ConnectionId{2});
        CHECK_FALSE(scene.table.poll_late(begin + 6s));
        CHECK(scene.table.poll_late(begin + 15s) == ConnectionId{1});
    }
    SECTION("for exchanges that wait, as long as they do") {
        scene.start(2, "ada");
        CHECK(scene.table.next_deadline() == begin + 5s);
        scene.table.forget(ConnectionId{2});
        CHECK(scene.table.next_deadline() == begin + 15s);
    }
}

TEST_CASE("a login table knows how accounts are spelled, as its authenticator does", "[server]") {
    const Scene scene;
    CHECK(scene.table.find_account("ADA") == "ada");
    CHECK(scene.table.find_account("eve") == std::nullopt);
}
