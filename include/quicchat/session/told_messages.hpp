#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/ids.hpp"

namespace quicchat {

/// Which of the messages between us and others we have had: after a login the server sends again
/// what the account has not read (PROTOCOL.md §6.6).
class ToldMessages {
public:
    /// True the first time for each message.
    bool is_news(std::string_view peer, Epoch epoch, Offset offset);

    /// The log that the newest message with somebody stands in; nothing if there was none.
    std::optional<Epoch> epoch(std::string_view peer) const;

private:
    static constexpr std::size_t peers_max = 4096;

    struct Place {
        Epoch epoch{};
        Offset offset = 0;
    };
    std::map<std::string, Place> newest_;  ///< By canonical name.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/told_messages.ipp"
#endif
