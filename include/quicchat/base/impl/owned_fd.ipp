#pragma once

#include "quicchat/base/owned_fd.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL OwnedFd::OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

QUICCHAT_DECL OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

QUICCHAT_DECL OwnedFd::~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
}

QUICCHAT_DECL WakeFd::WakeFd() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

QUICCHAT_DECL void WakeFd::wake() const {
    const std::uint64_t one = 1;
    (void)!::write(fd_.fd(), &one, sizeof one);
}

QUICCHAT_DECL void WakeFd::calm() const {
    std::uint64_t count = 0;
    (void)!::read(fd_.fd(), &count, sizeof count);
}

}  // namespace quicchat
