#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/session/client_output.hpp"
#include "quicchat/session/client_pages.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/client_status.hpp"
#include "quicchat/session/outbox.hpp"

namespace quicchat {

/// What an application asks to know. Taken while there is a connection, and lost with it.
class ClientQuestions {
public:
    /// What it is given outlives it.
    ClientQuestions(const Limits& limits, const ClientStatus& status, const ClientRooms& rooms,
                    Outbox& outbox, ClientOutput& output);

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

    /// Asks who is in a room, for names after `after`. MemberList follows, see ClientMembership.
    Result<RequestId> request_members(std::string_view name, std::string after);

    // Pages of history and searches have a stream each.

    /// True if one waits for its stream. Open it and call `request_page_on`.
    bool wants_page() const { return status_->ready && pages_.next_waiting() != nullptr; }

    /// Only if `wants_page`.
    void request_page_on(StreamId stream);

    /// Whether a page or a search has that stream.
    bool is_page(StreamId stream) const { return pages_.contains(stream); }

    /// A frame on such a stream. An error is the end of the connection.
    Errc handle_page(StreamId stream, Message message);

    /// The server says nothing more: if that is no answer, there is none.
    Errc handle_page_end(StreamId stream);

    // What comes on the control stream.

    /// A page of the list of rooms. An error is the end of the connection.
    Errc handle_rooms(wire::Rooms m);

    /// The answer to `set_display_name`, or that somebody else is called otherwise now.
    Errc handle_profile(wire::Profile m);

    /// The connection is gone, and all questions with it.
    void handle_disconnected();

private:
    const ClientStatus* status_;
    const ClientRooms* rooms_;
    Outbox* outbox_;
    ClientOutput* output_;
    std::size_t page_records_max_;
    ClientPages pages_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_questions.ipp"
#endif
