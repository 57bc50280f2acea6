#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/log/room_log.hpp"
#include "support/printers.hpp"

namespace quicchat::conformance {

/// What a model of RoomLog provides to be checked.
///
///  - `H()` makes a log without rooms, and `log()` gives it, always at the same address;
///  - `wait()` returns when a completion may be there, or after a while;
///  - `restart()` ends the log and begins it again where it was; only if `H::outlives_restart`.
template <class H>
concept LogHarness = std::default_initializable<H> && requires(H harness) {
    requires std::derived_from<std::remove_reference_t<decltype(harness.log())>, RoomLog>;
    { harness.wait() } -> std::same_as<void>;
    { harness.restart() } -> std::same_as<void>;
    { H::outlives_restart } -> std::convertible_to<bool>;
    { H::durability } -> std::convertible_to<Durability>;
};

namespace log_check {

inline constexpr Retention much{1000, 1'000'000};

inline MessageId message_id(unsigned number) {
    MessageId id;
    id.bytes[0] = static_cast<std::byte>(number);
    id.bytes[1] = static_cast<std::byte>(number >> 8);
    return id;
}

inline DeviceId device_id(unsigned number) {
    DeviceId id;
    id.bytes[15] = static_cast<std::byte>(number);
    return id;
}

inline Record make_record(unsigned number, std::string text = "hi") {
    return {message_id(number), device_id(1), "ada",
            std::move(text),    R"({"n":1})", WallTime{std::chrono::milliseconds{number}}};
}

inline bool same(const Record& a, const Record& b) {
    return a.id == b.id && a.device == b.device && a.author == b.author && a.text == b.text &&
           a.attributes == b.attributes && a.time == b.time && a.act == b.act;
}

/// A record of the author and device of `make_record` that is about another one.
inline Record make_act(unsigned number, Act::Kind kind, Offset target, std::string text = "") {
    Record record = make_record(number, std::move(text));
    record.attributes = R"({"act":1})";
    record.act = {.kind = kind, .target = target};
    return record;
}

template <LogHarness H>
LogNews next(H& harness) {
    for (int i = 0; i < 1000; ++i) {
        auto news = harness.log().poll_news();
        if (!news) {
            harness.wait();
            continue;
        }
        CHECK(news->is_commit() == (news->error == Errc{} && !news->duplicate));
        return *std::move(news);
    }
    FAIL("no news came");
    return {};
}

template <LogHarness H>
LogNews append(H& harness, const std::string& room, Record record, AppendToken token = 1,
               std::vector<StateChange> changes = {}) {
    harness.log().append(token, room, std::move(record), std::move(changes));
    LogNews done = next(harness);
    CHECK(done.token == token);
    CHECK(done.room == room);
    CHECK_FALSE(harness.log().poll_news());
    return done;
}

template <LogHarness H>
LogNews look_up(H& harness, const std::string& room, Record record) {
    harness.log().look_up(1, room, std::move(record));
    LogNews done = next(harness);
    CHECK(done.room == room);
    return done;
}

template <class L>
Record record_at(const L& log, const std::string& room, Offset offset) {
    const auto records = log.read(room, offset - 1, 1);
    REQUIRE(records);
    REQUIRE(records->size() == 1);
    REQUIRE(records->front().offset == offset);
    return records->front().record;
}

template <class L>
std::vector<Offset> offsets(const L& log, const std::string& room, Offset after = 0,
                            std::size_t count_max = 1000) {
    std::vector<Offset> all;
    const auto records = log.read(room, after, count_max);
    REQUIRE(records);
    for (const LoggedRecord& r : *records) all.push_back(r.offset);
    return all;
}

}  // namespace log_check

}  // namespace quicchat::conformance
