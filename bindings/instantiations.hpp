#pragma once

// What runs a client and a server, instantiated once for the whole module: in instantiations.cpp.

#include "quicchat/quic.hpp"

namespace quicchat::python {

using ClientDriver = quic::ClientDriver<quic::Client>;
using ServerDriver = quic::Driver<quic::Server>;

}  // namespace quicchat::python

namespace quicchat {

extern template class quic::ClientDriver<quic::Client>;
extern template class quic::Driver<quic::Server>;

}  // namespace quicchat
