#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client_port.hpp"
#include "engine.hpp"
#include "quicchat/auth/client_key_cache.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/background.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/session/backoff.hpp"
#include "server_port.hpp"

// Clients and servers with their sockets, from plain values. Nothing here needs Python, so it can
// run without the GIL; and nothing of QUIC is needed to compile against it. Failures are thrown as
// CoreFailure.

namespace quicchat::python {

/// Where qlogs go: one file for each connection.
struct QlogOptions {
    std::string directory;  ///< Empty: nowhere.
    std::uint64_t bytes_max = 0;
};

struct DialOptions {
    std::string host;  ///< Looked up again for each reconnection.
    std::uint16_t port = 0;
    std::vector<std::string> addresses;  ///< Of the host, with port: "127.0.0.1:4433".
    std::string user;
    std::optional<std::string> password;  ///< Nothing: by the token in the state file.
    std::string state;    ///< Path of the file that outlives the program; empty: none.
    std::string account;  ///< Whose part of that file: a user at a server.
    std::string trust;    ///< system, authorities, keys or anyone; see quic::Trust
    std::string pem;
    std::vector<std::string> keys;
    std::string alpn;
    std::string agent;
    Limits limits;
    Reconnection reconnect;
    QlogOptions qlog;
};

/// `background`: where its logins compute.
std::unique_ptr<Runner> make_client(DialOptions options, std::shared_ptr<ClientKeyCache> cache,
                                    std::unique_ptr<Background> background,
                                    std::shared_ptr<ClientPort> port);

/// An account of the configuration: with a password or with a verifier.
struct ConfiguredAccount {
    std::string name;
    std::string password;
    std::string verifier;
    ScramSalt salt{};  ///< For the password, where it is new.
};

/// Of the logins of web pages. No keys: no tickets are taken.
struct TicketSettings {
    std::vector<std::string> keys{};
    std::string audience{};
    std::vector<std::string> hosts{};
};

/// Which pages of the web may come (webtransport::Config), and how people log in in them.
struct WebOptions {
    std::string path;
    /// Empty: none. At the start: none ever, since nobody is told that they could.
    std::vector<std::string> origins;
    bool passwords = false;
    TicketSettings tickets{};
};

/// What may change while a server runs.
struct ServerSettings {
    std::string certificate_pem;
    std::string key_pem;
    std::string web_certificate_pem{};  ///< For browsers; empty: the one above.
    std::string web_key_pem{};
    std::vector<ConfiguredAccount> accounts;
    std::uint32_t iterations = 0;  ///< For new passwords.
    std::vector<std::string> rooms;
    std::vector<std::string> operators;
    bool anybody_makes_rooms = true;
    Limits limits;
    WebOptions web{};
};

struct ServeOptions {
    std::string address;
    ServerSettings settings;
    std::string database;          ///< Path; empty: everything in memory.
    std::string durability;        ///< Of the database: fsync or process.
    std::string files;             ///< Path of a folder; empty: as the next one says.
    bool files_in_memory = false;  ///< Otherwise there are none.
    bool asks = false;             ///< Python is asked about logins.
    Duration hook_timeout{};
    bool checks_messages = false;  ///< Python is asked about messages.
    Duration check_timeout{};
    bool accepts_unchecked = false;  ///< If Python does not answer in time.
    std::string speaker{};           ///< By which the program speaks; no account's name.
    std::string alpn;
    std::string agent;
    QlogOptions qlog;
    std::size_t threads = 1;  ///< That carry connections: 1 has the chat as well.
};

struct BoundServer {
    std::unique_ptr<Runner> runner;
    std::string address;                ///< with the port that the system chose
    std::vector<std::string> replaced;  ///< accounts whose password in the database was another
    std::string speaker;                ///< empty: an account has that name
};

BoundServer make_server(const ServeOptions& options, std::shared_ptr<ServerPort> port);

}  // namespace quicchat::python
