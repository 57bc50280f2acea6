#include "instantiations.hpp"

namespace quicchat {

template class quic::ClientDriver<quic::Client>;
template class quic::Driver<quic::WebServer>;
template class quic::ShardedDriver<quic::ShardedServer, quic::WebTransport>;
template class webtransport::Transport<quic::Endpoint>;
template class Delivery<quic::WebTransport>;
template class FileStreams<quic::WebTransport>;
template class Logins<quic::WebTransport>;
template class Peers<quic::WebTransport>;
template class Server<quic::WebTransport>;
template class UnsentBytes<quic::WebTransport>;
template class Delivery<shards::Transport>;
template class FileStreams<shards::Transport>;
template class Logins<shards::Transport>;
template class Peers<shards::Transport>;
template class Server<shards::Transport>;
template class UnsentBytes<shards::Transport>;

}  // namespace quicchat
