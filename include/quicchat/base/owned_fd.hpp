#pragma once

namespace quicchat {

/// Closes a file descriptor at its end, and by that also gives back a lock.
class OwnedFd {
public:
    explicit OwnedFd(int fd = -1) : fd_(fd) {}
    OwnedFd(OwnedFd&& other) noexcept;
    OwnedFd& operator=(OwnedFd&& other) noexcept;
    ~OwnedFd();

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
    WakeFd();

    bool is_open() const { return fd_.is_open(); }
    int fd() const { return fd_.fd(); }

    void wake() const;
    /// Makes it quiet again.
    void calm() const;

private:
    OwnedFd fd_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/owned_fd.ipp"
#endif
