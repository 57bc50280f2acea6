#include "instantiations.hpp"

namespace quicchat {

template class Client<quic::Endpoint, quic::Login>;
template class Server<quic::Endpoint, python::AnyLog, python::ServerAuthenticator,
                      python::AnyFiles>;
template class quic::Driver<quic::Client>;
template class quic::Driver<python::ChatServer>;

}  // namespace quicchat
