#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace quicchat {

/// Closes a file descriptor at its end, and by that also gives back a lock.
class OwnedFd {
public:
    explicit OwnedFd(int fd = -1) : fd_(fd) {}
    OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    OwnedFd& operator=(OwnedFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~OwnedFd() {
        if (fd_ >= 0) ::close(fd_);
    }

    int fd() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }

private:
    int fd_;
};

/// A descriptor that one thread makes readable to wake another that waits for it. An eventfd and no
/// pair of sockets: a write to it cannot block when nobody reads.
class WakeFd {
public:
    /// It may be that the system has none left: see `is_open`.
    WakeFd() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

    bool is_open() const { return fd_.is_open(); }
    int fd() const { return fd_.fd(); }

    void wake() const {
        const std::uint64_t one = 1;
        (void)!::write(fd_.fd(), &one, sizeof one);
    }
    /// Makes it quiet again.
    void calm() const {
        std::uint64_t count = 0;
        (void)!::read(fd_.fd(), &count, sizeof count);
    }

private:
    OwnedFd fd_;
};

}  // namespace quicchat
