#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "quicchat/session/client_requests.hpp"

namespace quicchat {

/// What an application asks to know. Taken while there is a connection, and lost with it.
class ClientQuestions : public ClientRequests {
public:
    using ClientRequests::ClientRequests;

    /// Asks which rooms there are, for names after `after`. RoomList follows.
    Result<RequestId> request_rooms(std::string after);

    /// Says what our account wants to be called; empty: by its user name. ProfileChanged follows.
    Result<RequestId> set_display_name(std::string display);

    /// Asks for records of a room, joined or not: the newest `before` of those below `offset`, and
    /// the oldest `after` of the others. HistoryPage follows.
    Result<RequestId> request_history(std::string_view name, Offset offset, std::size_t before,
                                      std::size_t after);

    /// Searches in a room, joined or not, for the newest `count` messages and files below `before`
    /// that have all of the words, whatever the case of letters. SearchPage follows.
    Result<RequestId> request_search(std::string_view name, std::string words, Offset before,
                                     std::size_t count);

    /// Asks who is in a room, for names after `after`. MemberList follows.
    Result<RequestId> request_members(std::string_view name, std::string after);

    /// True if a page of history or a search waits for a stream of its own. Open one and call
    /// `request_page_on`.
    bool wants_page() const { return ready_ && pages_.next_waiting() != nullptr; }

    void request_page_on(StreamId stream);
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_questions.ipp"
#endif
