#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "quicchat/base/background_threads.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/quic/address_tokens.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/network_watch.hpp"
#include "quicchat/quic/resolver.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/udp_socket.hpp"

namespace quicchat::quic {

/// Where a client wants to go.
struct Destination {
    std::string host;  ///< A name, also with other letters than ASCII's; or a numeric address.
    std::uint16_t port = 0;  ///< Not 0.
    /// Its addresses, for the first dial, if somebody has looked them up already.
    std::vector<SocketAddress> known{};
    /// Where the server's address token is kept from run to run. Null: nowhere.
    std::shared_ptr<AddressTokens> tokens{};
};

/// The sockets of one client. Each dial looks the name up anew, in a thread, and tries all of its
/// addresses with a new socket each. When an address of ours goes, or the system sends by another
/// one from now on, the connection goes on from a new socket.
class Dialler {
public:
    /// Fails if the system has no descriptors left.
    static Result<Dialler> create(Destination destination);

    /// Readable while there is something to do: an epoll descriptor, always the same.
    int fd() const { return epoll_.fd(); }

    /// When `serve` is to be called at the latest.
    std::optional<TimePoint> next_deadline() const;
    /// True while a socket is full. `fd` becomes readable when it no longer is.
    bool wants_write() const;

    // What a turn consists of, in this order.

    /// Takes in what has arrived.
    void receive(Endpoint& endpoint, TimePoint now);
    /// Looks names up and moves connections.
    void serve(Endpoint& endpoint, TimePoint now);
    /// Sends. True if that may have ended attempts to connect: then again from `serve` on.
    bool transmit(Endpoint& endpoint, TimePoint now);
    /// Closes the sockets that nobody needs any more.
    void tidy(const Endpoint& endpoint);

    /// Open ones: one for each address that is tried or in use.
    std::size_t sockets() const { return lines_.size(); }

private:
    struct Line {
        UdpSocket socket;
        SocketAddress local;
        SocketAddress remote;
        bool waits_for_write = false;
        bool given_up = false;  ///< Nothing could be sent when a dial began here.
    };

    // How long to wait: for a name server, before what it said last time must do; for more changes
    // of the network; before looking again while there is no way; and before giving up a family.
    static constexpr Duration look_up_patience = std::chrono::seconds{5};
    static constexpr Duration change_pause = std::chrono::milliseconds{50};
    static constexpr Duration check_pause = std::chrono::milliseconds{500};
    static constexpr Duration stranded_max = std::chrono::seconds{3};
    static constexpr std::size_t routes_max = 16;

    explicit Dialler(Destination destination) : destination_(std::move(destination)) {}

    bool watch(int operation, int fd, bool write) const;
    Line* find(const SocketAddress& local);
    std::error_code open_line(const SocketAddress& remote);
    void keep_token(Endpoint& endpoint) const;
    void look_up(Endpoint& endpoint, TimePoint now);
    void offer(Endpoint& endpoint, TimePoint now);
    void check_paths(Endpoint& endpoint, TimePoint now);
    bool check_path(Line& line, Endpoint& endpoint, TimePoint now);
    bool other_family_works(int family) const;

    Destination destination_;
    OwnedFd epoll_;
    Resolver resolver_;
    NetworkWatch network_;
    std::vector<SocketAddress> known_{};  ///< The latest addresses of the host.
    std::vector<Line> lines_{};
    bool dialled_ = false;
    std::optional<TimePoint> look_up_until_{};
    std::optional<TimePoint> check_at_{};        ///< Whether our paths still are the right ones.
    std::optional<TimePoint> stranded_since_{};  ///< There is no way to the server's address.
};

/// Joins a client and its Dialler, as Driver does an application and its socket. `fd()` stays the
/// same, whatever sockets come and go. The endpoint needs `ClientConfig::routes_later`.
template <Application App>
class ClientDriver {
public:
    /// Makes the application of `arguments`, in place: it need not be movable.
    template <class... Arguments>
    explicit ClientDriver(Dialler dialler, Arguments&&... arguments)
        : dialler_(std::move(dialler)), app_(std::forward<Arguments>(arguments)...) {
        if constexpr (requires { app_.compute_in(threads_.open()); }) {
            app_.compute_in(threads_.open());  // as in Driver
        }
    }

    /// Made and destroyed by this; it stays where it is.
    App& app() { return app_; }
    /// To look at only.
    const Dialler& dialler() const { return dialler_; }

    /// Readable when a turn is due; see `Dialler::fd`.
    int fd() const { return dialler_.fd(); }
    /// It is always enough to wait until `fd` is readable.
    bool wants_write() const { return false; }
    /// Readable while the client's login has been computed; see `Driver::wake_fds`.
    std::array<int, 2> wake_fds() const {
        if constexpr (requires { app_.wake_fd(); }) return {app_.wake_fd().value_or(-1), -1};
        return {-1, -1};
    }

    /// When the next turn is due, whatever else happens.
    std::optional<TimePoint> next_deadline() const {
        std::optional<TimePoint> deadline = app_.next_deadline();
        constexpr Duration patience = std::chrono::milliseconds{5};
        if (deadline && dialler_.wants_write()) {
            deadline = std::max(*deadline, last_turn_ + patience);
        }
        return earlier(deadline, dialler_.next_deadline());
    }

    /// As `Driver::turn`. Sockets are replaced, so none of them is an error.
    std::error_code turn(Now now) {
        last_turn_ = now.steady;
        Endpoint& endpoint = app_.transport();
        dialler_.receive(endpoint, now.steady);
        endpoint.handle_timeout(now.steady);
        do {
            app_.process(now);
            dialler_.serve(endpoint, now.steady);
        } while (dialler_.transmit(endpoint, now.steady));
        dialler_.tidy(endpoint);
        return {};
    }

private:
    Dialler dialler_;
    BackgroundThreads threads_{1};  ///< Ends after the application, which drops what it asked for.
    App app_;
    TimePoint last_turn_{};
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/dialler.ipp"
#endif
