#pragma once

// What runs a client and a server, instantiated once for the whole module: in instantiations.cpp.

#include "memory_driver.hpp"
#include "quicchat/memory.hpp"
#include "quicchat/quic.hpp"
#include "quicchat/quic_shards.hpp"
#include "quicchat/quic_web.hpp"

namespace quicchat::python {

using ClientDriver = quic::ClientDriver<quic::Client>;
using ServerDriver = quic::Driver<quic::WebServer>;
using ShardedServerDriver = quic::ShardedDriver<quic::ShardedServer, quic::WebTransport>;
using MemoryClientDriver = MemoryDriver<memory::Client>;
using MemoryServerDriver = MemoryDriver<memory::Server>;

}  // namespace quicchat::python

namespace quicchat {

extern template class quic::ClientDriver<quic::Client>;
extern template class quic::Driver<quic::WebServer>;
extern template class quic::ShardedDriver<quic::ShardedServer, quic::WebTransport>;
extern template class webtransport::Transport<quic::Endpoint>;
extern template class Delivery<quic::WebTransport>;
extern template class FileStreams<quic::WebTransport>;
extern template class Logins<quic::WebTransport>;
extern template class Peers<quic::WebTransport>;
extern template class Server<quic::WebTransport>;
extern template class UnsentBytes<quic::WebTransport>;
extern template class Delivery<shards::Transport>;
extern template class FileStreams<shards::Transport>;
extern template class Logins<shards::Transport>;
extern template class Peers<shards::Transport>;
extern template class Server<shards::Transport>;
extern template class UnsentBytes<shards::Transport>;

}  // namespace quicchat
