#pragma once

// A chat server over QUIC, by ngtcp2 and wolfSSL.

#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/scram.hpp"
#include "quicchat/auth/scram_login.hpp"
#include "quicchat/auth/scram_server.hpp"
#include "quicchat/auth/ticket_authenticator.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/server.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::quic {

/// Logs in by password or device token, against an AccountBook.
using Authenticator = DeviceAuthenticator<WolfCrypto>;

/// Logs pages in by tickets, and all others as the authenticator behind it does.
using PageAuthenticator = TicketAuthenticator<WolfCrypto>;

/// A server over QUIC. With `MemoryLog` and `MemoryAccounts` it knows rooms and accounts while the
/// program runs; with `SqliteLog` and `SqliteAccounts` (quicchat/sqlite.hpp) it remembers.
using Server = quicchat::Server<Endpoint>;

}  // namespace quicchat::quic

#ifdef QUICCHAT_COMPILED
namespace quicchat {

extern template class Delivery<quic::Endpoint>;
extern template class FileStreams<quic::Endpoint>;
extern template class Logins<quic::Endpoint>;
extern template class Peers<quic::Endpoint>;
extern template class Server<quic::Endpoint>;
extern template class UnsentBytes<quic::Endpoint>;
extern template class DeviceAuthenticator<quic::WolfCrypto>;
extern template class ScramAuthenticator<quic::WolfCrypto>;
extern template class ScramServer<quic::WolfCrypto>;
extern template class TicketAuthenticator<quic::WolfCrypto>;

}  // namespace quicchat
#endif
