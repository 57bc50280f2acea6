#pragma once

// The two big templates, instantiated once for the whole module: in instantiations.cpp.

#include "any_book.hpp"
#include "any_files.hpp"
#include "any_log.hpp"
#include "quicchat/quic.hpp"

namespace quicchat::python {

using ServerAuthenticator = DeviceAuthenticator<quic::WolfCrypto, AnyBook, AnyHook>;
using ChatServer = Server<quic::Endpoint, AnyLog, ServerAuthenticator, AnyFiles>;
using ClientDriver = quic::Driver<quic::Client>;
using ServerDriver = quic::Driver<ChatServer>;

}  // namespace quicchat::python

namespace quicchat {

extern template class Client<quic::Endpoint, quic::Login>;
extern template class Server<quic::Endpoint, python::AnyLog, python::ServerAuthenticator,
                             python::AnyFiles>;
extern template class quic::Driver<quic::Client>;
extern template class quic::Driver<python::ChatServer>;

}  // namespace quicchat
