#include <all_sqlite_headers.hpp>

int answer_of_the_other_file();

int answer_of_the_other_file() { return 42; }
