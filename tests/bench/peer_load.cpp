// Loads servers that people would take in the place of quicchat, as qc_load loads qc_server: over
// TLS 1.3, with the same texts and the same line of figures. `peer_load --help` says how to use it.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "load.hpp"

using namespace quicchat::bench;

namespace {

/// What one connection says and understands of a protocol. Bytes go out by `out`.
class Protocol {
public:
    explicit Protocol(LoadMember& member) : member_(&member) {}
    Protocol(const Protocol&) = delete;
    Protocol& operator=(const Protocol&) = delete;
    virtual ~Protocol() = default;

    /// True if something comes before TLS, which begins after it.
    virtual bool greets() const { return false; }
    virtual void begin() = 0;
    virtual void join(std::size_t room) = 0;
    virtual void publish(std::size_t room, std::string_view text) = 0;
    /// Takes whole units from the beginning of `in`. How many bytes.
    virtual std::size_t take(std::string_view in) = 0;

    std::string out{};

protected:
    static std::string subject(std::size_t room) { return room_name(room).substr(1); }
    void note(std::string_view text) {
        const std::size_t found = text.find(mark);
        if (found != std::string_view::npos) note_message(*member_, text.substr(found + 4));
    }
    void come_online() { member_->is_online = true; }
    void enter() { ++member_->joined; }

private:
    LoadMember* member_;
};

/// https://docs.nats.io/reference/reference-protocols/nats-protocol
class Nats final : public Protocol {
public:
    using Protocol::Protocol;

    bool greets() const override { return true; }
    void begin() override {
        out +=
            "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":true,\"lang\":\"c\","
            "\"version\":\"1\",\"protocol\":1,\"echo\":true}\r\nPING\r\n";
    }
    void join(std::size_t room) override {
        out += "SUB " + subject(room) + " " + std::to_string(room + 1) + "\r\nPING\r\n";
    }
    void publish(std::size_t room, std::string_view text) override {
        out += "PUB " + subject(room) + " " + std::to_string(text.size()) + "\r\n";
        out.append(text).append("\r\n");
    }
    std::size_t take(std::string_view in) override {
        std::size_t done = 0;
        while (true) {
            const std::string_view rest = in.substr(done);
            const std::size_t end = rest.find("\r\n");
            if (end == std::string_view::npos) return done;
            const std::string_view line = rest.substr(0, end);
            std::size_t size = end + 2;
            if (line.starts_with("MSG ")) {
                const std::string_view digits = line.substr(line.rfind(' ') + 1);
                std::size_t bytes = 0;
                std::from_chars(digits.data(), digits.data() + digits.size(), bytes);
                if (rest.size() < size + bytes + 2) return done;
                note(rest.substr(size, bytes));
                size += bytes + 2;
            } else if (line == "PONG") {
                std::exchange(is_in_, true) ? enter() : come_online();
            } else if (line == "PING") {
                out += "PONG\r\n";
            } else if (line.starts_with("-ERR")) {
                fail("nats-server says " + std::string{line});
            }
            done += size;
        }
    }

private:
    bool is_in_ = false;
};

/// MQTT 3.1.1, quality of service 0: http://docs.oasis-open.org/mqtt/mqtt/v3.1.1/
class Mqtt final : public Protocol {
public:
    using Protocol::Protocol;

    void begin() override {
        static std::size_t number = 0;
        std::string body{"\0\4MQTT\4\2\0\0", 10};  // a clean session, no keep-alive
        put_text(body, "load" + std::to_string(getpid()) + "-" + std::to_string(number++));
        put(0x10, body);
    }
    void join(std::size_t room) override {
        std::string body{"\0\1", 2};
        put_text(body, subject(room));
        body += '\0';
        put(0x82, body);
    }
    void publish(std::size_t room, std::string_view text) override {
        std::string body;
        put_text(body, subject(room));
        put(0x30, body.append(text));
    }
    std::size_t take(std::string_view in) override {
        std::size_t done = 0;
        while (true) {
            const std::string_view rest = in.substr(done);
            std::size_t size = 0;
            std::size_t head = 1;
            for (unsigned shift = 0;; shift += 7) {
                if (head >= rest.size()) return done;
                const auto byte = static_cast<unsigned char>(rest[head++]);
                size |= std::size_t{byte & 0x7fu} << shift;
                if ((byte & 0x80u) == 0) break;
            }
            if (rest.size() < head + size) return done;
            switch (static_cast<unsigned char>(rest[0]) >> 4) {
                case 2:
                    come_online();
                    break;
                case 3:
                    note(rest.substr(head, size));
                    break;
                case 9:
                    enter();
                    break;
                default:
                    break;
            }
            done += head + size;
        }
    }

private:
    static void put_text(std::string& body, const std::string& text) {
        body += static_cast<char>(text.size() >> 8);
        body += static_cast<char>(text.size());
        body += text;
    }
    void put(int type, const std::string& body) {
        out += static_cast<char>(type);
        std::size_t size = body.size();
        do {
            out += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
            size >>= 7;
        } while (size != 0);
        out += body;
    }
};

/// All members in one epoll loop, each with a connection of its own.
class PeerLoad {
public:
    PeerLoad() : epoll_(epoll_create1(0)), tls_(SSL_CTX_new(TLS_client_method())) {
        if (options.proto != "nats" && options.proto != "mqtt") refuse_arguments();
        if (options.acks != 0 || options.bare) refuse_arguments();
        SSL_CTX_set_min_proto_version(tls_, TLS1_3_VERSION);
        SSL_CTX_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   SSL_MODE_RELEASE_BUFFERS);
    }
    PeerLoad(const PeerLoad&) = delete;
    PeerLoad& operator=(const PeerLoad&) = delete;
    ~PeerLoad() {
        peers_.clear();
        SSL_CTX_free(tls_);
        close(epoll_);
    }

    void dial() {
        auto peer = std::make_unique<Peer>();
        peer->member.index = peers_.size();
        if (options.proto == "nats") {
            peer->protocol = std::make_unique<Nats>(peer->member);
        } else {
            peer->protocol = std::make_unique<Mqtt>(peer->member);
        }
        peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const int on = 1;
        setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(options.port);
        inet_pton(AF_INET, options.host.c_str(), &address.sin_addr);
        if (connect(peer->fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
            errno != EINPROGRESS) {
            fail("cannot connect");
        }
        epoll_event wanted{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = peers_.size()}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, peer->fd, &wanted);
        peers_.push_back(std::move(peer));
    }

    void pump(int milliseconds) {
        epoll_event ready[256];
        const int count = epoll_wait(epoll_, ready, 256, milliseconds);
        for (int i = 0; i < count; ++i) {
            if (has(ready[i].data.u64)) serve(*peers_[ready[i].data.u64]);
        }
    }

    void turn(std::size_t index) { send(*peers_[index]); }
    void join(std::size_t index, std::size_t room) { peers_[index]->protocol->join(room); }
    void skim(std::size_t) {}  // all of them do, always
    void publish(std::size_t room) {
        peers_[0]->protocol->publish(room, make_text(++sent.published, room));
    }
    void publish() { publish((sent.published + 1) % options.rooms); }
    void drop(std::size_t index) { peers_[index].reset(); }

    bool has(std::size_t index) const { return peers_[index] != nullptr; }
    LoadMember& member(std::size_t index) { return peers_[index]->member; }
    std::size_t size() const { return peers_.size(); }

private:
    struct Peer {
        Peer() = default;
        Peer(const Peer&) = delete;
        Peer& operator=(const Peer&) = delete;
        ~Peer() {
            SSL_free(tls);
            close(fd);
        }

        LoadMember member;
        std::unique_ptr<Protocol> protocol;
        int fd = -1;
        SSL* tls = nullptr;
        bool is_secure = false;
        bool has_greeting = false;
        std::string in{};
    };

    void serve(Peer& peer) {
        if (peer.tls == nullptr && !begin_tls(peer)) return;
        if (!peer.is_secure) {
            const int done = SSL_connect(peer.tls);
            if (done != 1) return check(peer, done);
            peer.is_secure = true;
            peer.protocol->begin();
        }
        receive(peer);
        send(peer);
    }

    bool begin_tls(Peer& peer) {
        if (peer.protocol->greets() && !peer.has_greeting) {
            char greeting[4096];
            const ssize_t size = recv(peer.fd, greeting, sizeof greeting, 0);
            if (size <= 0) return false;
            peer.has_greeting = greeting[size - 1] == '\n';
            if (!peer.has_greeting) return false;
        }
        peer.tls = SSL_new(tls_);
        SSL_set_fd(peer.tls, peer.fd);
        return true;
    }

    void check(Peer& peer, int result) {
        const int error = SSL_get_error(peer.tls, result);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
        fail("client " + std::to_string(peer.member.index) + ": disconnected");
    }

    /// The sockets tell only what is new, so each is read until it is empty.
    void receive(Peer& peer) {
        char buffer[64 * 1024];
        while (true) {
            const int size = SSL_read(peer.tls, buffer, sizeof buffer);
            if (size <= 0) return check(peer, size);
            // Mostly whole units: those are not copied.
            std::string_view fresh{buffer, static_cast<std::size_t>(size)};
            if (peer.in.empty()) {
                peer.in = fresh.substr(peer.protocol->take(fresh));
            } else {
                peer.in += fresh;
                peer.in.erase(0, peer.protocol->take(peer.in));
            }
        }
    }

    void send(Peer& peer) {
        std::string& out = peer.protocol->out;
        if (!peer.is_secure) return;
        std::size_t gone = 0;
        while (gone < out.size()) {
            const int size =
                SSL_write(peer.tls, out.data() + gone, static_cast<int>(out.size() - gone));
            if (size <= 0) {
                check(peer, size);
                break;
            }
            gone += static_cast<std::size_t>(size);
        }
        out.erase(0, gone);
    }

    int epoll_;
    SSL_CTX* tls_;
    std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace

int main(int argc, char** argv) {
    return run_load<PeerLoad>(
        argc, argv,
        "Loads a server of another kind: M members of a room, of whom the first one publishes.\n"
        "\n"
        "  peer_load --proto nats|mqtt [--host H] [--port P] [--pid PID] [--subs M] [--rooms R]\n"
        "            [--size B] WHAT\n"
        "\n");
}
