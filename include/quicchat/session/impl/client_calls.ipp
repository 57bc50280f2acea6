#pragma once

#include "quicchat/session/client_calls.hpp"

namespace quicchat {

template <class Self>
Result<RequestId> ClientCalls<Self>::join(std::string_view room, Position position) {
    return self().flushed(session().join(room, position));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::publish(std::string_view room, std::string text,
                                             std::string attributes, std::optional<MessageId> id,
                                             Act act) {
    return self().flushed(session().publish(room, id ? *id : self().draw_id(), std::move(text),
                                            std::move(attributes), std::move(act)));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::act(std::string_view room, Act act, std::string text) {
    return publish(room, std::move(text), "{}", std::nullopt, std::move(act));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::create_room(std::string room, RoomAccess access,
                                                 std::string topic, std::optional<MessageId> id) {
    return self().flushed(session().create_room(std::move(room), id ? *id : self().draw_id(),
                                                access, std::move(topic)));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::set_display_name(std::string display) {
    return self().flushed(session().set_display_name(std::move(display)));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::request_rooms(std::string after) {
    return self().flushed(session().request_rooms(std::move(after)));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::request_history(std::string_view room, Offset offset,
                                                     std::size_t before, std::size_t after) {
    return self().flushed(session().request_history(room, offset, before, after));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::send_file(std::string_view room, FileToSend file,
                                               std::optional<MessageId> id) {
    return self().flushed(session().send_file(room, id ? *id : self().draw_id(), std::move(file)));
}

template <class Self>
Errc ClientCalls<Self>::give_file(RequestId request, std::uint64_t offset, BytesView bytes) {
    return self().flushed(session().give_file(request, offset, bytes));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::fetch_file(std::string_view room, Offset offset,
                                                std::uint64_t from) {
    return self().flushed(session().fetch_file(room, offset, from));
}

template <class Self>
void ClientCalls<Self>::cancel_file(RequestId request) {
    session().cancel_file(request);
    self().flushed(Errc{});
}

template <class Self>
Result<RequestId> ClientCalls<Self>::request_search(std::string_view room, std::string words,
                                                    Offset before, std::size_t count) {
    return self().flushed(session().request_search(room, std::move(words), before, count));
}

template <class Self>
void ClientCalls<Self>::say_typing(std::string_view room, TimePoint now) {
    if (std::optional<Buffer> hint = session().say_typing(room, now)) {
        self().send_datagram(Bytes{*std::move(hint)});
    }
}

template <class Self>
Errc ClientCalls<Self>::mark_read(std::string_view room, Offset offset, bool shared) {
    return self().flushed(session().mark_read(room, offset, shared));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::tell(std::string user, std::string text,
                                          std::string attributes, std::optional<MessageId> id) {
    return self().flushed(session().tell(std::move(user), id ? *id : self().draw_id(),
                                         std::move(text), std::move(attributes)));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::restore(UnsentMessage message) {
    return session().restore(std::move(message));
}

template <class Self>
Result<RequestId> ClientCalls<Self>::request_members(std::string_view room, std::string after) {
    return self().flushed(session().request_members(room, std::move(after)));
}

}  // namespace quicchat
