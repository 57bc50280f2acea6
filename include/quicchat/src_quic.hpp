#pragma once

// All bodies of what quic.hpp adds to the core; see src.hpp.

#include "quicchat/quic.hpp"
#include "quicchat/quic/shards.hpp"

#ifdef QUICCHAT_COMPILED
namespace quicchat {

template class Client<quic::Endpoint>;
template class Delivery<quic::Endpoint>;
template class FileStreams<quic::Endpoint>;
template class Logins<quic::Endpoint>;
template class Peers<quic::Endpoint>;
template class Server<quic::Endpoint>;
template class UnsentBytes<quic::Endpoint>;
template class DeviceAuthenticator<quic::WolfCrypto>;
template class DeviceLogin<quic::WolfCrypto>;
template class ScramAuthenticator<quic::WolfCrypto>;
template class ScramClient<quic::WolfCrypto>;
template class ScramLogin<quic::WolfCrypto>;
template class ScramServer<quic::WolfCrypto>;
template class TicketAuthenticator<quic::WolfCrypto>;

}  // namespace quicchat
#endif

// --- Bodies: all of them, by folder.

#include "quicchat/impl/quic_connect.ipp"
#include "quicchat/impl/quic_serve.ipp"
#include "quicchat/quic/impl/acknowledgement_hold.ipp"
#include "quicchat/quic/impl/address.ipp"
#include "quicchat/quic/impl/afterlife.ipp"
#include "quicchat/quic/impl/callbacks.ipp"
#include "quicchat/quic/impl/certificate.ipp"
#include "quicchat/quic/impl/certificate_facts.ipp"
#include "quicchat/quic/impl/connection.ipp"
#include "quicchat/quic/impl/connection_id.ipp"
#include "quicchat/quic/impl/connection_life.ipp"
#include "quicchat/quic/impl/connection_memory.ipp"
#include "quicchat/quic/impl/dialler.ipp"
#include "quicchat/quic/impl/doorman.ipp"
#include "quicchat/quic/impl/endpoint.ipp"
#include "quicchat/quic/impl/endpoint_routes.ipp"
#include "quicchat/quic/impl/endpoint_turn.ipp"
#include "quicchat/quic/impl/error.ipp"
#include "quicchat/quic/impl/host_name.ipp"
#include "quicchat/quic/impl/interface_payloads.ipp"
#include "quicchat/quic/impl/known_servers_file.ipp"
#include "quicchat/quic/impl/memory_trim.ipp"
#include "quicchat/quic/impl/network_watch.ipp"
#include "quicchat/quic/impl/packet_keys.ipp"
#include "quicchat/quic/impl/packet_protection.ipp"
#include "quicchat/quic/impl/packet_size.ipp"
#include "quicchat/quic/impl/packet_writer.ipp"
#include "quicchat/quic/impl/pem.ipp"
#include "quicchat/quic/impl/prefix_budgets.ipp"
#include "quicchat/quic/impl/qlog_folder.ipp"
#include "quicchat/quic/impl/random.ipp"
#include "quicchat/quic/impl/resolver.ipp"
#include "quicchat/quic/impl/route.ipp"
#include "quicchat/quic/impl/run.ipp"
#include "quicchat/quic/impl/send_buffer.ipp"
#include "quicchat/quic/impl/shards.ipp"
#include "quicchat/quic/impl/stream.ipp"
#include "quicchat/quic/impl/timer_heap.ipp"
#include "quicchat/quic/impl/tls.ipp"
#include "quicchat/quic/impl/token.ipp"
#include "quicchat/quic/impl/token_uses.ipp"
#include "quicchat/quic/impl/trust.ipp"
#include "quicchat/quic/impl/udp_control.ipp"
#include "quicchat/quic/impl/udp_send_queue.ipp"
#include "quicchat/quic/impl/udp_socket.ipp"
#include "quicchat/quic/impl/wolf_crypto.ipp"
#include "quicchat/shards/impl/link.ipp"
#include "quicchat/shards/impl/transport.ipp"
