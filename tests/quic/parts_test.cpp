#include <catch2/catch_test_macros.hpp>
#include <set>

#include "quicchat/quic/connection_id.hpp"
#include "quicchat/quic/doorman.hpp"
#include "quicchat/quic/error.hpp"
#include "quicchat/quic/memory_trim.hpp"
#include "quicchat/quic/send_buffer.hpp"
#include "quicchat/quic/timer_heap.hpp"
#include "quicchat/quic/token.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

TEST_CASE("a send buffer", "[quic][send_buffer]") {
    quic::SendBuffer buffer;
    std::vector<BytesView> views;
    const auto next = [&](std::size_t pieces_max = 100, std::size_t enough = 1000) {
        std::string text;
        views.clear();
        const std::size_t shown = buffer.show(pieces_max, enough, [&](BytesView piece) {
            views.push_back(piece);
            text += as_text(piece);
        });
        CHECK(shown == text.size());
        return text;
    };
    buffer.append(text_bytes("hello "));
    buffer.append(Bytes{});
    buffer.append(text_bytes("world"));

    SECTION("shows what was not sent yet") {
        CHECK(next() == "hello world");
        buffer.handle_sent(3);
        CHECK(next() == "lo world");
        CHECK(buffer.unsent() == 8);
        buffer.handle_sent(3);
        CHECK(next() == "world");
        buffer.handle_sent(5);
        CHECK(next().empty());
        CHECK(buffer.unsent() == 0);
    }
    SECTION("keeps a piece until all of it is acknowledged") {
        buffer.handle_sent(11);
        buffer.handle_acknowledged(5);
        CHECK(buffer.pieces() == 2);
        buffer.handle_acknowledged(1);
        CHECK(buffer.pieces() == 1);
        buffer.handle_acknowledged(0);
        buffer.handle_acknowledged(5);
        CHECK(buffer.pieces() == 0);
    }
    SECTION("never lets go of a piece that is not sent as a whole") {
        buffer.handle_sent(8);
        buffer.handle_acknowledged(8);
        CHECK(buffer.pieces() == 1);
        CHECK(next() == "rld");
        buffer.append(text_bytes("!"));
        CHECK(next() == "rld!");
    }
    SECTION("refers to the bytes it was given") {
        const Bytes bytes = text_bytes("shared");
        buffer.clear();
        buffer.append(bytes);
        CHECK(next() == "shared");
        REQUIRE(views.size() == 1);
        CHECK(views[0].data() == bytes.data());
    }
    SECTION("shows no more pieces than fit a packet") {
        for (int i = 0; i < 100; ++i) buffer.append(text_bytes("x"));
        CHECK(next(4) == "hello worldxx");
        CHECK(next(100, 12) == "hello worldx");
        CHECK(next(100, 3) == "hello ");
        CHECK(buffer.unsent() == 111);
    }
}

TEST_CASE("an interface tells how long packets may be", "[quic][mtu]") {
    quic::InterfacePayloads payloads;
    const auto max_from = [&](const char* address) {
        return payloads.max_from(*quic::SocketAddress::from_numeric(address, 4433), TimePoint{1s});
    };
    // The loopback, which takes more than any Ethernet, though not on every machine.
    CHECK(max_from("127.0.0.1") >= quic::PacketSize::ordinary);
    CHECK(max_from("::ffff:127.0.0.1") == max_from("127.0.0.1"));
    CHECK(max_from("192.0.2.1") == 0);  // RFC 5737: nobody has it
}

TEST_CASE("connection ids", "[quic]") {
    quic::Random random{quic::test_seed(1)};
    quic::ConnectionIdTable table{random};
    const ngtcp2_cid one = quic::new_connection_id(random, 7);
    CHECK(one.data[0] == 7);
    CHECK(one.datalen == quic::connection_id_bytes);
    CHECK(table.add(one, ConnectionId{1}));
    CHECK_FALSE(table.add(one, ConnectionId{2}));
    CHECK(table.find(quic::view(one)) == ConnectionId{1});
    table.remove(one, ConnectionId{2});
    CHECK(table.size() == 1);
    table.remove(one, ConnectionId{1});
    CHECK_FALSE(table.find(quic::view(one)));
    CHECK_FALSE(table.find(std::vector<std::uint8_t>(200)));
    CHECK_FALSE(table.find({}));
}

TEST_CASE("random bytes are the same for the same seed, and different otherwise", "[quic]") {
    quic::Random a{quic::test_seed(1)};
    quic::Random b{quic::test_seed(1)};
    quic::Random c{quic::test_seed(2)};
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t number = a.next();
        CHECK(number == b.next());
        CHECK(seen.insert(number).second);
        CHECK(seen.insert(c.next()).second);
    }
    CHECK(quic::system_seed() != quic::system_seed());
}

TEST_CASE("the timer heap gives deadlines back in order", "[quic]") {
    quic::TimerHeap heap;
    for (const int second : {5, 1, 4, 2, 3}) {
        heap.push(TimePoint{std::chrono::seconds{second}},
                  ConnectionId{static_cast<std::uint64_t>(second)});
    }
    CHECK(heap.next() == TimePoint{1s});
    CHECK_FALSE(heap.pop_due(TimePoint{999ms}));
    for (std::uint64_t second = 1; second <= 5; ++second) {
        const auto entry = heap.pop_due(TimePoint{10s});
        REQUIRE(entry);
        CHECK(entry->connection == ConnectionId{second});
    }
    CHECK_FALSE(heap.next());
}

TEST_CASE("an address token", "[quic][retry]") {
    quic::Random random{quic::test_seed(1)};
    const quic::Tokens tokens{random, {}};
    const quic::Tokens others{random, {}};
    const auto address = *quic::SocketAddress::parse("192.0.2.1:1000");
    const auto elsewhere = *quic::SocketAddress::parse("192.0.2.2:1000");
    const ngtcp2_cid original = quic::new_connection_id(random, 0);
    const ngtcp2_cid retry = quic::new_connection_id(random, 0);
    const TimePoint now{1000s};
    constexpr auto version = NGTCP2_PROTO_VER_V1;
    using Verdict = quic::TokenVerdict;

    SECTION("is known to who has its secret") {
        const quic::TokenSecrets secrets{.addresses = quic::test_seed(9)};
        const quic::Tokens before{random, secrets};
        const quic::Tokens after{random, secrets};
        const auto token = before.make_known(address, now);
        CHECK(after.check(token, version, address, retry, now).kind == Verdict::known);
        CHECK(others.check(token, version, address, retry, now).kind == Verdict::none);
        CHECK(before.make_retry(version, address, retry, original, now).size() > 0);
        CHECK(after
                  .check(before.make_retry(version, address, retry, original, now), version,
                         address, retry, now)
                  .kind == Verdict::retry);
    }
    SECTION("of a Retry proves the address for ten seconds") {
        const auto token = tokens.make_retry(version, address, retry, original, now);
        const auto check = [&](const auto& by, const auto& from, const auto& id, TimePoint when) {
            return by.check(token, version, from, id, when);
        };
        const Verdict good = check(tokens, address, retry, now + 9s);
        CHECK(good.kind == Verdict::retry);
        CHECK(ngtcp2_cid_eq(&good.original_dcid, &original) != 0);
        CHECK(check(tokens, address, retry, now + 11s).kind == Verdict::invalid);
        CHECK(check(tokens, elsewhere, retry, now).kind != Verdict::retry);
        CHECK(check(tokens, address, original, now).kind != Verdict::retry);
        CHECK(check(others, address, retry, now).kind == Verdict::none);
    }
    SECTION("for the next time proves the address for an hour, from any port") {
        auto token = tokens.make_regular(address, now);
        auto other_port = address;
        other_port.set_port(2000);
        const auto check = [&](const auto& from, TimePoint when) {
            return tokens.check(token, version, from, retry, when).kind;
        };
        CHECK(check(address, now + 59min) == Verdict::regular);
        CHECK(check(other_port, now) == Verdict::regular);
        CHECK(check(address, now + 61min) == Verdict::none);
        CHECK(check(elsewhere, now) == Verdict::none);
        token.back() ^= 1;
        CHECK(check(address, now) == Verdict::none);
    }
    SECTION("of who was logged in says so for a week") {
        auto token = tokens.make_known(address, now);
        const auto check = [&](const auto& by, const auto& from, TimePoint when) {
            return by.check(token, version, from, retry, when).kind;
        };
        CHECK(check(tokens, address, now + 1h) == Verdict::known);
        CHECK(check(tokens, address, now + 167h) == Verdict::known);
        CHECK(check(tokens, address, now + 169h) == Verdict::none);
        CHECK(check(tokens, elsewhere, now) == Verdict::none);
        CHECK(check(others, address, now) == Verdict::none);
        token.back() ^= 1;
        CHECK(check(tokens, address, now) == Verdict::none);
    }
    SECTION("of garbage proves nothing") {
        std::vector<std::uint8_t> garbage;
        CHECK(tokens.check(garbage, version, address, retry, now).kind == Verdict::none);
        for (int i = 0; i < 300; ++i) {
            garbage.push_back(static_cast<std::uint8_t>(random.next()));
            for (const int magic : {0xb6, 0xb7, 0x36, 0}) {
                garbage[0] = static_cast<std::uint8_t>(magic);
                CHECK(tokens.check(garbage, version, address, retry, now).kind == Verdict::none);
            }
        }
    }
}

TEST_CASE("the uses of a token are counted as long as it lives", "[quic][strangers]") {
    quic::Random random{quic::test_seed(1)};
    quic::TokenUses uses{random, 1h, 64};
    const std::vector<std::uint8_t> token{1, 2, 3};
    const TimePoint begin{1000s};
    const auto used = [&](TimePoint now) {
        unsigned count = 0;
        for (; uses.may_use(token, now); ++count) uses.note_use(token, now);
        return count;
    };
    uses.note_use(token, begin);
    CHECK(used(begin + 59min) == quic::TokenUses::uses_max - 1);
    CHECK(used(begin + 61min) == 0);   // in the next generation
    CHECK(used(begin + 119min) == 0);  // begun in the first one, and used a moment ago
    CHECK(used(begin + 121min) == quic::TokenUses::uses_max);
    CHECK(used(begin + 300min) == quic::TokenUses::uses_max);

    // However many there are, the table is as large as it was, and counts too many rather than too
    // few.
    for (std::uint8_t i = 0; i < 250; ++i) {
        const std::vector<std::uint8_t> other{i, 7};
        for (unsigned k = 0; k < quic::TokenUses::uses_max; ++k) {
            uses.note_use(other, begin + 400min);
        }
        CHECK_FALSE(uses.may_use(other, begin + 400min));
    }
}

TEST_CASE("networks have budgets of their own in a table that does not grow", "[quic][strangers]") {
    quic::Random random{quic::test_seed(1)};
    quic::PrefixBudgets budgets{random};
    const Rate rate{.burst = 10, .per_second = 5};
    const TimePoint begin{1000s};
    const auto take = [&](const std::string& host, int count, TimePoint now) {
        const std::string prefix =
            address_prefix(quic::SocketAddress::from_numeric(host, 1)->to_string());
        int taken = 0;
        for (int i = 0; i < count; ++i) taken += budgets.take(prefix, rate, now) ? 1 : 0;
        return taken;
    };
    SECTION("of 24 bits of IPv4, and as many when it comes mapped into IPv6") {
        CHECK(take("192.0.2.1", 100, begin) == 10);
        CHECK(take("192.0.2.200", 100, begin) == 0);
        CHECK(take("::ffff:192.0.2.3", 100, begin) == 0);
        CHECK(take("192.0.3.1", 100, begin) == 10);
        CHECK(take("192.0.2.1", 100, begin + 1s) == 5);
        CHECK(take("192.0.2.1", 100, begin + 1h) == 10);
    }
    SECTION("of 56 bits of IPv6, and of 48 for eight of these") {
        CHECK(take("2001:db8:1:100::1", 100, begin) == 10);
        CHECK(take("2001:db8:1:1ff::1", 100, begin) == 0);
        CHECK(take("2001:db8:1:200::1", 100, begin) == 10);
        for (int i = 3; i <= 8; ++i) {
            CHECK(take("2001:db8:1:" + std::to_string(i) + "00::1", 100, begin) == 10);
        }
        CHECK(take("2001:db8:1:900::1", 100, begin) == 0);
        CHECK(take("2001:db8:2:900::1", 100, begin) == 10);
    }
    SECTION("which a hundred floods elsewhere leave nearly all of them") {
        for (int i = 0; i < 100; ++i) (void)take("10.0." + std::to_string(i) + ".1", 100, begin);
        int whole = 0;
        for (int i = 0; i < 200; ++i) {
            if (take("10.1." + std::to_string(i) + ".1", 10, begin) == 10) ++whole;
        }
        CHECK(whole >= 195);
    }
}

TEST_CASE("memory is given back when many connections have gone", "[quic][strangers]") {
    quic::MemoryTrim trim;
    const TimePoint begin{1000s};
    CHECK_FALSE(trim.is_due(1000, begin));
    CHECK_FALSE(trim.next_deadline());

    SECTION("once, when it has been quiet") {
        CHECK_FALSE(trim.is_due(400, begin));
        REQUIRE(trim.next_deadline() == begin + 10s);
        CHECK_FALSE(trim.is_due(100, begin + 9s));
        CHECK(trim.is_due(100, begin + 10s));
        CHECK_FALSE(trim.next_deadline());
        CHECK_FALSE(trim.is_due(100, begin + 20s));
        CHECK_FALSE(trim.is_due(0, begin + 40s));
    }
    SECTION("not while they come and go") {
        for (int second = 0; second < 60; second += 4) {
            CHECK_FALSE(trim.is_due(400, begin + std::chrono::seconds{second}));
            CHECK_FALSE(trim.is_due(1000, begin + std::chrono::seconds{second + 2}));
        }
    }
    SECTION("not when half of them are there") {
        CHECK_FALSE(trim.is_due(501, begin));
        CHECK_FALSE(trim.is_due(501, begin + 1h));
    }
    SECTION("not for a few") {
        quic::MemoryTrim small;
        CHECK_FALSE(small.is_due(255, begin));
        CHECK_FALSE(small.is_due(0, begin));
        CHECK_FALSE(small.is_due(0, begin + 1h));
    }
}

TEST_CASE("QUIC's error codes in our words", "[quic]") {
    CHECK(quic::errc_from_transport_code(0x178) == Errc::version_mismatch);
    CHECK(quic::errc_from_transport_code(0x2) == Errc::server_full);
    CHECK(quic::errc_from_transport_code(0x0) == Errc::closed);
    CHECK(quic::errc_from_transport_code(0xa) == Errc::transport_failed);
    CHECK(quic::transport_code_text(0x178) == "TLS alert no_application_protocol");
    CHECK(quic::transport_code_text(0xa) == "PROTOCOL_VIOLATION");
    CHECK(quic::transport_code_text(0x4242) == "16962");
    const std::string long_text = std::string(255, 'x') + "\xc3\xa9";
    CHECK(quic::bounded_reason(long_text) == std::string(255, 'x'));
    CHECK(quic::bounded_reason("short") == "short");
}
