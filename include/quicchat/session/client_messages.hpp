#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/result.hpp"
#include "quicchat/session/client_output.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/client_status.hpp"
#include "quicchat/session/outbox.hpp"

namespace quicchat {

/// What an application wants stored: messages and other acts in rooms, messages to one person, and
/// new rooms. It is taken at any time until the end, sent when that is possible, and sent again on
/// the next connection until it is answered.
class ClientMessages {
public:
    /// What it is given outlives it.
    ClientMessages(const ClientStatus& status, const ClientRooms& rooms, Outbox& outbox,
                   ClientOutput& output);

    /// Puts a message, or another act, into a room. Acked or Refused follows, with the returned
    /// number.
    Result<RequestId> publish(std::string_view name, const MessageId& id, std::string text,
                              std::string attributes, Act act);

    /// Sends a message to one person. Acked or Refused follows.
    Result<RequestId> tell(std::string to, const MessageId& id, std::string text,
                           std::string attributes);

    /// Makes a room. Acked or Refused follows.
    Result<RequestId> create_room(std::string name, const MessageId& id, RoomAccess access,
                                  std::string topic);

    /// Takes in a message that an earlier run of the program did not get an answer to. It is sent
    /// as soon as its room is joined; Acked or Refused follows.
    Result<RequestId> restore(UnsentMessage message);

    /// Sends what is not on its way yet, if its stream is there.
    void send_waiting();

    /// Something was stored. `unexpected_frame` if nothing was asked there that can be.
    Errc handle_ack(StreamId stream, const wire::Ack& m);

private:
    Result<RequestId> ask(Outbox::Request request);

    void send(RequestId number, const Outbox::Request& request);

    const ClientStatus* status_;
    const ClientRooms* rooms_;
    Outbox* outbox_;
    ClientOutput* output_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_messages.ipp"
#endif
