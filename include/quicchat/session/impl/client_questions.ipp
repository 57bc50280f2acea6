#pragma once

#include "quicchat/session/client_questions.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/search_words.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_rooms(std::string after) {
    if (!ready_) return Errc::not_ready;
    const bool is_name = is_room_name(after) || is_private_name(after);
    if (!after.empty() && !is_name) return Errc::invalid_name;
    if (!outbox_.has_room(0)) return Errc::queue_full;
    const RequestId request = outbox_.add({.kind = Kind::rooms, .stream = control_stream});
    send(control_stream, wire::RoomsRequest{request, std::move(after)});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::set_display_name(std::string display) {
    if (!ready_) return Errc::not_ready;
    if (is_bad_display(display)) return Errc::invalid_text;
    if (!outbox_.has_room(0)) return Errc::queue_full;
    const RequestId request = outbox_.add({.kind = Kind::profile, .stream = control_stream});
    send(control_stream, wire::SetProfile{request, std::move(display)});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_history(std::string_view name,
                                                                 Offset offset, std::size_t before,
                                                                 std::size_t after) {
    if (!ready_) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    const std::size_t count_max = page_records_max_;
    if (before > count_max || after > count_max - before || before + after == 0) {
        return Errc::invalid_request;
    }
    if (!outbox_.has_room(0)) return Errc::queue_full;
    const RequestId request = outbox_.add({.kind = Kind::history, .room = std::string{name}});
    pages_.ask({request, std::string{name}, std::min(offset, varint_max), before, after});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_search(std::string_view name,
                                                                std::string words, Offset before,
                                                                std::size_t count) {
    if (!ready_) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    if (const Errc errc = check_search(words); errc != Errc{}) return errc;
    if (count == 0 || count > page_records_max_) return Errc::invalid_request;
    if (!outbox_.has_room(0)) return Errc::queue_full;
    const RequestId request = outbox_.add({.kind = Kind::search, .room = std::string{name}});
    pages_.ask(
        {request, std::string{name}, std::min(before, varint_max), count, 0, std::move(words)});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_members(std::string_view name,
                                                                 std::string after) {
    if (!ready_) return Errc::not_ready;
    const Room* room = find_wanted(name);
    if (room == nullptr || !room->stream) return Errc::not_in_room;
    if (!after.empty() && !is_user_name(after)) return Errc::invalid_name;
    if (!outbox_.has_room(0)) return Errc::queue_full;
    const RequestId request =
        outbox_.add({.kind = Kind::members, .room = room->name, .stream = room->stream});
    send(*room->stream, wire::MembersRequest{request, std::move(after)});
    return request;
}

QUICCHAT_DECL void ClientQuestions::request_page_on(StreamId stream) {
    const ClientPages::Request request = pages_.begin(stream);
    outbox_.requests().at(request.number).stream = stream;
    if (request.is_search()) {
        send(stream, wire::SearchRequest{request.number, request.room, request.words,
                                         request.offset, request.before});
    } else {
        send(stream, wire::HistoryRequest{request.number, request.room, request.offset,
                                          request.before, request.after});
    }
    send_end(stream);
}

}  // namespace quicchat
