#pragma once

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "input.hpp"
#include "quicchat/auth/device_token.hpp"
#include "quicchat/session/client_session.hpp"
#include "quicchat/sqlite.hpp"
#include "quicchat/sqlite/account_admin.hpp"

namespace quicchat::test {

/// A folder in memory where there is one, gone with the program.
class FuzzFolder {
public:
    FuzzFolder() {
        const bool memory = std::filesystem::is_directory("/dev/shm");
        std::string name = memory ? "/dev/shm/quicchat-fuzz-XXXXXX" : "/tmp/quicchat-fuzz-XXXXXX";
        must(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    FuzzFolder(const FuzzFolder&) = delete;
    FuzzFolder& operator=(const FuzzFolder&) = delete;
    ~FuzzFolder() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// A database as its owner left it, and the same with damage.
class DamagedDatabase {
public:
    template <class Make>
    explicit DamagedDatabase(const Make& make) {
        make(path());
        sqlite3* database = open();
        find_columns(database);
        must(sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr) ==
             SQLITE_OK);
        sqlite3_close(database);
        std::ifstream file{path(), std::ios::binary};
        image_ = {std::istreambuf_iterator<char>{file}, {}};
        must(!image_.empty());
    }

    std::string path() const { return folder_.file("chat.db"); }

    /// Bytes that are others, or values that no owner writes, in a file that is otherwise whole.
    void damage(FuzzInput& input) const {
        for (const char* end : {"-wal", "-shm"}) std::remove((path() + end).c_str());
        std::string text = image_;
        const std::uint8_t order = input.octet();
        while (order % 4 == 0 && !input.empty()) change_bytes(text, input);
        std::ofstream{path(), std::ios::binary | std::ios::trunc} << text;
        if (order % 4 == 0) return;
        sqlite3* database = open();
        for (int changes = 0; !input.empty() && changes < 20; ++changes) {
            change_values(database, input);
        }
        sqlite3_close(database);
    }

private:
    struct Column {
        std::string table;
        std::string name;
    };

    sqlite3* open() const {
        sqlite3* database = nullptr;
        must(sqlite3_open(path().c_str(), &database) == SQLITE_OK);
        return database;
    }

    void find_columns(sqlite3* database) {
        sqlite3_stmt* rows = nullptr;
        must(sqlite3_prepare_v2(database,
                                "SELECT t.name, c.name FROM sqlite_schema t, "
                                "pragma_table_info(t.name) c WHERE t.type = 'table'",
                                -1, &rows, nullptr) == SQLITE_OK);
        const auto text = [&](int column) {
            return std::string{reinterpret_cast<const char*>(sqlite3_column_text(rows, column))};
        };
        while (sqlite3_step(rows) == SQLITE_ROW) columns_.push_back({text(0), text(1)});
        sqlite3_finalize(rows);
    }

    static void change_bytes(std::string& text, FuzzInput& input) {
        const std::size_t place = input.octet() * 256u + input.octet();
        const BytesView bytes = input.take(input.octet() % 32u);
        if (bytes.empty() || text.empty()) return text.resize(std::min(text.size(), place));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            text[(place + i) % text.size()] = static_cast<char>(bytes[i]);
            if (place % 2 == 0) continue;
            text[(place + i + text.size() / 2) % text.size()] = static_cast<char>(bytes[i]);
        }
    }

    void change_values(sqlite3* database, FuzzInput& input) const {
        const Column& column = columns_[input.octet() % columns_.size()];
        const std::uint8_t kind = input.octet();
        const std::string sql =
            kind % 8 == 7   ? "DELETE FROM \"" + column.table + "\""
            : kind % 8 == 6 ? "PRAGMA user_version = " + std::to_string(input.octet())
                            : "UPDATE OR REPLACE \"" + column.table + "\" SET \"" + column.name +
                                  "\" = ?1" + (kind >= 128 ? " WHERE random() % 2" : "");
        sqlite3_stmt* update = nullptr;
        if (sqlite3_prepare_v2(database, sql.c_str(), -1, &update, nullptr) != SQLITE_OK) return;
        const BytesView bytes = input.take(input.octet());
        const int size = static_cast<int>(bytes.size());
        if (kind % 8 == 0) sqlite3_bind_text(update, 1, chars(bytes), size, SQLITE_STATIC);
        if (kind % 8 == 1) sqlite3_bind_blob(update, 1, bytes.data(), size, SQLITE_STATIC);
        if (kind % 8 > 1 && kind % 8 < 6) {
            std::uint64_t number = kind % 8 == 5 ? ~std::uint64_t{0} : 0;
            for (const std::byte b : bytes) number = number << 8 | std::to_integer<unsigned>(b);
            sqlite3_bind_int64(update, 1, static_cast<sqlite3_int64>(number));
        }
        (void)sqlite3_step(update);
        sqlite3_finalize(update);
    }

    static const char* chars(BytesView bytes) {
        return reinterpret_cast<const char*>(bytes.data());
    }

    FuzzFolder folder_;
    std::string image_;
    std::vector<Column> columns_;
};

inline Record fuzz_record(unsigned number, Act act = {}) {
    Record record;
    record.id.bytes.fill(static_cast<std::byte>(number));
    record.author = "Ada";
    record.text = "text " + std::to_string(number);
    record.attributes = "{}";
    record.act = std::move(act);
    return record;
}

/// Until the writer has answered so many appends, or given up.
inline void await_news(sqlite::Store& store, std::size_t count) {
    for (int tries = 0; count > 0 && !store.failure(); ++tries) {
        must(tries < 10'000);
        if (const auto news = store.poll_news()) {
            if (news->token) --count;
            continue;
        }
        pollfd wake{store.wake_fd(), POLLIN, 0};
        (void)::poll(&wake, 1, 10);
    }
}

inline DeviceId fuzz_device() {
    DeviceId device;
    device.bytes.fill(std::byte{4});
    return device;
}

inline void make_server_file(const std::string& path) {
    const Entropy entropy = Entropy::seeded(1);
    {
        auto store =
            sqlite::Store::open({.path = path, .durability = Durability::process}, entropy);
        must(static_cast<bool>(store));
        for (const char* room : {"#a", "#b"}) {
            must((*store)->open_room(room, {5, 100'000}).has_value());
            for (unsigned i = 1; i < 8; ++i) (*store)->append(i, room, fuzz_record(i));
            (*store)->append(8, room, fuzz_record(8, {.kind = Act::Kind::edit, .target = 5}));
            (*store)->append(9, room, fuzz_record(9, {.kind = Act::Kind::reaction, .target = 6}));
            (*store)->store_state(room, {{"owner", "ada"}, {"topic", "tea"}});
            await_news(**store, 9);
        }
    }
    {
        auto admin = sqlite::AccountAdmin::open(path, entropy);
        must(static_cast<bool>(admin));
        Verifier verifier;
        verifier.iterations = scram_iterations_floor;
        must(static_cast<bool>(admin->add("Ada", verifier, {})));
    }
    auto store = sqlite::Store::open({.path = path, .durability = Durability::process}, entropy);
    must(static_cast<bool>(store));
    SqliteAccounts accounts{*store};
    must(accounts.accounts().find("ada") != nullptr);
    (void)accounts.save_device("Ada", {.id = fuzz_device(), .current = {1}, .previous = {{1}}});
}

/// A server's file with damage: it is refused with a sentence, or it works.
inline void fuzz_server_file(BytesView bytes) {
    static const DamagedDatabase database{make_server_file};
    FuzzInput input{bytes};
    database.damage(input);
    auto store = sqlite::Store::open({.path = database.path(), .durability = Durability::process},
                                     Entropy::seeded(2));
    if (!store) return must(store.error().text.find(database.path()) != std::string::npos);

    SqliteLog log{*store};
    std::size_t appends = 0;
    for (const std::string& room : log.rooms() ? log.rooms().value() : std::vector<std::string>{}) {
        const Result<LogHead> head = log.open(room, {5, 100'000});
        if (!head) continue;
        Offset last = 0;
        const auto check = [&](const Result<std::vector<LoggedRecord>>& records) {
            last = 0;
            if (!records) return;
            for (const LoggedRecord& r : *records) must(r.offset > std::exchange(last, r.offset));
        };
        check(log.read(room, 0, 100));
        must(last <= log.head(room).head);
        check(log.files(room));
        (void)log.state(room);
        (void)log.reactions(room, 6, "Ada", "text 9");
        log.append(++appends, room, fuzz_record(20), {{"topic", "coffee"}});
        log.append(++appends, room, fuzz_record(3), {});
    }
    SqliteAccounts accounts{*store};
    for (const auto& [name, account] : accounts.accounts().accounts()) {
        must(is_user_name(account.name) && canonical_name(account.name) == name);
    }
    if (const auto device = accounts.find_device("ada", fuzz_device()); device && *device) {
        must((*device)->id == fuzz_device());
    }
    (void)accounts.save_device("Ada", {.id = fuzz_device()});
    await_news(**store, appends);
}

inline UnsentMessage fuzz_unsent(unsigned number, std::string room, std::string to) {
    UnsentMessage message{.room = std::move(room), .to = std::move(to)};
    message.id.bytes.fill(static_cast<std::byte>(number));
    message.text = "text";
    message.attributes = "{}";
    return message;
}

inline void make_client_file(const std::string& path) {
    auto store = sqlite::ClientStore::open(path, "ada@chat:1", Entropy::seeded(1));
    must(static_cast<bool>(store));
    must(!store->keep({3, Secret{Buffer(device_token_bytes, std::byte{9})}}));
    const OutboxChange changes[] = {{fuzz_unsent(1, "#a", ""), true},
                                    {fuzz_unsent(2, "", "bob"), true},
                                    {fuzz_unsent(3, "#a", ""), true}};
    must(!store->apply(changes));
    store->keep_address_token(std::vector<std::uint8_t>(60, 9));
}

/// The same of a client: what it gives can be sent and logged in with.
inline void fuzz_client_file(BytesView bytes) {
    static const DamagedDatabase database{make_client_file};
    FuzzInput input{bytes};
    database.damage(input);
    {
        auto store = sqlite::ClientStore::open(database.path(), "ada@chat:1", Entropy::seeded(2));
        if (!store) return must(!store.error().text.empty());
        if (store->token()) must(is_device_token(*store->token()));
        must(store->take_address_token().size() <= 512);
        must(store->take_address_token().empty());
        ClientSession session{Limits{}, "{}"};
        for (const UnsentMessage& message : store->unsent()) (void)session.restore(message);
        const OutboxChange changes[] = {{fuzz_unsent(3, "#a", ""), false},
                                        {fuzz_unsent(7, "#b", ""), true}};
        if (store->keep({7, Secret{Buffer(device_token_bytes, std::byte{7})}})) return;
        if (store->apply(changes)) return;
    }
    const auto again = sqlite::ClientStore::open(database.path(), "ada@chat:1", Entropy::seeded(3));
    must(again && again->token() && again->token()->generation == 7);
    must(!again->unsent().empty() && again->unsent().back().room == "#b");
}

}  // namespace quicchat::test
