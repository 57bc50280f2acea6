// Loads qc_server as peer_load loads other servers, and prints the same line: one member publishes,
// all receive. `qc_load --help` says how to use it.

#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "load.hpp"
#include "quic_chat.hpp"
#include "quicchat/quic.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

/// A client. Once it is in its rooms, only the ends of frames are looked for, so that the members
/// do not need more of the machine than the server that is measured.
class LoadClient {
public:
    LoadClient(quic::Endpoint endpoint, quic::Login login, Entropy entropy, ClientConfig config,
               LoadMember* member)
        : client_(std::move(endpoint), std::move(login), entropy, std::move(config)),
          member_(member) {}

    quic::Endpoint& transport() { return client_.transport(); }
    quic::Client& client() { return client_; }

    void process(Now now) {
        if (options.bare) {
            process_bare(now);
        } else if (is_raw_) {
            process_raw(now);
        } else {
            client_.process(now);
        }
    }
    std::optional<TimePoint> next_deadline() const {
        return is_raw_ || options.bare ? client_.transport().next_deadline()
                                       : client_.next_deadline();
    }
    void dial(Now now) {
        if (!options.bare) return client_.connect(now);
        connection_ = value_or_exit(transport().connect(now.steady), "dial");
    }
    void close() {
        if (!options.bare) return client_.close();
        transport().close(connection_, Errc::closed, "");
    }
    void read_raw() { is_raw_ = true; }

private:
    void process_bare(Now now) {
        transport().handle_timeout(now.steady);
        while (const auto event = transport().poll_event()) {
            if (std::holds_alternative<Connected>(*event)) member_->is_online = true;
        }
    }
    void process_raw(Now now) {
        transport().handle_timeout(now.steady);
        while (auto event = transport().poll_event()) {
            if (auto* data = std::get_if<StreamData>(&*event)) {
                take(*data);
            } else if (const auto* gone = std::get_if<Disconnected>(&*event)) {
                const CloseReason& why = gone->reason;
                if (!why.by_peer && why.errc == Errc::closed) continue;  // we did it
                fail("client " + std::to_string(member_->index) + ": disconnected: " +
                     std::string{error_name(why.errc)} + " " + why.text);
            }
        }
    }
    void take(StreamData& data) {
        const auto stream = static_cast<std::size_t>(data.stream) / 4;
        while (assemblers_.size() <= stream) assemblers_.emplace_back(1u << 17);
        FrameAssembler& assembler = assemblers_[stream];
        assembler.push(data.bytes.view());
        while (const auto frame = assembler.next()) {
            if (!*frame) break;
            const std::string_view payload = as_text((*frame)->payload);
            const std::size_t found = payload.find(mark);
            if (found != std::string_view::npos) {
                note_message(*member_, payload.substr(found + mark.size()));
            }
        }
        transport().consume(data.connection, data.stream, data.bytes.size());
    }

    quic::Client client_;
    LoadMember* member_;
    bool is_raw_ = false;
    ConnectionId connection_{};
    std::vector<FrameAssembler> assemblers_;
};

// --- The crowd -----------------------------------------------------------------------------------

/// All members in one epoll loop, each with a socket of its own.
class Load {
public:
    Load() : epoll_(epoll_create1(0)) {}

    void dial() {
        const auto remote = *quic::SocketAddress::from_numeric(options.host, options.port);
        auto socket = value_or_exit(quic::UdpSocket::connect(remote), "socket");
        auto endpoint = value_or_exit(
            quic::Endpoint::client(
                {.remote = remote,
                 .local = socket.local_address(),
                 .server_name = "localhost",
                 .trust = quic::Trust::insecure()},
                quic::Config{.limits = bench_limits(), .hold_acknowledgements = options.hold}),
            "client");
        auto login = value_or_exit(
            quic::Login::with_password("bench", "password", {.cache = cache_}), "login");
        auto peer = std::make_unique<Peer>();
        peer->member.index = peers_.size();
        peer->driver = std::make_unique<Driver>(
            std::move(socket), std::move(endpoint), std::move(login), quic::system_entropy(),
            ClientConfig{.limits = bench_limits()}, &peer->member);
        epoll_event wanted{.events = EPOLLIN, .data = {.u64 = peers_.size()}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, peer->driver->fd(), &wanted);
        peers_.push_back(std::move(peer));
        peers_.back()->driver->app().dial(quic::read_clock());
        turn(peers_.size() - 1);
    }

    /// Runs what is due, for at most so long.
    void pump(int milliseconds) {
        Now now = quic::read_clock();
        while (!due_.empty() && due_.top().at <= now.steady) {
            const Due due = due_.top();
            due_.pop();
            Peer* const peer = peers_[due.index].get();
            if (peer == nullptr || peer->armed != due.at) continue;
            peer->armed = TimePoint::max();
            const auto deadline = peer->driver->next_deadline();
            if (deadline && *deadline <= now.steady) {
                turn(due.index, now);
                milliseconds = 0;
            } else {
                arm(due.index);
            }
        }
        if (!due_.empty()) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(due_.top().at - now.steady);
            milliseconds = static_cast<int>(std::min<std::int64_t>(milliseconds, left.count()));
        }
        epoll_event ready[256];
        const int count = epoll_wait(epoll_, ready, 256, std::max(milliseconds, 0));
        now = quic::read_clock();
        for (int i = 0; i < count; ++i) {
            if (peers_[ready[i].data.u64]) turn(ready[i].data.u64, now);
        }
    }

    void turn(std::size_t index, Now now = quic::read_clock()) {
        (void)peers_[index]->driver->turn(now);
        take_events(*peers_[index]);
        arm(index);
    }

    void drop(std::size_t index) {
        peers_[index]->driver->app().close();
        turn(index);
        epoll_ctl(epoll_, EPOLL_CTL_DEL, peers_[index]->driver->fd(), nullptr);
        peers_[index].reset();
    }

    void publish(std::size_t room) {
        std::string text = make_text(++sent.published, room);
        if (options.acks != 0) sent.at_ns.push_back(monotonic_ns());
        (void)value_or_exit(client(0).publish(room_name(room), std::move(text)), "publish");
    }
    /// Into the rooms by turns.
    void publish() { publish((sent.published + 1) % options.rooms); }

    bool has(std::size_t index) const { return peers_[index] != nullptr; }
    LoadMember& member(std::size_t index) { return peers_[index]->member; }
    quic::Client& client(std::size_t index) { return peers_[index]->driver->app().client(); }
    void skim(std::size_t index) {
        if (!options.full) peers_[index]->driver->app().read_raw();
    }
    void join(std::size_t index, std::size_t room) { (void)client(index).join(room_name(room)); }
    std::size_t size() const { return peers_.size(); }

private:
    using Driver = quic::Driver<LoadClient>;
    struct Peer {
        LoadMember member;
        std::unique_ptr<Driver> driver;
        TimePoint armed = TimePoint::max();
    };
    struct Due {
        TimePoint at;
        std::size_t index;
        bool operator>(const Due& other) const { return at > other.at; }
    };

    void arm(std::size_t index) {
        Peer& peer = *peers_[index];
        const auto deadline = peer.driver->next_deadline();
        if (!deadline || *deadline >= peer.armed) return;
        peer.armed = *deadline;
        due_.push({*deadline, index});
    }

    void take_events(Peer& peer) {
        if (options.bare) return;
        LoadMember& member = peer.member;
        while (const auto event = peer.driver->app().client().poll_event()) {
            if (std::holds_alternative<Online>(*event)) {
                member.is_online = true;
            } else if (std::holds_alternative<RoomJoined>(*event)) {
                ++member.joined;
            } else if (std::holds_alternative<Acked>(*event)) {
                note_ack();
            } else if (const auto* message = std::get_if<RoomMessage>(&*event)) {
                if (options.acks == 0) {
                    note_message(member, std::string_view{message->text}.substr(mark.size()));
                }
            } else if (const auto* refused = std::get_if<Refused>(&*event)) {
                fail("refused: " + std::string{error_name(refused->errc)});
            } else if (const auto* offline = std::get_if<Offline>(&*event)) {
                if (!offline->reason.by_peer && offline->reason.errc == Errc::closed) continue;
                fail("client " + std::to_string(member.index) + ": offline: " +
                     std::string{error_name(offline->reason.errc)} + " " + offline->reason.text);
            }
        }
    }

    static void note_ack() {
        if (options.acks != 0) {
            sent.ack_us.push_back(
                static_cast<double>(monotonic_ns() - sent.at_ns[sent.ack_us.size()]) / 1000);
        }
        ++sent.acked;
    }

    int epoll_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::shared_ptr<ClientKeyCache> cache_ = std::make_shared<ClientKeyCache>(8);
};

}  // namespace

int main(int argc, char** argv) {
    return run_load<Load>(
        argc, argv,
        "Loads a qc_server: M members of a room, of whom the first one publishes.\n"
        "\n"
        "  qc_load [--host H] [--port P] [--pid PID] [--subs M] [--rooms R] [--size B] WHAT\n"
        "\n"
        "  --no-hold           members acknowledge as ngtcp2 does by itself\n"
        "  --full              every member decodes everything, and not only the ends of frames\n");
}
