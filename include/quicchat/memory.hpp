#pragma once

// The whole chat in one program: deterministic, without a network. For tests and simulations.

#include "quicchat/auth/name_login.hpp"
#include "quicchat/client.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/memory/network.hpp"
#include "quicchat/server.hpp"

namespace quicchat::memory {

/// A client and a server on a simulated network; see Network.
/// @{
using Client = quicchat::Client<Transport>;
using Server = quicchat::Server<Transport>;
/// @}

}  // namespace quicchat::memory

#ifdef QUICCHAT_COMPILED
namespace quicchat {

extern template class Client<memory::Transport>;
extern template class Delivery<memory::Transport>;
extern template class FileStreams<memory::Transport>;
extern template class Logins<memory::Transport>;
extern template class Peers<memory::Transport>;
extern template class Server<memory::Transport>;

}  // namespace quicchat
#endif
