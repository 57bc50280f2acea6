#pragma once

// The chat over QUIC, by ngtcp2 and wolfSSL: everything of quicchat.hpp but the network in memory.

#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/device_login.hpp"
#include "quicchat/auth/known_servers.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/scram.hpp"
#include "quicchat/client.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/dialler.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/known_servers_file.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/server.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::quic {

/// Logs in by SCRAM-SHA-256-PLUS, and from then on by the token that the server gave.
using Login = DeviceLogin<WolfCrypto>;

/// A client over QUIC.
using Client = quicchat::Client<Endpoint>;

/// Logs in by password or device token, against an AccountBook.
using Authenticator = DeviceAuthenticator<WolfCrypto>;

/// A server over QUIC. With `MemoryLog` and `MemoryAccounts` it knows rooms and accounts while the
/// program runs; with `SqliteLog` and `SqliteAccounts` (quicchat/sqlite.hpp) it remembers.
using Server = quicchat::Server<Endpoint>;

}  // namespace quicchat::quic

#ifdef QUICCHAT_COMPILED
namespace quicchat {

extern template class Client<quic::Endpoint>;
extern template class Delivery<quic::Endpoint>;
extern template class FileStreams<quic::Endpoint>;
extern template class Logins<quic::Endpoint>;
extern template class Peers<quic::Endpoint>;
extern template class Server<quic::Endpoint>;
extern template class DeviceAuthenticator<quic::WolfCrypto>;
extern template class DeviceLogin<quic::WolfCrypto>;
extern template class ScramAuthenticator<quic::WolfCrypto>;
extern template class ScramClient<quic::WolfCrypto>;
extern template class ScramLogin<quic::WolfCrypto>;
extern template class ScramServer<quic::WolfCrypto>;

}  // namespace quicchat
#endif
