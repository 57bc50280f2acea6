#pragma once

// The chat over QUIC: everything of quicchat.hpp, ngtcp2 and wolfSSL.

#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/device_login.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/known_servers_file.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/quicchat.hpp"

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
