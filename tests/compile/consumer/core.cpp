#include <all_core_headers.hpp>

int answer_of_the_other_file();

int main() { return answer_of_the_other_file() == 42 ? 0 : 1; }
