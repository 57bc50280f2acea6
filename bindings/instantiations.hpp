#pragma once

// The two big templates, instantiated once for the whole module: in instantiations.cpp.

#include "quicchat/quic.hpp"

namespace quicchat::python {

using ClientDriver = quic::Driver<quic::Client>;
using ServerDriver = quic::Driver<quic::Server>;

}  // namespace quicchat::python

namespace quicchat {

extern template class Client<quic::Endpoint>;
extern template class Server<quic::Endpoint>;
extern template class quic::Driver<quic::Client>;
extern template class quic::Driver<quic::Server>;

}  // namespace quicchat
