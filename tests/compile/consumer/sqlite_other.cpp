// Every header in a second file as well: a function that lacks `inline` is then defined twice. One
// way of using the package is enough to find that.
#ifndef QUICCHAT_ONE_FILE
#include <all_sqlite_headers.hpp>
#endif

int answer_of_the_other_file();

int answer_of_the_other_file() { return 42; }
