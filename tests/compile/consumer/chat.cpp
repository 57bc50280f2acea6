// A program that needs the core only, and much of it.
#include "chat.hpp"

int main() { return can_chat() ? 0 : 1; }
