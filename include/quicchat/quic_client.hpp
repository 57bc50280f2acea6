#pragma once

// A chat client over QUIC, by ngtcp2 and wolfSSL.

#include "quicchat/auth/device_login.hpp"
#include "quicchat/auth/known_servers.hpp"
#include "quicchat/auth/login.hpp"
#include "quicchat/auth/scram.hpp"
#include "quicchat/client.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/dialler.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/known_servers_file.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::quic {

/// Logs in by SCRAM-SHA-256-PLUS, and from then on by the token that the server gave.
using Login = DeviceLogin<WolfCrypto>;

/// A client over QUIC.
using Client = quicchat::Client<Endpoint>;

}  // namespace quicchat::quic

#ifdef QUICCHAT_COMPILED
namespace quicchat {

extern template class Client<quic::Endpoint>;
extern template class DeviceLogin<quic::WolfCrypto>;
extern template class ScramClient<quic::WolfCrypto>;
extern template class ScramLogin<quic::WolfCrypto>;

}  // namespace quicchat
#endif
