#pragma once

#include "quicchat/quic/resolver.hpp"

#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL void Resolver::ask(const std::string& host, std::uint16_t port) {
    {
        const std::lock_guard lock{shared_->mutex};
        if (std::exchange(shared_->busy, true)) return;
    }
    const auto finish = [](Shared& shared, Answer answer) {
        const std::lock_guard lock{shared.mutex};
        shared.busy = false;
        shared.answer = std::move(answer);
        shared.wake.wake();
    };
    if (const auto numeric = SocketAddress::from_numeric(host, port)) {
        return finish(*shared_, std::vector<SocketAddress>{*numeric});
    }
    // Signals are for the program's own threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread{[shared = shared_, host, port, finish] {
            finish(*shared, resolve(host, port));
        }}.detach();
    } catch (const std::system_error& error) {
        finish(*shared_, error.code());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

QUICCHAT_RARE_DECL std::optional<Resolver::Answer> Resolver::take() {
    const std::lock_guard lock{shared_->mutex};
    if (shared_->answer) shared_->wake.calm();
    return std::exchange(shared_->answer, std::nullopt);
}

}  // namespace quicchat::quic
