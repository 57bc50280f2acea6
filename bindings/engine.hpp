#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "quicchat/auth/client_key_cache.hpp"
#include "quicchat/base/background.hpp"
#include "quicchat/base/background_threads.hpp"
#include "quicchat/base/time.hpp"
#include "runner.hpp"

namespace quicchat::python {

/// Both times, read from the system.
Now read_clock();

/// The one thread of this process that runs clients and servers. It never touches Python, so
/// nothing that Python does can stop it, and it can stop nothing of Python.
///
/// It starts with its first runner, never at import. The object is never destroyed: whatever
/// happens at the end of the process, the thread finds it in place.
class Engine final : public Host {
public:
    /// The engine of this process, which begins now if need be; a child of `fork` has its own.
    /// Nullptr after `retire`. Both are called with the GIL held.
    static Engine* instance();

    /// Takes the engine out of service, for `stop`. Nullptr if there is none.
    static Engine* retire();

    /// Ends the thread: peers are told, then it is waited for. False if it did not stop within
    /// `patience`; it does no harm then.
    bool stop(std::chrono::milliseconds patience);

    /// Hands a runner over. Its first turn comes at once.
    RunnerId add(std::unique_ptr<Runner> runner);

    void wake(RunnerId runner) override;

    /// False in a child of `fork`: the thread stayed with the parent.
    bool is_alive() const override { return born_ == forks_.load(std::memory_order_relaxed); }

    /// Of the engine thread: what logins have computed, for the next ones.
    const std::shared_ptr<ClientKeyCache>& key_cache() const { return key_cache_; }

    /// Where one client's logins compute, so that this thread goes on with all others. The engine
    /// thread lets go of it and never waits for what it computes.
    std::unique_ptr<Background> open_background() { return background_.open(); }

private:
    struct Driven {
        std::unique_ptr<Runner> runner;
        std::optional<TimePoint> deadline;
        bool waits_for_write = false;
    };
    using Deadlines = std::set<std::pair<TimePoint, RunnerId>>;

    Engine();
    void start();
    void run();
    void signal();
    bool take_requests(std::vector<RunnerId>& ready);
    void collect_ready(std::vector<RunnerId>& ready);
    void collect_expired(TimePoint now, std::vector<RunnerId>& ready);
    void turn(RunnerId id, Now now);
    void schedule(RunnerId id, Driven& driven);
    void remove(RunnerId id);
    void abandon_all();

    static std::atomic<std::uint64_t> forks_;

    // Shared with other threads.
    std::mutex mutex_;
    std::condition_variable stopped_changed_;
    std::vector<std::pair<RunnerId, std::unique_ptr<Runner>>> added_;
    std::vector<RunnerId> woken_;
    std::uint64_t next_id_ = 1;
    bool stop_asked_ = false;
    bool stopped_ = false;

    // Of the engine thread.
    std::map<RunnerId, Driven> driven_;
    Deadlines deadlines_;
    std::shared_ptr<ClientKeyCache> key_cache_ = std::make_shared<ClientKeyCache>(256);
    BackgroundThreads background_;
    const std::uint64_t born_;
    bool is_signalled_ = false;  ///< By other threads, since they were last asked.
    int epoll_fd_ = -1;
    int wake_fd_ = -1;
};

}  // namespace quicchat::python
