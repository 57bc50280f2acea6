#pragma once

namespace quicchat {

/// Closes a file descriptor at its end, and by that also gives back a lock.
class OwnedFd {
public:
    /// Takes an open descriptor over; -1: it has none.
    explicit OwnedFd(int fd = -1) : fd_(fd) {}
    /// The other one then has what this one had: none, if this one is new.
    /// @{
    OwnedFd(OwnedFd&& other) noexcept;
    OwnedFd& operator=(OwnedFd&& other) noexcept;
    /// @}

    ~OwnedFd();

    /// Still owned by this: nobody else may close it. -1: it has none.
    int fd() const { return fd_; }
    /// Whether it has a descriptor.
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

    /// False: the system had none left.
    bool is_open() const { return fd_.is_open(); }
    /// To be waited for until it is readable. The descriptor stays this object's.
    int fd() const { return fd_.fd(); }

    /// From any thread. Several calls before the next `calm` count as one.
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
