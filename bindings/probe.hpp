#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/quic/dialler.hpp"

namespace quicchat::python {

struct ProbeOptions {
    std::string host;
    std::uint16_t port = 0;
    std::vector<std::string> addresses;  ///< With port.
    std::string trust;                   ///< As in DialOptions.
    std::string pem;
    std::vector<std::string> keys;
    std::string alpn;
    Duration timeout{};  ///< For the handshake.
};

/// Makes a QUIC connection to a server to look at it, and says nothing about anybody. On the
/// caller's thread, while he calls `step`.
class Probe {
public:
    explicit Probe(ProbeOptions options);
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    ~Probe();

    /// Goes on for so long at most, or until the handshake has succeeded or failed.
    void step(Duration patience);

    /// Goes on with the connection for so long: paths are measured meanwhile.
    void stay(Duration patience);

    bool is_over() const { return app().connected || app().reason; }
    const std::optional<Connected>& connected() const { return app().connected; }
    /// Why there is no connection, or no more.
    const std::optional<CloseReason>& reason() const { return app().reason; }
    /// How long the handshake took.
    Duration handshake_time() const { return app().over_at - begun_at_; }
    std::optional<PathStats> path() const;
    /// In DER; empty if the server showed none.
    const std::vector<std::uint8_t>& certificate() const { return app().certificate; }

private:
    /// What a ClientDriver runs.
    struct App {
        explicit App(quic::Endpoint e) : endpoint(std::move(e)) {}
        quic::Endpoint& transport() { return endpoint; }
        void process(Now now);
        std::optional<TimePoint> next_deadline() const { return endpoint.next_deadline(); }

        quic::Endpoint endpoint;
        bool dialled = false;
        TimePoint over_at{};
        std::optional<Connected> connected{};
        std::optional<CloseReason> reason{};
        std::vector<std::uint8_t> certificate{};
    };

    void run(Duration patience, bool until_over);
    const App& app() const { return driver_->app(); }

    std::unique_ptr<quic::ClientDriver<App>> driver_;
    TimePoint begun_at_;
};

}  // namespace quicchat::python
