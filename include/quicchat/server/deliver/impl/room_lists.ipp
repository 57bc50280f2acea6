#pragma once

#include "quicchat/server/deliver/room_lists.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL RoomLists::RoomLists(RoomStore& room_store, ControlStreams& control,
                                        const Limits& limits, Turn& turn, TurnWork& work)
    : room_store_(&room_store), control_(&control), limits_(&limits), turn_(&turn), work_(&work) {}

QUICCHAT_RARE_DECL void RoomLists::ask(const Caller& caller, const wire::RoomsRequest& request) {
    List list{caller.connection,
              std::string{caller.user},
              room_store_->key_for(caller.user, request.after),
              {request.request, {}, false}};
    if (!make(list)) lists_.push_back(std::move(list));
}

QUICCHAT_DECL bool RoomLists::is_making(ConnectionId connection) const {
    return std::ranges::any_of(lists_,
                               [&](const List& list) { return list.connection == connection; });
}

QUICCHAT_DECL void RoomLists::go_on() {
    std::erase_if(lists_, [&](List& list) { return !work_->must_wait(list.user) && make(list); });
}

QUICCHAT_DECL void RoomLists::close(ConnectionId connection) {
    std::erase_if(lists_, [&](const List& list) { return list.connection == connection; });
}

QUICCHAT_RARE_DECL bool RoomLists::make(List& list) {
    const std::size_t missing = limits_->rooms_per_page_max - list.answer.rooms.size();
    const auto [rooms, complete] = room_store_->directory().page(
        list.user, room_store_->private_rooms().of(list.user), list.after, missing, turn_->now());
    for (const Room* room : rooms) {
        const Result<bool> is_known = read_authors(*room, list.user);
        if (!is_known) return turn_->noted(to_errc(is_known.error())), true;
        if (!*is_known) return false;
        list.answer.rooms.push_back(room_store_->summarize(*room, list.user, turn_->now()));
        list.after = room->key();
    }
    list.answer.complete = complete;
    Bytes frame{encode(list.answer)};
    constexpr std::size_t count_unread = 2048;  // to look at up to 100 authors
    work_->count(list.user, frame.size() + rooms.size() * count_unread);
    control_->answer(list.connection, std::move(frame));
    return true;
}

QUICCHAT_RARE_DECL Result<bool> RoomLists::read_authors(const Room& room, const std::string& user) {
    while (!room_store_->knows_authors(room, user)) {
        if (work_->must_wait(user)) return false;
        const Result<std::size_t> bytes = room_store_->read_authors(room);
        if (!bytes) return bytes.error();
        work_->count(user, *bytes);
    }
    return true;
}

}  // namespace quicchat
