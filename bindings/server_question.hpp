#pragma once

#include <utility>

#include "failure.hpp"
#include "server_desk.hpp"
#include "server_port.hpp"
#include "server_reload.hpp"

namespace quicchat::python {

/// Has something asked on the engine thread, when its turn has come.
template <class Action>
void post_question(const RunningServer& server, Action action) {
    if (!server.port.post_question(ServerErrand{std::move(action)})) {
        throw CoreFailure{Errc::queue_full};
    }
    server.host.wake(server.id);
}

}  // namespace quicchat::python
