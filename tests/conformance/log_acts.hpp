#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_harness.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/log/room_log.hpp"

// Records that are about others, and what they do to them.

namespace quicchat::conformance {

template <LogHarness H>
void check_acts() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", much));

    SECTION("gives back every field of an act") {
        Record odd = make_act(1, role, ~Offset{0} >> 1, "because");
        odd.act.subject = "b.o-b_\xf0\x9f\x90\xa6";
        odd.act.value = ~std::uint64_t{0};
        odd.act.until = WallTime{std::chrono::milliseconds{-7}};
        append(harness, "#a", odd);
        CHECK(same(record_at(log, "#a", 1), odd));
        CHECK(record_at(log, "#a", 1).changed_by == 0);
        unsigned number = 1;
        for (const auto kind : {message, reaction, unreaction, topic, role, access, creation}) {
            const Record record = make_act(++number, kind, 1, "text");
            CHECK(append(harness, "#a", record).offset == number);
            CHECK(same(record_at(log, "#a", number), record));
        }
        CHECK(same(record_at(log, "#a", 1), odd));  // it did nothing to it
    }
    SECTION("tells the same id with another act from a repetition") {
        Record first = make_act(1, role, 4, "text");
        first.act.subject = "bob";
        append(harness, "#a", first);
        CHECK(append(harness, "#a", first).duplicate);
        std::vector<Record> others(5, first);
        others[0].act.kind = access;
        others[1].act.target = 5;
        others[2].act.subject = "eve";
        others[3].act.value = 1;
        others[4].act.until = WallTime{std::chrono::milliseconds{1}};
        for (const Record& other : others) {
            CHECK(append(harness, "#a", other).error == Errc::conflict);
        }
        CHECK(log.head("#a").head == 1);
    }
}

/// The server's program gave a message another text than the one that was sent.
template <LogHarness H>
void check_other_texts() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", much));
    const Record sent = make_record(1, "as sent");
    Record stored = make_record(1, "as the program wants it");
    stored.sent = mark_of(sent.text, sent.attributes);

    SECTION("recognises what was sent, whatever became of it") {
        append(harness, "#a", stored);
        CHECK(record_at(log, "#a", 1).sent == stored.sent);
        CHECK(record_at(log, "#a", 1).text == stored.text);
        Record otherwise = make_record(1, "the program thinks otherwise now");
        otherwise.sent = stored.sent;
        for (const Record& again : {sent, stored, otherwise}) {
            CHECK(append(harness, "#a", again).duplicate);
            CHECK(look_up(harness, "#a", again).offset == 1);
        }
        CHECK(log.head("#a").head == 1);
        CHECK(record_at(log, "#a", 1).text == stored.text);
    }
    SECTION("recognises what it stored as it was, if the program would change it now") {
        append(harness, "#a", sent);
        CHECK(record_at(log, "#a", 1).sent == 0);
        CHECK(append(harness, "#a", stored).duplicate);
        CHECK(record_at(log, "#a", 1).text == sent.text);
    }
    SECTION("takes for a conflict what was not sent, also if it is what was stored") {
        append(harness, "#a", stored);
        Record as_stored = stored;
        as_stored.sent = 0;
        Record other = make_record(1, "something else");
        Record other_attributes = sent;
        other_attributes.attributes = "{}";
        Record other_act = stored;
        other_act.act.target = 7;
        for (const Record& record : {as_stored, other, other_attributes, other_act}) {
            CHECK(append(harness, "#a", record).error == Errc::conflict);
            CHECK(look_up(harness, "#a", record).error == Errc::conflict);
        }
    }
    SECTION("keeps the mark of an edit") {
        append(harness, "#a", make_record(1, "one"));
        const Record asked = make_act(2, edit, 1, "as sent");
        Record changed = make_act(2, edit, 1, "as the program wants it");
        changed.sent = mark_of(asked.text, asked.attributes);
        CHECK(append(harness, "#a", changed).offset == 2);
        CHECK(record_at(log, "#a", 1).text == changed.text);
        CHECK(append(harness, "#a", asked).duplicate);
    }
    SECTION("knows it after a restart") {
        if (!H::outlives_restart) return;
        append(harness, "#a", stored);
        harness.restart();
        REQUIRE(harness.log().open("#a", much));
        CHECK(append(harness, "#a", sent).duplicate);
        Record as_stored = stored;
        as_stored.sent = 0;
        CHECK(append(harness, "#a", as_stored).error == Errc::conflict);
    }
}

template <LogHarness H>
void check_changes() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", much));
    append(harness, "#a", make_record(1, "one"));
    append(harness, "#a", make_act(2, message, 1, "two"));  // a reply

    SECTION("gives a message the text and the attributes of its edit") {
        CHECK(append(harness, "#a", make_act(3, edit, 2, "better")).offset == 3);
        Record expected = make_act(2, message, 1, "better");
        CHECK(same(record_at(log, "#a", 2), expected));
        CHECK(record_at(log, "#a", 2).changed_by == 3);
        CHECK(same(record_at(log, "#a", 3), make_act(3, edit, 2, "better")));
        CHECK(record_at(log, "#a", 3).changed_by == 0);
        CHECK(same(record_at(log, "#a", 1), make_record(1, "one")));
        CHECK(record_at(log, "#a", 1).changed_by == 0);
        CHECK(append(harness, "#a", make_act(4, edit, 2, "best")).offset == 4);
        expected.text = "best";
        CHECK(same(record_at(log, "#a", 2), expected));
        CHECK(record_at(log, "#a", 2).changed_by == 4);
        CHECK(record_at(log, "#a", 3).text == "better");
    }
    SECTION("leaves a tombstone of a message that is deleted, and nothing of its edits") {
        append(harness, "#a", make_act(3, edit, 2, "better"));
        append(harness, "#a", make_act(4, edit, 1, "of another"));
        append(harness, "#a", make_act(5, edit, 2, "best"));
        append(harness, "#a", make_act(6, reaction, 2, "+1"));
        CHECK(append(harness, "#a", make_act(7, deletion, 2)).offset == 7);
        for (const auto& [offset, kind] : {std::pair{2u, tombstone}, {3u, edit}, {5u, edit}}) {
            const Record found = record_at(log, "#a", offset);
            CHECK(found.text.empty());
            CHECK(found.attributes == "{}");
            CHECK(found.changed_by == 7);
            CHECK(found.act.kind == kind);
            CHECK(found.author == "ada");
            CHECK(found.id == message_id(offset));
            CHECK(found.device == device_id(1));
            CHECK(found.time == make_record(offset).time);
        }
        CHECK(record_at(log, "#a", 1).text == "of another");
        CHECK(record_at(log, "#a", 1).changed_by == 4);
        CHECK(same(record_at(log, "#a", 4), make_act(4, edit, 1, "of another")));
        CHECK(same(record_at(log, "#a", 6), make_act(6, reaction, 2, "+1")));
        CHECK(same(record_at(log, "#a", 7), make_act(7, deletion, 2)));
        CHECK(record_at(log, "#a", 4).changed_by == 0);
    }
    SECTION("changes nothing but messages that are there, and stores nothing then") {
        append(harness, "#a", make_act(3, edit, 1, "an edit"));
        append(harness, "#a", make_act(4, reaction, 1, "+1"));
        append(harness, "#a", make_act(5, topic, 0, "a topic"));
        append(harness, "#a", make_act(6, deletion, 2));
        REQUIRE(log.open("#b", much));
        for (unsigned i = 1; i <= 9; ++i) append(harness, "#b", make_record(i));
        const auto before = log.read("#a", 0, 100);
        for (const Offset target : {0u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 500u}) {
            for (const auto kind : {edit, deletion}) {
                INFO("target " << target << " kind " << static_cast<int>(kind));
                const auto done =
                    append(harness, "#a", make_act(9, kind, target), 1, {{"key", "value"}});
                CHECK(done.error == Errc::no_such_message);
                CHECK_FALSE(done.duplicate);
            }
        }
        CHECK(log.head("#a").head == 6);
        const auto after = log.read("#a", 0, 100);
        REQUIRE(after->size() == before->size());
        for (std::size_t i = 0; i < after->size(); ++i) {
            CHECK(same((*after)[i].record, (*before)[i].record));
        }
        CHECK(append(harness, "#a", make_act(9, edit, 1, "at last")).offset == 7);
        CHECK(log.state("#a")->empty());
    }
    SECTION("changes what was appended before it and not polled yet") {
        log.append(3, "#a", make_record(3, "three"), {});
        log.append(4, "#a", make_act(4, edit, 3, "better"), {});
        log.append(5, "#a", make_act(5, deletion, 3), {});
        log.append(6, "#a", make_act(6, edit, 3, "late"), {});
        log.append(7, "#a", make_act(7, deletion, 3), {});
        log.append(8, "#a", make_act(8, edit, 6, "itself"), {});
        for (const Offset offset : {3u, 4u, 5u}) CHECK(next(harness).offset == offset);
        for (int i = 0; i < 3; ++i) CHECK(next(harness).error == Errc::no_such_message);
        CHECK(record_at(log, "#a", 3).act.kind == tombstone);
        CHECK(record_at(log, "#a", 4).text.empty());
        CHECK(log.head("#a").head == 5);
    }
    SECTION("recognises an edit and a deletion that are repeated") {
        append(harness, "#a", make_act(3, edit, 2, "better"));
        append(harness, "#a", make_act(4, edit, 2, "best"));
        CHECK(append(harness, "#a", make_act(3, edit, 2, "better")).offset == 3);
        CHECK(record_at(log, "#a", 2).text == "best");
        CHECK(append(harness, "#a", make_act(3, edit, 1, "better")).error == Errc::conflict);
        CHECK(append(harness, "#a", make_act(3, edit, 2, "other")).error == Errc::conflict);
        CHECK(append(harness, "#a", make_act(3, edit, 99, "better")).error == Errc::conflict);
        append(harness, "#a", make_act(5, deletion, 2));
        for (const Record& again : {make_act(3, edit, 2, "better"), make_act(5, deletion, 2)}) {
            const LogNews done = append(harness, "#a", again);
            CHECK(done.error == Errc{});
            CHECK(done.duplicate);
            CHECK(done.offset == (again.act.kind == edit ? 3 : 5));
        }
        CHECK(append(harness, "#a", make_act(5, deletion, 1)).error == Errc::conflict);
        CHECK(log.head("#a").head == 5);
    }
    SECTION("knows a record that was changed by its name alone") {
        append(harness, "#a", make_act(3, edit, 1, "better"));
        append(harness, "#a", make_act(4, edit, 2, "better"));
        append(harness, "#a", make_act(5, deletion, 2));
        for (const auto& [again, offset] : {std::pair{make_record(1, "one"), 1u},
                                            {make_record(1, "other"), 1u},
                                            {make_act(2, message, 1, "two"), 2u},
                                            {make_act(4, edit, 2, "other"), 4u}}) {
            const LogNews done = append(harness, "#a", again);
            CHECK(done.error == Errc{});
            CHECK(done.duplicate);
            CHECK(done.offset == offset);
            CHECK(done.time == again.time);
        }
        CHECK(record_at(log, "#a", 1).text == "better");
        CHECK(record_at(log, "#a", 2).text.empty());
        CHECK(log.head("#a").head == 5);
    }
}

template <LogHarness H>
void check_changes_and_retention() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();

    SECTION("changes what is within retention, and nothing before it") {
        REQUIRE(log.open("#a", {3, 1'000'000}));
        for (unsigned i = 1; i <= 4; ++i) append(harness, "#a", make_record(i));
        CHECK(append(harness, "#a", make_act(5, edit, 1)).error == Errc::no_such_message);
        CHECK(append(harness, "#a", make_act(6, deletion, 1)).error == Errc::no_such_message);
        CHECK(append(harness, "#a", make_act(7, edit, 3, "better")).offset == 5);
        CHECK(record_at(log, "#a", 3).text == "better");
        // It pushes out the very message that it changes.
        CHECK(append(harness, "#a", make_act(8, edit, 3, "best")).offset == 6);
        CHECK(log.head("#a").first == 4);
        CHECK(append(harness, "#a", make_act(9, deletion, 3)).error == Errc::no_such_message);
        log.append(1, "#a", make_record(10), {});
        log.append(2, "#a", make_act(11, edit, 4), {});  // dropped by then
        CHECK(next(harness).offset == 7);
        CHECK(next(harness).error == Errc::no_such_message);
    }
    SECTION("counts what the records are now") {
        REQUIRE(log.open("#a", {1000, 20'000}));
        const std::string text(1000, 'x');
        for (unsigned i = 1; i <= 16; ++i) append(harness, "#a", make_record(i, text));
        CHECK(log.head("#a").first == 1);
        for (unsigned i = 1; i <= 16; ++i) append(harness, "#a", make_act(16 + i, deletion, i));
        for (unsigned i = 1; i <= 9; ++i) append(harness, "#a", make_record(32 + i, text));
        CHECK(log.head("#a").first == 1);
    }
    SECTION("counts the longer texts of edits") {
        REQUIRE(log.open("#a", {1000, 20'000}));
        for (unsigned i = 1; i <= 10; ++i) append(harness, "#a", make_record(i));
        for (unsigned i = 0; i < 20; ++i) {
            const Offset target = log.head("#a").first + (i % 2 == 0 ? 2 : 0);
            append(harness, "#a", make_act(11 + i, edit, target, std::string(1500, 'x')));
            std::size_t bytes = 0;
            const auto records = log.read("#a", 0, 1000);
            for (const LoggedRecord& r : *records) bytes += r.record.text.size();
            CHECK(bytes <= 20'000);
            const bool is_full = log.head("#a").first > 1;
            if (is_full) CHECK(bytes > 8'000);
        }
        CHECK(log.head("#a").first > 1);
    }
}

template <LogHarness H>
void check_changes_and_restart() {
    using namespace log_check;
    using enum Act::Kind;
    if constexpr (H::outlives_restart) {
        H harness;
        auto& log = harness.log();
        REQUIRE(log.open("#a", much));
        append(harness, "#a", make_record(1, "one"));
        append(harness, "#a", make_record(2, "two"));
        append(harness, "#a", make_act(3, edit, 1, "better"));
        append(harness, "#a", make_act(4, edit, 2, "gone"));
        append(harness, "#a", make_act(5, deletion, 2), 1, {{"deleted", "2"}});
        log.store("#a", {{"last", "words"}, {"none", std::nullopt}});
        for (int restarts = 0; restarts < 2; ++restarts) {
            harness.restart();
            CHECK(log.open("#a", much)->head == 5);
            CHECK(*log.state("#a") == RoomState{{"deleted", "2"}, {"last", "words"}});
        }
        CHECK(record_at(log, "#a", 1).text == "better");
        CHECK(record_at(log, "#a", 1).changed_by == 3);
        CHECK(record_at(log, "#a", 2).act.kind == tombstone);
        for (const Offset offset : {2u, 4u}) {
            CHECK(record_at(log, "#a", offset).text.empty());
            CHECK(record_at(log, "#a", offset).changed_by == 5);
        }
        CHECK(same(record_at(log, "#a", 3), make_act(3, edit, 1, "better")));
        CHECK(append(harness, "#a", make_record(1, "one")).duplicate);
        CHECK(append(harness, "#a", make_act(4, edit, 2, "gone")).offset == 4);
        CHECK(append(harness, "#a", make_act(5, deletion, 2)).duplicate);
        CHECK(append(harness, "#a", make_act(6, deletion, 2)).error == Errc::no_such_message);
        CHECK(append(harness, "#a", make_act(7, deletion, 1)).offset == 6);
        CHECK(record_at(log, "#a", 3).text.empty());
    }
}

}  // namespace quicchat::conformance
