#pragma once

// The chat over QUIC: everything of quicchat.hpp, ngtcp2 and wolfSSL.

#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/known_servers_file.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/quicchat.hpp"

namespace quicchat::quic {

/// A client over QUIC that logs in by SCRAM-SHA-256-PLUS.
using Client = quicchat::Client<Endpoint, ScramLogin<WolfCrypto>>;

/// A server over QUIC with accounts, whose rooms live in memory.
using Server = quicchat::Server<Endpoint, MemoryLog, ScramAuthenticator<WolfCrypto>>;

}  // namespace quicchat::quic
