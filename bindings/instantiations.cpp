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

}  // namespace quicchat
