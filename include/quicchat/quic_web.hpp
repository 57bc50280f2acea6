#pragma once

// A chat server over QUIC to which pages in browsers come as well, by WebTransport on the same
// port.
//
//     quic::Config config{.alpn = {std::string{quic::default_alpn}, std::string{http3_alpn}}};
//     auto endpoint = quic::Endpoint::server({certificate, key}, config);
//     quic::WebTransport transport{*std::move(endpoint), {.origins = {"https://chat.example"}}};
//     quic::Driver<quic::WebServer> driver{std::move(socket), std::move(transport), ...};

#include "quicchat/quic_server.hpp"
#include "quicchat/webtransport/transport.hpp"

namespace quicchat::quic {

/// The endpoint must have `http3_alpn` among its protocols, or else no page finds it.
using WebTransport = webtransport::Transport<Endpoint>;

/// A server for programs and for pages.
using WebServer = quicchat::Server<WebTransport>;

static_assert(Transport<WebTransport> && MeasuresItself<WebTransport>);

}  // namespace quicchat::quic
