#include "instantiations.hpp"

namespace quicchat {

template class Client<quic::Endpoint, quic::Login>;
template class Server<quic::Endpoint, python::AnyLog, python::ServerAuthenticator>;
template class quic::Driver<quic::Client>;
template class quic::Driver<python::ChatServer>;

}  // namespace quicchat
