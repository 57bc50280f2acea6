#pragma once

// Everything that needs only the standard library and nlohmann-json. For QUIC include quic.hpp.

#include "quicchat/auth/known_servers.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/scram.hpp"
#include "quicchat/client.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/memory.hpp"
#include "quicchat/server.hpp"
#include "quicchat/transport/archetype.hpp"
