#pragma once

// A chat server over QUIC that uses several cores: see quic/shards.hpp.

#include "quicchat/quic/shards.hpp"
#include "quicchat/quic_server.hpp"

namespace quicchat::quic {

/// To be run by a ShardedDriver.
using ShardedServer = quicchat::Server<shards::Transport>;

}  // namespace quicchat::quic
