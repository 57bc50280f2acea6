#pragma once

#include "quicchat/memory/connection.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::memory::detail {

QUICCHAT_DECL bool Stream::finished(Role role) {
    StreamEnd& mine = end(role);
    return mine.end_read && (mine.reset || from(role).fin_sent());
}

QUICCHAT_DECL bool Stream::writable(Role role) {
    StreamEnd& mine = end(role);
    return mine.known && !mine.reset && !from(role).fin_written();
}

QUICCHAT_DECL Stream* Connection::find(StreamId stream) {
    const auto found = streams.find(stream);
    return found != streams.end() ? &found->second : nullptr;
}

}  // namespace quicchat::memory::detail
