#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "sim/courier.hpp"

using namespace quicchat;
using namespace quicchat::test;

// Files that the server's program sends and fetches without being logged in.

namespace {

struct FileProgram {
    explicit FileProgram(Town& t) : town(t) {}

    ProgramFiles& files() { return town.server->program_files(town.now()); }
    void run() {
        for (int i = 0; i < 2; ++i) {
            town.run();
            while (auto outcome = files().poll_outcome()) {
                outcomes.insert_or_assign(outcome->ticket, std::move(*outcome));
            }
        }
    }
    Errc error_of(std::uint64_t ticket) {
        run();
        const auto* errc = std::get_if<Errc>(&outcomes.at(ticket).what);
        return errc == nullptr ? Errc{} : *errc;
    }
    static wire::FileOffer offer(std::string room, BytesView content, std::uint8_t id) {
        wire::FileOffer m{};
        m.id.bytes[0] = std::byte{id};
        m.room = std::move(room);
        m.name = "plan.pdf";
        m.attributes = "{}";
        m.size = content.size();
        const auto digest = ReferenceCrypto::sha256(content);
        m.digest = Buffer(digest.begin(), digest.end());
        return m;
    }
    /// `Errc{}` if its bytes are wanted now.
    Errc begin(std::string room, const std::string& author, BytesView content, std::uint8_t id) {
        transfer = ++newest;
        const Errc errc =
            files().begin(transfer, author, offer(std::move(room), content, id), town.now().steady);
        return errc != Errc{} ? errc : error_of(transfer);
    }
    Errc give(BytesView bytes) {
        const std::uint64_t ticket = ++newest;
        const Errc errc =
            files().give(ticket, transfer, Buffer(bytes.begin(), bytes.end()), town.now().steady);
        return errc != Errc{} ? errc : error_of(ticket);
    }
    Errc finish() {
        const std::uint64_t ticket = ++newest;
        const Errc errc = files().finish(ticket, transfer);
        return errc != Errc{} ? errc : error_of(ticket);
    }
    /// All of it.
    Errc send(std::string room, const std::string& author, BytesView content, std::uint8_t id) {
        if (const Errc errc = begin(std::move(room), author, content, id); errc != Errc{}) {
            return errc;
        }
        for (std::size_t from = 0; from < content.size(); from += piece) {
            const std::size_t count = std::min(piece, content.size() - from);
            if (const Errc errc = give(content.subspan(from, count)); errc != Errc{}) return errc;
        }
        return finish();
    }
    const wire::Ack& ack() { return std::get<wire::Ack>(outcomes.at(newest).what); }
    /// All of a file, or why not.
    std::variant<Buffer, Errc> fetch(const std::string& reader, const std::string& room,
                                     Offset offset) {
        const auto found = town.server->room_admin().file(reader, room, offset);
        if (!found) return to_errc(found.error());
        Buffer all;
        while (all.size() < found->size) {
            const std::uint64_t ticket = ++newest;
            const Errc errc =
                files().read(ticket, reader, room, {found->epoch, offset}, all.size(), 1 << 20);
            if (errc != Errc{}) return errc;
            run();
            const Bytes& bytes = std::get<Bytes>(outcomes.at(ticket).what);
            CHECK(bytes.size() <= 128 * kib);
            all.insert(all.end(), bytes.view().begin(), bytes.view().end());
        }
        return all;
    }

    static constexpr std::size_t piece = 200 * kib;

    Town& town;
    std::uint64_t transfer = 0;
    std::uint64_t newest = 0;
    std::map<std::uint64_t, ProgramFileOutcome> outcomes{};
};

TownConfig speaking(Limits limits = {}) {
    return {.server = {.speaker = "server", .limits = limits}, .accounts = {"zoe"}};
}

}  // namespace

TEST_CASE("the program sends a file for an account, and fetches what people sent", "[files]") {
    Town town{speaking()};
    Courier ada{town, town.add_in("ada", "#lobby")};
    FileProgram program{town};
    const Buffer content = make_content(700 * kib, 7);

    REQUIRE(program.send("#LOBBY", "bob", content, 1) == Errc{});
    const Offset offset = program.ack().offset;
    ada.run();
    const RoomMessage told = ada.person.last<RoomMessage>();
    CHECK((told.offset == offset && told.from == "bob" && told.text == "plan.pdf"));
    const auto request = ada.fetch("#lobby", offset);
    CHECK(ada.outcome(request) == Errc{});
    CHECK(ada.fetched[*request].bytes == content);
    CHECK(town.server->transfers() == 0);

    // The same again is stored once, and needs no bytes.
    const std::size_t before = town.files.bytes();
    REQUIRE(program.begin("#lobby", "bob", content, 1) == Errc{});
    CHECK(program.ack().offset == offset);
    CHECK(town.files.bytes() == before);

    const Buffer empty;
    REQUIRE(program.send("#lobby", "server", empty, 2) == Errc{});
    const Buffer other = make_content(300 * kib, 3);
    const Offset sent = ada.must_send("#lobby", other, "from ada");
    CHECK(std::get<Buffer>(program.fetch("", "#lobby", sent)) == other);
    CHECK(std::get<Buffer>(program.fetch("bob", "#lobby", sent)) == other);
    CHECK(std::get<Errc>(program.fetch("", "#lobby", 99)) == Errc::no_such_file);
    CHECK(std::get<Errc>(program.fetch("", "#nowhere", sent)) == Errc::no_such_room);

    // To one person, who is away.
    REQUIRE(program.send("@zoe", "server", content, 4) == Errc{});
    CHECK(std::get<Buffer>(program.fetch("", "@zoe", 1)) == content);
    CHECK(std::get<Errc>(program.fetch("ada", "@zoe", 1)) == Errc::no_such_room);
}

TEST_CASE("roles, limits and digests count for files of the program", "[files]") {
    Limits limits;
    limits.file_bytes_max = 250 * kib;
    limits.files_per_account_bytes_max = 400 * kib;
    limits.upload_ahead_bytes = 64 * kib;
    Town town{speaking(limits)};
    Chatter& ada = town.add_in("ada", "#lobby");
    FileProgram program{town};
    const Buffer content = make_content(240 * kib, 7);

    CHECK(program.begin("#nowhere", "bob", content, 1) == Errc::no_such_room);
    CHECK(program.begin("#lobby", "no name", content, 1) == Errc::invalid_name);
    CHECK(program.begin("@nobody", "bob", content, 1) == Errc::no_such_user);
    CHECK(program.begin("#lobby", "bob", make_content(251 * kib, 1), 1) == Errc::file_too_large);
    const std::size_t nothing = town.files.bytes();

    // Bytes that are not those that were announced, too few, too many.
    REQUIRE(program.begin("#lobby", "bob", content, 9) == Errc{});
    CHECK(program.give(make_content(257 * kib, 1)) == Errc::invalid_request);
    program.files().abandon(program.transfer);
    Buffer wrong = content;
    wrong[5] ^= std::byte{1};
    REQUIRE(program.begin("#lobby", "bob", content, 2) == Errc{});
    REQUIRE(program.give(wrong) == Errc{});
    CHECK(program.finish() == Errc::file_mismatch);
    REQUIRE(program.begin("#lobby", "bob", content, 3) == Errc{});
    REQUIRE(program.give(BytesView{content}.first(100)) == Errc{});
    CHECK(program.finish() == Errc::file_mismatch);
    REQUIRE(program.begin("#lobby", "bob", BytesView{content}.first(9), 4) == Errc{});
    CHECK(program.give(content) == Errc::file_mismatch);
    CHECK(program.finish() == Errc::no_such_file);
    CHECK(town.files.bytes() == nothing);

    // What an account may have, whoever sends it.
    REQUIRE(program.send("#lobby", "bob", content, 5) == Errc{});
    CHECK(program.send("#lobby", "bob", content, 6) == Errc::quota_exceeded);
    REQUIRE(program.send("#lobby", "eve", content, 7) == Errc{});
    CHECK(town.files.bytes() == 2 * content.size());

    // Who is muted while it is on its way, and who may not come in.
    REQUIRE(program.begin("#lobby", "zoe", content, 8) == Errc{});
    REQUIRE(program.give(content) == Errc{});
    REQUIRE(town.server->act_in_room("#lobby",
                                     {.id = {},
                                      .device = {},
                                      .author = "server",
                                      .text = "",
                                      .attributes = "{}",
                                      .time = {},
                                      .act = {.kind = Act::Kind::role,
                                              .subject = "zoe",
                                              .value = static_cast<std::uint64_t>(Role::muted)}},
                                     town.now()) == Errc{});
    town.run();
    CHECK(program.finish() == Errc::forbidden);
    CHECK(town.files.bytes() == 2 * content.size());
    CHECK(town.server->transfers() == 0);
    (void)ada;
}

TEST_CASE("what the program does not send to its end is gone", "[files]") {
    Town town{speaking()};
    FileProgram program{town};
    const Buffer content = make_content(400 * kib, 7);

    SECTION("because it says so") {
        REQUIRE(program.begin("#lobby", "bob", content, 1) == Errc{});
        REQUIRE(program.give(BytesView{content}.first(1000)) == Errc{});
        CHECK(town.files.bytes() == 1000);
        program.files().abandon(program.transfer);
        program.run();
        CHECK(program.give(BytesView{content}.first(10)) == Errc::no_such_file);
    }
    SECTION("because it says so before it was asked for a byte") {
        const auto offer = FileProgram::offer("#lobby", content, 1);
        REQUIRE(program.files().begin(1, "bob", offer, town.now().steady) == Errc{});
        program.files().abandon(1);
        program.run();
        CHECK(program.outcomes.empty());
    }
    SECTION("because it sends the same once more beside it") {
        REQUIRE(program.begin("#lobby", "bob", content, 1) == Errc{});
        const std::uint64_t older = program.transfer;
        REQUIRE(program.give(BytesView{content}.first(1000)) == Errc{});
        REQUIRE(program.send("#lobby", "bob", content, 1) == Errc{});
        program.transfer = older;
        CHECK(program.give(BytesView{content}.subspan(1000, 10)) == Errc::queue_full);
        program.files().abandon(older);
        program.run();
        CHECK(town.files.bytes() == content.size());
        CHECK(std::get<Buffer>(program.fetch("", "#lobby", 1)) == content);
        return;
    }
    SECTION("because it has forgotten it") {
        REQUIRE(program.begin("#lobby", "bob", content, 1) == Errc{});
        REQUIRE(program.give(BytesView{content}.first(1000)) == Errc{});
        town.run_for(std::chrono::minutes{2});
        program.run();
        CHECK(program.give(BytesView{content}.first(10)) == Errc::queue_full);
    }
    SECTION("because the server ends") {
        REQUIRE(program.begin("#lobby", "bob", content, 1) == Errc{});
        REQUIRE(program.give(BytesView{content}.first(1000)) == Errc{});
        town.server->shutdown(town.now());
        CHECK(program.begin("#lobby", "bob", content, 2) == Errc::server_shutdown);
    }
    CHECK(town.files.bytes() == 0);
    CHECK(town.server->transfers() == 0);
}

TEST_CASE("the program is told of a file whose record is stored while the server ends", "[files]") {
    Town town{speaking()};
    FileProgram program{town};
    const Buffer content = make_content(1000, 7);
    REQUIRE(program.begin("#lobby", "bob", content, 1) == Errc{});
    REQUIRE(program.give(content) == Errc{});
    const std::uint64_t ticket = ++program.newest;
    REQUIRE(program.files().finish(ticket, program.transfer) == Errc{});
    town.log_is_held = true;
    program.run();
    REQUIRE(!program.outcomes.contains(ticket));

    town.server->shutdown(town.now());
    program.run();
    CHECK(!program.outcomes.contains(ticket));
    town.log_is_held = false;
    program.run();
    REQUIRE(program.outcomes.contains(ticket));
    CHECK(std::holds_alternative<wire::Ack>(program.outcomes.at(ticket).what));
    CHECK(town.server->room_admin().file("", "#lobby", 1));
    CHECK(town.server->transfers() == 0);
}

TEST_CASE("the program sends and fetches so much at once", "[files]") {
    Town town{speaking()};
    FileProgram program{town};
    const Buffer content = make_content(100, 7);
    REQUIRE(program.send("#lobby", "server", content, 200) == Errc{});
    for (std::uint8_t id = 1; id <= 8; ++id) {
        REQUIRE(program.begin("#lobby", "bob", content, id) == Errc{});
        REQUIRE(program.begin("#lobby", "eve", content, id) == Errc{});
    }
    const std::uint64_t newest = program.transfer;
    CHECK(program.begin("#lobby", "ada", content, 1) == Errc::queue_full);
    program.files().abandon(newest);
    CHECK(program.begin("#lobby", "ada", content, 1) == Errc{});

    const Epoch epoch = town.server->room_admin().place("#lobby")->second.epoch;
    const auto read = [&](Epoch life, std::uint64_t from) {
        return program.files().read(++program.newest, "", "#lobby", {life, 1}, from, 10);
    };
    CHECK(read(Epoch{1}, 0) == Errc::no_such_file);
    CHECK(read(epoch, 100) == Errc::invalid_request);
    for (std::size_t i = 0; i < ProgramFiles::transfers_max; ++i) {
        REQUIRE(read(epoch, 0) == Errc{});
    }
    CHECK(read(epoch, 0) == Errc::queue_full);
    program.run();
    CHECK(read(epoch, 0) == Errc{});
}
