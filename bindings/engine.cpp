#include "engine.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

namespace quicchat::python {
namespace {

// Guarded by the GIL.
Engine* current = nullptr;
bool over = false;

/// The number under which epoll reports the engine's own eventfd; runners begin at 1.
constexpr std::uint64_t wake_number = 0;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::system_category(), what);
}

/// Where the system has no epoll_pwait2: epoll counts in milliseconds, which is too coarse for
/// QUIC's pacing. Waits the remainder of a deadline that is near by ppoll, whose nanoseconds are
/// real, and returns how long epoll may wait.
int wait_until(std::optional<TimePoint> deadline, int epoll_fd) {
    if (!deadline) return -1;
    const Duration left = *deadline - read_clock().steady;
    if (left <= Duration::zero()) return 0;
    constexpr Duration near = std::chrono::milliseconds{20};
    if (left > near) {
        const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(left);
        return static_cast<int>(std::min<std::int64_t>(wait.count(), 3'600'000));
    }
    pollfd wait{epoll_fd, POLLIN, 0};
    const timespec timeout{0, static_cast<long>(left.count())};
    ppoll(&wait, 1, &timeout, nullptr);
    return 0;
}

/// Waits for events or the deadline; how many events there are.
int wait_for_events(int epoll_fd, std::span<epoll_event> events,
                    std::optional<TimePoint> deadline) {
    const int most = static_cast<int>(events.size());
#ifdef SYS_epoll_pwait2
    static bool has_nanoseconds = true;  // Linux 5.11; of the engine thread
    if (has_nanoseconds) {
        timespec timeout{};
        if (deadline) {
            const Duration left = std::max(*deadline - read_clock().steady, Duration::zero());
            const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
            timeout = {static_cast<time_t>(seconds.count()),
                       static_cast<long>((left - seconds).count())};
        }
        const long count = syscall(SYS_epoll_pwait2, epoll_fd, events.data(), most,
                                   deadline ? &timeout : nullptr, nullptr, 0);
        if (count >= 0 || errno == EINTR) return static_cast<int>(count);
        has_nanoseconds = false;  // it does not know it, or may not
    }
#endif
    return epoll_wait(epoll_fd, events.data(), most, wait_until(deadline, epoll_fd));
}

void set_interest(int epoll_fd, int operation, int fd, std::uint64_t number, bool write) {
    epoll_event event{};
    event.events = EPOLLIN | (write ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
    event.data.u64 = number;
    if (epoll_ctl(epoll_fd, operation, fd, &event) != 0) fail("epoll_ctl");
}

}  // namespace

std::atomic<std::uint64_t> Engine::forks_{0};

Engine* Engine::instance() {
    if (current != nullptr && !current->is_alive()) {
        current = nullptr;  // the parent's; its thread is not here, so it is left alone
        over = false;
    }
    if (current == nullptr && !over) {
        // Counts forks by whomever: also those that Python's hooks do not see.
        static const int registered = pthread_atfork(nullptr, nullptr, [] { forks_.fetch_add(1); });
        (void)registered;
        auto engine = std::unique_ptr<Engine>{new Engine};
        engine->start();
        current = engine.release();
    }
    return current;
}

Engine* Engine::retire() {
    if (current == nullptr || !current->is_alive()) return nullptr;
    over = true;
    return std::exchange(current, nullptr);
}

bool Engine::stop(std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    stop_asked_ = true;
    signal();
    return stopped_changed_.wait_for(lock, patience, [&] { return stopped_; });
}

Engine::Engine() : born_(forks_.load()) {
    epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd_ < 0) fail("epoll_create1");
    wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd_ < 0) fail("eventfd");
    set_interest(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, wake_number, false);
}

void Engine::start() {
    // Signals belong to Python's main thread: a Ctrl-C that this thread took would be late.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread{[this] { run(); }}.detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RunnerId Engine::add(std::unique_ptr<Runner> runner) {
    RunnerId id{};
    {
        const std::lock_guard lock{mutex_};
        id = static_cast<RunnerId>(next_id_++);
        added_.emplace_back(id, std::move(runner));
    }
    signal();
    return id;
}

void Engine::wake(RunnerId runner) {
    {
        const std::lock_guard lock{mutex_};
        woken_.push_back(runner);
        if (woken_.size() > 1) return;
    }
    signal();  // without the lock, or else the thread would wake to wait for it
}

void Engine::signal() {
    const std::uint64_t one = 1;
    (void)!::write(wake_fd_, &one, sizeof one);
}

void Engine::run() {
    pthread_setname_np(pthread_self(), "quicchat");
    std::vector<RunnerId> ready;
    while (true) {
        ready.clear();
        collect_ready(ready);
        if (!take_requests(ready)) break;
        const Now now = read_clock();
        collect_expired(now.steady, ready);
        std::sort(ready.begin(), ready.end());
        ready.erase(std::unique(ready.begin(), ready.end()), ready.end());
        for (const RunnerId id : ready) turn(id, now);
    }
    abandon_all();
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    stopped_changed_.notify_all();
}

/// Waits for the next thing to do.
void Engine::collect_ready(std::vector<RunnerId>& ready) {
    const auto deadline =
        deadlines_.empty() ? std::nullopt : std::optional{deadlines_.begin()->first};
    std::array<epoll_event, 64> events;
    const int count = wait_for_events(epoll_fd_, events, deadline);
    for (int i = 0; i < count; ++i) {
        const std::uint64_t number = events[static_cast<std::size_t>(i)].data.u64;
        if (number != wake_number) {
            ready.push_back(static_cast<RunnerId>(number));
        } else {
            is_signalled_ = true;
        }
    }
}

/// What other threads asked for. False if that was the end.
bool Engine::take_requests(std::vector<RunnerId>& ready) {
    std::vector<std::pair<RunnerId, std::unique_ptr<Runner>>> added;
    {
        const std::lock_guard lock{mutex_};
        std::uint64_t count = 0;
        if (std::exchange(is_signalled_, false)) (void)!::read(wake_fd_, &count, sizeof count);
        added.swap(added_);
        ready.insert(ready.end(), woken_.begin(), woken_.end());
        woken_.clear();
        if (stop_asked_) return false;
    }
    for (auto& [id, runner] : added) {
        const auto number = static_cast<std::uint64_t>(id);
        set_interest(epoll_fd_, EPOLL_CTL_ADD, runner->fd(), number, false);
        for (const int wake_fd : runner->wake_fds()) {
            if (wake_fd >= 0) set_interest(epoll_fd_, EPOLL_CTL_ADD, wake_fd, number, false);
        }
        driven_.emplace(id, Driven{std::move(runner), std::nullopt, false});
        ready.push_back(id);
    }
    return true;
}

void Engine::collect_expired(TimePoint now, std::vector<RunnerId>& ready) {
    for (const auto& [deadline, id] : deadlines_) {
        if (deadline > now) break;
        ready.push_back(id);
    }
}

void Engine::turn(RunnerId id, Now now) {
    const auto found = driven_.find(id);
    if (found == driven_.end()) return;
    found->second.runner->turn(now);
    if (found->second.runner->finished()) {
        remove(id);
    } else {
        schedule(id, found->second);
    }
}

void Engine::schedule(RunnerId id, Driven& driven) {
    const auto deadline = driven.runner->next_deadline();
    if (deadline != driven.deadline) {
        if (driven.deadline) deadlines_.erase({*driven.deadline, id});
        if (deadline) deadlines_.emplace(*deadline, id);
        driven.deadline = deadline;
    }
    const bool write = driven.runner->wants_write();
    if (write != driven.waits_for_write) {
        set_interest(epoll_fd_, EPOLL_CTL_MOD, driven.runner->fd(), static_cast<std::uint64_t>(id),
                     write);
        driven.waits_for_write = write;
    }
}

void Engine::remove(RunnerId id) {
    const auto found = driven_.find(id);
    if (found->second.deadline) deadlines_.erase({*found->second.deadline, id});
    const Runner& runner = *found->second.runner;
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, runner.fd(), nullptr);
    for (const int wake_fd : runner.wake_fds()) {
        if (wake_fd >= 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, wake_fd, nullptr);
    }
    driven_.erase(found);
}

void Engine::abandon_all() {
    const Now now = read_clock();
    for (auto& [id, driven] : driven_) driven.runner->abandon(now);
    driven_.clear();
    deadlines_.clear();
}

}  // namespace quicchat::python
