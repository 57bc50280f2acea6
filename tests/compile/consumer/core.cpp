// A program that needs nothing but quicchat::core, and what that needs.
#include "quicchat/base/json.hpp"
#include "quicchat/session/client_session.hpp"
#include "quicchat/session/server_session.hpp"

int main() { return quicchat::is_json_object(R"({"name":"consumer"})", 4) ? 0 : 1; }
