// The same server inside an event loop of one's own: epoll here, anything that waits for a file
// descriptor and a moment elsewhere. Beside the chat it counts the seconds, as a program does that
// has other things to do. Ends after three of them.

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "quicchat/quic.hpp"

using namespace quicchat;

namespace {

using ChatDriver = quic::Driver<quic::Server>;

std::unique_ptr<ChatDriver> make_server() {
    auto socket = quic::UdpSocket::bind(*quic::SocketAddress::from_numeric("127.0.0.1", 0));
    const auto pair = quic::make_self_signed({"localhost"}, 1, quic::read_clock().wall);
    if (!socket || !pair) return nullptr;
    auto endpoint = quic::Endpoint::server(
        {.certificate_pem = pair->certificate_pem, .key_pem = pair->key_pem});
    if (!endpoint) return nullptr;
    return std::make_unique<ChatDriver>(
        *std::move(socket), *std::move(endpoint), MemoryLog{quic::system_entropy()},
        quic::Authenticator{std::make_shared<MemoryAccounts>(), quic::system_entropy().draw<32>(),
                            quic::system_entropy()},
        quic::system_entropy());
}

/// What epoll is asked to wait for: always for datagrams, for room only while something waits.
void register_socket(int loop, const ChatDriver& chat, int operation) {
    epoll_event interest{};
    interest.events = EPOLLIN | (chat.wants_write() ? EPOLLOUT : 0u);
    epoll_ctl(loop, operation, chat.fd(), &interest);
}

/// Milliseconds until `moment`, rounded up, so that the loop does not spin just before it.
int milliseconds_until(TimePoint moment, TimePoint now) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(moment - now);
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

}  // namespace

int main() {
    const std::unique_ptr<ChatDriver> chat = make_server();
    if (chat == nullptr) {
        std::fprintf(stderr, "04_own_event_loop: cannot start a server\n");
        return 1;
    }
    std::printf("chat on %s\n", chat->socket().local_address().to_string().c_str());

    const int loop = epoll_create1(EPOLL_CLOEXEC);
    register_socket(loop, *chat, EPOLL_CTL_ADD);
    TimePoint next_second = quic::read_clock().steady + std::chrono::seconds{1};
    for (int seconds = 0; seconds < 3;) {
        // 1. The chat does what there is to do, and says what it wants to be woken for.
        const Now now = quic::read_clock();
        if (const auto error = chat->turn(now)) return 1;
        register_socket(loop, *chat, EPOLL_CTL_MOD);

        // 2. So does the rest of the program.
        if (now.steady >= next_second) {
            std::printf("%d s, %zu connections\n", ++seconds, chat->app().connection_count());
            next_second += std::chrono::seconds{1};
        }

        // 3. One wait for both.
        const TimePoint wake = *earlier(chat->next_deadline(), next_second);
        epoll_event ready[4];
        epoll_wait(loop, ready, 4, milliseconds_until(wake, now.steady));
    }
    close(loop);
    return 0;
}
