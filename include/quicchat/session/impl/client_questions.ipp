#pragma once

#include "quicchat/session/client_questions.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/search_words.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

QUICCHAT_DECL ClientQuestions::ClientQuestions(const Limits& limits, const ClientStatus& status,
                                               const ClientRooms& rooms, Outbox& outbox,
                                               ClientOutput& output)
    : status_(&status),
      rooms_(&rooms),
      outbox_(&outbox),
      output_(&output),
      page_records_max_(limits.page_records_max),
      pages_(limits) {}

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_rooms(std::string after) {
    if (!status_->ready) return Errc::not_ready;
    const bool is_name = is_room_name(after) || is_private_name(after);
    if (!after.empty() && !is_name) return Errc::invalid_name;
    if (!outbox_->has_room(0)) return Errc::queue_full;
    const RequestId request = outbox_->add({.kind = Outbox::Kind::rooms, .stream = control_stream});
    output_->send(control_stream, wire::RoomsRequest{request, std::move(after)});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::set_display_name(std::string display) {
    if (!status_->ready) return Errc::not_ready;
    if (is_bad_display(display)) return Errc::invalid_text;
    if (!outbox_->has_room(0)) return Errc::queue_full;
    const RequestId request =
        outbox_->add({.kind = Outbox::Kind::profile, .stream = control_stream});
    output_->send(control_stream, wire::SetProfile{request, std::move(display)});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_history(std::string_view name,
                                                                 Offset offset, std::size_t before,
                                                                 std::size_t after) {
    if (!status_->ready) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    const std::size_t count_max = page_records_max_;
    if (before > count_max || after > count_max - before || before + after == 0) {
        return Errc::invalid_request;
    }
    if (!outbox_->has_room(0)) return Errc::queue_full;
    const RequestId request =
        outbox_->add({.kind = Outbox::Kind::history, .room = std::string{name}});
    pages_.ask({request, std::string{name}, std::min(offset, varint_max), before, after});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_search(std::string_view name,
                                                                std::string words, Offset before,
                                                                std::size_t count) {
    if (!status_->ready) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    if (const Errc errc = check_search(words); errc != Errc{}) return errc;
    if (count == 0 || count > page_records_max_) return Errc::invalid_request;
    if (!outbox_->has_room(0)) return Errc::queue_full;
    const RequestId request =
        outbox_->add({.kind = Outbox::Kind::search, .room = std::string{name}});
    pages_.ask(
        {request, std::string{name}, std::min(before, varint_max), count, 0, std::move(words)});
    return request;
}

QUICCHAT_DECL Result<RequestId> ClientQuestions::request_members(std::string_view name,
                                                                 std::string after) {
    if (!status_->ready) return Errc::not_ready;
    const ClientRoom* room = rooms_->find_wanted(name);
    if (room == nullptr || !room->stream) return Errc::not_in_room;
    if (!after.empty() && !is_user_name(after)) return Errc::invalid_name;
    if (!outbox_->has_room(0)) return Errc::queue_full;
    const RequestId request =
        outbox_->add({.kind = Outbox::Kind::members, .room = room->name, .stream = room->stream});
    output_->send(*room->stream, wire::MembersRequest{request, std::move(after)});
    return request;
}

QUICCHAT_DECL void ClientQuestions::request_page_on(StreamId stream) {
    const ClientPages::Request request = pages_.begin(stream);
    outbox_->handle_sent(request.number, stream);
    if (request.is_search()) {
        output_->send(stream, wire::SearchRequest{request.number, request.room, request.words,
                                                  request.offset, request.before});
    } else {
        output_->send(stream, wire::HistoryRequest{request.number, request.room, request.offset,
                                                   request.before, request.after});
    }
    output_->send_end(stream);
}

QUICCHAT_DECL Errc ClientQuestions::handle_page(StreamId stream, Message message) {
    return match_some(
        std::move(message), Errc::unexpected_frame,
        [&](wire::Event&& m) {
            return is_bad(m) ? Errc::malformed_frame : pages_.add(stream, std::move(m));
        },
        [&](wire::HistoryEnd&& m) {
            if (!outbox_->take(m.request, stream, Outbox::Kind::history)) {
                return Errc::unexpected_frame;
            }
            output_->report(pages_.complete(stream, m));
            return Errc{};
        },
        [&](wire::SearchEnd&& m) {
            if (!outbox_->take(m.request, stream, Outbox::Kind::search)) {
                return Errc::unexpected_frame;
            }
            Result<SearchPage> page = pages_.complete(stream, m);
            if (!page) return to_errc(page.error());
            output_->report(*std::move(page));
            return Errc{};
        },
        [&](wire::Error&& m) {
            const auto request = outbox_->take(m.request, stream);
            if (!request) return Errc::unexpected_frame;
            return output_->report_refused(request->room, std::move(m));
        });
}

QUICCHAT_DECL Errc ClientQuestions::handle_page_end(StreamId stream) {
    const auto request = outbox_->take(pages_.end(stream), stream);
    return request ? Errc::unexpected_frame : Errc{};
}

QUICCHAT_DECL Errc ClientQuestions::handle_rooms(wire::Rooms m) {
    if (!outbox_->take(m.request, control_stream, Outbox::Kind::rooms)) {
        return Errc::unexpected_frame;
    }
    for (const RoomSummary& room : m.rooms) {
        if (!is_any_room_name(room.room) || !is_clean_text(room.topic)) {
            return Errc::malformed_frame;
        }
    }
    output_->report(RoomList{m.request, std::move(m.rooms), m.complete});
    return Errc{};
}

QUICCHAT_DECL Errc ClientQuestions::handle_profile(wire::Profile m) {
    if (is_bad(m)) return Errc::malformed_frame;
    if (m.request != 0 && !outbox_->take(m.request, control_stream, Outbox::Kind::profile)) {
        return Errc::unexpected_frame;
    }
    output_->report(ProfileChanged{m.request, std::move(m.user), std::move(m.display)});
    return Errc{};
}

QUICCHAT_DECL void ClientQuestions::handle_disconnected() {
    const auto is_question = [](const Outbox::Request& request) {
        return request.kind == Outbox::Kind::members || request.kind == Outbox::Kind::rooms ||
               request.kind == Outbox::Kind::profile || request.has_own_stream();
    };
    output_->report_unanswered(outbox_->take_if(is_question), Errc::not_ready,
                               "the connection was lost before the answer came");
    pages_.clear();
}

}  // namespace quicchat
