#pragma once

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "process_figures.hpp"

namespace quicchat::bench {

/// A server in a process of its own, so that its CPU time and memory are its alone. Parent and
/// child talk over a socket pair: the child says its port once, then answers each 'f' with its
/// figures, and ends when the socket closes.
class ChildProcess {
public:
    /// `serve(control)` runs in the child and does not return before `control` is closed.
    template <class Serve>
    explicit ChildProcess(Serve serve) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) fail("socketpair");
        pid_ = fork();
        if (pid_ < 0) fail("fork");
        if (pid_ == 0) {
            close(pair[0]);
            serve(pair[1]);
            _exit(0);
        }
        close(pair[1]);
        control_ = pair[0];
        if (recv(control_, &port_, sizeof port_, 0) != sizeof port_) fail("start of the server");
    }

    ~ChildProcess() {
        close(control_);
        waitpid(pid_, nullptr, 0);
    }

    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    std::uint16_t port() const { return port_; }

    ProcessFigures figures() const {
        ProcessFigures figures;
        if (send(control_, "f", 1, 0) != 1 ||
            recv(control_, &figures, sizeof figures, 0) != sizeof figures) {
            fail("the server's answer");
        }
        return figures;
    }

    [[noreturn]] static void fail(const char* what) {
        std::perror(what);
        std::exit(1);
    }

private:
    pid_t pid_ = -1;
    int control_ = -1;
    std::uint16_t port_ = 0;
};

/// The child's side: answers the parent. False if the parent is gone.
inline bool answer_parent(int control) {
    char request = 0;
    if (recv(control, &request, 1, 0) != 1) return false;
    const ProcessFigures figures = measure_process();
    return send(control, &figures, sizeof figures, 0) == sizeof figures;
}

}  // namespace quicchat::bench
