#include <all_sqlite_headers.hpp>

#include <cstdio>

int answer_of_the_other_file();

int main() {
    // SQLite and threads must be reachable, linked, through quicchat alone.
    const auto store =
        quicchat::sqlite::Store::open({.path = "/nowhere/chat.db"}, quicchat::Entropy::seeded(1));
    std::printf("SQLite %s: %s\n", sqlite3_libversion(),
                store ? "opened" : store.error().text.c_str());
    return !store && answer_of_the_other_file() == 42 ? 0 : 1;
}
