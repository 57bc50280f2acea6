#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "input.hpp"
#include "quicchat/file/memory_files.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/server/files/downloads.hpp"
#include "quicchat/server/files/uploads.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/session/server_session.hpp"
#include "quicchat/wire/frame_assembler.hpp"
#include "support/known_accounts.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// A client that sends anything, on any of four streams, in any pieces; behind the session stands a
/// hub, as in Server.
class ServerFuzz {
public:
    ServerFuzz() { must(hub_.add_room("#a") == Errc{}); }

    void run(BytesView bytes) {
        FuzzInput input{bytes};
        while (!input.empty()) {
            const std::uint8_t order = input.octet();
            const StreamId stream{order % 4u * 4};
            if ((order & 0xe0) == 0xe0) {
                session_.handle_close(Input::failed);
            } else if (!receive(stream, input.take(order / 4u))) {
                break;
            }
            if ((order & 0x1c) == 0x1c) uploads_.finish(connection_, stream);
            judge(order);
            settle();
            end_memberships();
            if ((order & 0x80) != 0) serve();
        }
        serve();
        for (auto& [stream, state] : streams_) {
            if (state.member != nullptr) hub_.leave(*state.member);
        }
        uploads_.abandon(connection_);
        downloads_.close(connection_);
        must(uploads_.size() + downloads_.size() == 0);
        must(hub_.fan_out().poll_waiting() == nullptr);
    }

private:
    struct Stream {
        FrameAssembler assembler{64 * 1024};
        Member* member = nullptr;
        bool asked = false;  ///< For a page or a file: as in Server, nothing more may come.
    };

    bool receive(StreamId stream, BytesView bytes) {
        Stream& state = streams_[stream];
        state.assembler.push(bytes);
        while (true) {
            const Result<std::optional<FrameView>> frame = state.assembler.next();
            if (!frame) return false;
            if (!*frame) return true;
            Result<ServerRequest> request = session_.handle_frame(stream, **frame);
            if (!request) return must(is_fatal(to_errc(request.error()))), false;
            if (auto answer = session_.poll_outgoing()) check(*answer);
            if (!apply(stream, state, *request)) return false;
        }
    }

    bool apply(StreamId stream, Stream& state, ServerRequest& request) {
        if (state.asked && !std::holds_alternative<std::monostate>(request)) return false;
        if (std::holds_alternative<wire::LoginBegin>(request)) {
            must(session_.state() == State::authenticating);
            check(session_.login_accepted("ada", {}));
            hub_.handle_login(connection_, "ada");
        } else if (auto* join = std::get_if<wire::Join>(&request)) {
            must(session_.state() == State::ready);
            if (state.member != nullptr) return false;
            const auto member = hub_.join(caller(), stream, *join);
            if (member) state.member = *member;
            end_memberships();
        } else if (auto* publish = std::get_if<wire::Publish>(&request)) {
            if (state.member == nullptr) return false;
            hub_.publish(*state.member, std::move(*publish));
        } else if (auto* members = std::get_if<wire::MembersRequest>(&request)) {
            if (state.member == nullptr) return false;
            hub_.request_members(*state.member, *members);
        } else if (auto* tell = std::get_if<wire::Tell>(&request)) {
            (void)hub_.tell(caller(), std::move(*tell));
            end_memberships();
        } else if (const auto* room = std::get_if<wire::CreateRoom>(&request)) {
            (void)hub_.create_room(caller(), *room);
        } else if (const auto* list = std::get_if<wire::RoomsRequest>(&request)) {
            hub_.list_rooms(caller(), *list);
        } else if (const auto* marker = std::get_if<wire::MarkRead>(&request)) {
            hub_.mark_read(caller(), *marker);
        } else if (const auto* profile = std::get_if<wire::SetProfile>(&request)) {
            (void)hub_.set_profile(caller(), *profile);
        } else if (const auto* page = std::get_if<wire::HistoryRequest>(&request)) {
            if (state.member != nullptr) return false;
            state.asked = hub_.open_page(caller(), stream, *page) == Errc{};
        } else if (auto* offer = std::get_if<wire::FileOffer>(&request)) {
            if (state.member != nullptr) return false;
            (void)uploads_.offer(caller(), stream, std::move(*offer), TimePoint{});
        } else if (auto* data = std::get_if<wire::FileData>(&request)) {
            return uploads_.data(connection_, stream, std::move(*data), TimePoint{}) == Errc{};
        } else if (const auto* fetch = std::get_if<wire::FileRequest>(&request)) {
            if (state.member != nullptr) return false;
            state.asked = downloads_.open(caller(), stream, *fetch) == Errc{};
        } else if (const auto* search = std::get_if<wire::SearchRequest>(&request)) {
            if (state.member != nullptr) return false;
            state.asked = hub_.open_page(caller(), stream, *search) == Errc{};
        }
        return true;
    }

    void settle() {
        bool moved = true;
        while (std::exchange(moved, false)) {
            must(hub_.settle() == Errc{});
            while (auto outcome = hub_.poll_file_outcome()) uploads_.handle(*std::move(outcome));
            while (const auto done = files_.poll_done()) {
                if (!uploads_.handle(*done, TimePoint{})) downloads_.handle(*done);
                moved = true;
            }
            moved |= uploads_.step();
        }
        while (const auto frame = uploads_.poll_frame()) {
            if (!frame->frame.empty()) check(frame->frame.view());
        }
        while (const auto key = hub_.files().poll_unwanted()) files_.remove(*key);
    }

    /// The program answers some questions, in one way or another, and lets the time of others end.
    void judge(std::uint8_t order) {
        while (const auto next = hub_.checks().poll_question()) {
            must(is_clean_text(next->question.text) && is_user_name(next->question.user));
            questions_.push_back(next->ticket);
        }
        if (questions_.empty() || order % 3 == 0) return;
        const CheckTicket ticket = questions_[order % questions_.size()];
        if (order % 5 == 0) (void)hub_.checks().answer(ticket, RefuseMessage{"no\n\x1b"});
        if (order % 5 == 1) (void)hub_.checks().answer(ticket, ReplaceMessage{"other"});
        if (order % 5 == 2) (void)hub_.checks().answer(ticket, ReplaceMessage{"\xff", "{"});
        if (order % 5 == 3) hub_.handle_timeout(now_ += std::chrono::seconds{2});
        if (order % 5 == 4) (void)hub_.checks().answer(ticket, AcceptMessage{});
    }

    Caller caller() const { return {connection_, "ada", session_.device()}; }

    /// As in Server: who was taken out of a room is no member any more.
    void end_memberships() {
        while (const auto ending = hub_.poll_ending()) {
            for (const Bytes& frame : ending->frames) check(frame.view());
            streams_[ending->stream].member = nullptr;
        }
    }

    void serve() {
        while (Member* member = hub_.fan_out().poll_waiting()) {
            while (const auto frame = hub_.next_frames(*member)) check(frame->view());
        }
        const auto write = [](ConnectionId, const Bytes& frame) {
            return check(frame.view()), true;
        };
        hub_.control().send(write, [](ConnectionId) {});
        hub_.pages().look();
        const auto write_on = [&](ConnectionId id, StreamId, const Bytes& f) {
            return write(id, f);
        };
        hub_.pages().send({}, write_on, [](ConnectionId, StreamId) {});
        do {
            downloads_.send(now_, Always{}, write_on, [](ConnectionId, StreamId) {});
            settle();
        } while (downloads_.size() > 0);
    }

    /// Whatever a server says can be understood: one frame, or several.
    static void check(BytesView frames) {
        do {
            const std::uint64_t type = *read_varint(frames);
            const auto size = static_cast<std::size_t>(*read_varint(frames));
            must(size <= frames.size());
            must(decode({type, frames.first(size)}).has_value());
            frames = frames.subspan(size);
        } while (!frames.empty());
    }

    ServerConfig config_{.limits = {.room_log_records_max = 5,
                                    .room_age_min = {},
                                    .room_recent_frames_max = 2,
                                    .private_rooms_max = 1,
                                    .catch_up_records_max = 2,
                                    .search_records_max = 3,
                                    .reactions_per_message_max = 2,
                                    .rooms_per_owner_max = 3,
                                    .checks_max = 5},
                         .checks_messages = true};
    ServerSession session_{config_.limits, "{}"};
    test::KnownAccounts accounts_{{"bob"}};
    Hub hub_{MemoryLog{Entropy::seeded(1)}, config_, accounts_};
    MemoryFiles<ReferenceCrypto> files_{4096};
    RateLimits rates_{config_.limits};
    Uploads uploads_{files_, hub_, rates_, config_.limits};
    ByteCounts held_;
    Downloads downloads_{files_, hub_, rates_, config_.limits, held_};
    ConnectionId connection_{1};
    std::map<StreamId, Stream> streams_;
    std::vector<CheckTicket> questions_;
    TimePoint now_{};
};

inline void fuzz_server_session(BytesView bytes) { ServerFuzz{}.run(bytes); }

}  // namespace quicchat::test
