#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "quicchat/base/owned_fd.hpp"

namespace quicchat::python {

/// Where the engine thread leaves things for Python. Bounded in events and bytes; `fd` is readable
/// while something is in it, which is one write per change from empty to not empty; now and then
/// once more.
///
/// Thread-safe.
template <class Mail>
class Mailbox {
public:
    Mailbox(std::size_t events_max, std::size_t bytes_max)
        : events_max_(events_max), bytes_max_(bytes_max) {
        if (!wake_.is_open()) throw std::system_error(errno, std::system_category(), "eventfd");
    }
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    /// False while the reader lags behind: then leave events where they are.
    bool has_room() { return room() > 0; }

    /// For how many events.
    std::size_t room() {
        const std::lock_guard lock{mutex_};
        full_ = mail_.size() >= events_max_ || bytes_ >= bytes_max_;
        return full_ ? 0 : events_max_ - mail_.size();
    }

    /// Something to be added, and what it costs.
    struct Entry {
        Mail mail;
        std::size_t bytes;
    };

    /// Adds one, also above the limits: ask `has_room` first.
    void push(Mail mail, std::size_t bytes) {
        std::vector<Entry> one;
        one.push_back({std::move(mail), bytes});
        push(one);
    }

    /// Adds them all, and leaves the vector empty. The reader is woken once, when all are there:
    /// who wakes for the first one would sleep again and wake for the next.
    void push(std::vector<Entry>& entries) {
        if (entries.empty()) return;
        bool is_first = false;
        {
            const std::lock_guard lock{mutex_};
            is_first = mail_.empty();
            for (Entry& entry : entries) {
                bytes_ += entry.bytes;
                mail_.push_back(std::move(entry));
            }
        }
        entries.clear();
        if (is_first) wake_.wake();  // without the lock, or else who wakes waits for it
    }

    struct Taken {
        std::vector<Mail> mail;
        bool was_full = false;  ///< The engine waits for room and must be woken.
    };

    /// Takes out the oldest, at most `max`.
    Taken take(std::size_t max) {
        const std::lock_guard lock{mutex_};
        Taken taken;
        const std::size_t count = max < mail_.size() ? max : mail_.size();
        taken.mail.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            taken.mail.push_back(std::move(mail_.front().mail));
            bytes_ -= mail_.front().bytes;
            mail_.pop_front();
        }
        // Also if there was nothing: it was taken before we were woken for it.
        if (mail_.empty()) wake_.calm();
        taken.was_full = std::exchange(full_, false);
        return taken;
    }

    int fd() const { return wake_.fd(); }

private:
    std::mutex mutex_;
    std::deque<Entry> mail_;
    std::size_t bytes_ = 0;
    bool full_ = false;
    const std::size_t events_max_;
    const std::size_t bytes_max_;
    const WakeFd wake_;
};

}  // namespace quicchat::python
