#pragma once

// A chat server over QUIC that uses several cores: see quic/shards.hpp.

#include "quicchat/quic/shards.hpp"
#include "quicchat/quic_server.hpp"

namespace quicchat::quic {

/// To be run by a ShardedDriver.
using ShardedServer = quicchat::Server<shards::Transport>;

}  // namespace quicchat::quic

#ifdef QUICCHAT_COMPILED
namespace quicchat {

extern template class Delivery<shards::Transport>;
extern template class FileStreams<shards::Transport>;
extern template class Logins<shards::Transport>;
extern template class Peers<shards::Transport>;
extern template class Server<shards::Transport>;
extern template class UnsentBytes<shards::Transport>;

}  // namespace quicchat
#endif
