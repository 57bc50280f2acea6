#include "instantiations.hpp"

namespace quicchat {

template class Client<quic::Endpoint>;
template class Server<quic::Endpoint>;
template class quic::Driver<quic::Client>;
template class quic::Driver<quic::Server>;

}  // namespace quicchat
