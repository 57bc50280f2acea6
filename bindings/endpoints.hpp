#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client_port.hpp"
#include "engine.hpp"
#include "quicchat/auth/client_key_cache.hpp"
#include "quicchat/base/limits.hpp"
#include "server_port.hpp"

// Clients and servers with their sockets, from plain values. Nothing here needs Python, so it can
// run without the GIL; and nothing of QUIC is needed to compile against it. Failures are thrown as
// CoreFailure.

namespace quicchat::python {

struct DialOptions {
    std::string address;      ///< "127.0.0.1:4433"; numeric, so that nobody waits for a resolver
    std::string server_name;  ///< as the user wrote it
    std::string user;
    std::string password;
    std::string trust;  ///< system, authorities, keys or anyone; see quic::Trust
    std::string pem;
    std::vector<std::string> keys;
    std::string alpn;
    std::string agent;
    Limits limits;
};

std::unique_ptr<Runner> make_client(DialOptions options, std::shared_ptr<ClientKeyCache> cache,
                                    std::shared_ptr<ClientPort> port);

struct ServeOptions {
    std::string address;
    std::string certificate_pem;
    std::string key_pem;
    std::vector<std::pair<std::string, std::string>> accounts;  ///< name, verifier
    std::vector<std::string> rooms;
    std::string alpn;
    std::string agent;
    Limits limits;
};

struct BoundServer {
    std::unique_ptr<Runner> runner;
    std::string address;  ///< with the port that the system chose
};

BoundServer make_server(const ServeOptions& options, std::shared_ptr<ServerPort> port);

}  // namespace quicchat::python
