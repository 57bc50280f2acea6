// A server, a client and the rest of a program in one loop, by poll(2), while another thread has
// things to say. Whatever loop a program has, these are its parts: what it waits for, for how long,
// and whose turn it is then. Ends when all was heard.

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "quicchat/quic.hpp"
#include "quicchat/quic_connect.hpp"
#include "quicchat/quic_serve.hpp"

using namespace quicchat;

namespace {

/// What other threads want of the loop's thread, and a descriptor that is readable when there is
/// something. They never touch the chat itself.
class Inbox {
public:
    Inbox() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox() { close(fd_); }

    void put(std::string text) {
        {
            const std::lock_guard lock{mutex_};
            texts_.push_back(std::move(text));
        }
        const std::uint64_t one = 1;
        (void)!write(fd_, &one, sizeof one);
    }
    std::vector<std::string> take() {
        std::uint64_t count = 0;
        (void)!read(fd_, &count, sizeof count);
        const std::lock_guard lock{mutex_};
        return std::exchange(texts_, {});
    }
    int fd() const { return fd_; }

private:
    const int fd_;
    std::mutex mutex_;
    std::vector<std::string> texts_;
};

/// One wait for everything.
class Waits {
public:
    void add(int fd, bool wants_write = false) {
        const int events = wants_write ? POLLIN | POLLOUT : POLLIN;
        if (fd >= 0) fds_.push_back({fd, static_cast<short>(events), 0});
    }
    void until(std::optional<TimePoint> moment) { deadline_ = earlier(deadline_, moment); }

    /// Rounded up: otherwise the loop spins in the last millisecond.
    void wait() {
        int timeout = -1;
        if (deadline_) {
            const auto left = *deadline_ - quic::read_clock().steady;
            const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left).count();
            timeout = whole < 0 ? 0 : whole > 60'000 ? 60'000 : static_cast<int>(whole);
        }
        (void)poll(fds_.data(), fds_.size(), timeout);
    }

private:
    std::vector<pollfd> fds_;
    std::optional<TimePoint> deadline_;
};

/// What a chat or a server waits for.
void add(Waits& waits, const quic::Chat& chat) {
    waits.add(chat.fd());
    for (const int fd : chat.wake_fds()) waits.add(fd);
    waits.until(chat.next_deadline());
}
void add(Waits& waits, const quic::ChatServer& server) {
    waits.add(server.fd(), server.wants_write());
    for (const int fd : server.wake_fds()) waits.add(fd);
    waits.until(server.next_deadline());
}

}  // namespace

int main() {
    auto server = quic::serve({.port = 0, .accounts = {{"ada", "secret"}}});
    if (!server) return std::puts(server.error().message().c_str()), 1;
    auto chat = quic::connect({.host = "localhost",
                               .port = server->port(),
                               .user = "ada",
                               .password = "secret",
                               .fingerprint = server->fingerprint()});
    if (!chat) return std::puts(chat.error().message().c_str()), 1;

    int heard = 0;
    chat->on([&](const RoomMessage& message) {
        std::printf("%s: %s\n", message.from.c_str(), message.text.c_str());
        ++heard;
    });
    chat->join("#lobby");

    Inbox inbox;
    std::thread sensor{[&] {
        for (const char* text : {"19 degrees", "20 degrees", "21 degrees"}) inbox.put(text);
    }};

    std::error_code error;
    while (!error && heard < 3) {
        // 1. What others want comes before the turn, which sends it.
        for (std::string& text : inbox.take()) chat->say("#lobby", std::move(text));

        // 2. Everybody's turn. It costs little where nothing has happened.
        error = chat->turn();
        if (!error) error = server->turn();

        // 3. One wait for all of it.
        Waits waits;
        waits.add(inbox.fd());
        add(waits, *chat);
        add(waits, *server);
        if (!error) waits.wait();
    }

    // The end: one more turn says good-bye, and a server waits for its clients a little.
    chat->client().close();
    if (!error) error = chat->turn();
    server->server().shutdown(quic::read_clock());
    while (!error && !server->server().finished()) {
        error = server->turn();
        Waits waits;
        add(waits, *server);
        if (!error && !server->server().finished()) waits.wait();
    }
    sensor.join();
    if (error) std::puts(error.message().c_str());
    return error ? 1 : 0;
}
