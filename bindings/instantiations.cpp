#include "instantiations.hpp"

namespace quicchat {

template class Client<quic::Endpoint, ScramLogin<quic::WolfCrypto>>;
template class Server<quic::Endpoint, MemoryLog, ScramAuthenticator<quic::WolfCrypto>>;
template class quic::Driver<quic::Client>;
template class quic::Driver<quic::Server>;

}  // namespace quicchat
