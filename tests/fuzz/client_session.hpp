#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "input.hpp"
#include "quicchat/session/client_session.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat::test {

/// A server that sends anything, on any of four streams, in any pieces, to a client that asks and
/// leaves in between.
class ClientFuzz {
public:
    void run(BytesView bytes) {
        FuzzInput input{bytes};
        session_.handle_connected({ConnectionId{1}, "x", {}}, StreamId{0}, "M", {});
        while (!input.empty()) {
            const std::uint8_t order = input.octet();
            if ((order & 0xc0) == 0xc0) {
                ask(order);
            } else if (!receive(StreamId{order % 4u * 4}, input.take(order / 4u))) {
                session_.handle_close(Input::failed);
            }
            look();
        }
        session_.handle_disconnected({});
        look();
        must(offline_);
    }

private:
    void ask(std::uint8_t order) {
        const StreamId next{4 * (1 + joined_)};
        switch (order % 8) {
            case 0:
            case 1:
                if (session_.may_join(order % 2 == 0 ? "#a" : "#b") != Errc{}) return;
                ++joined_;
                session_.join(next, order % 2 == 0 ? "#a" : "#b", Position::last(5));
                return;
            case 2:
                (void)session_.leave("#A");
                return;
            case 3:
                (void)session_.publish("#a", {}, "hi", "{}");
                return;
            case 4:
                (void)session_.tell("bob", {}, "hi", "{}");
                return;
            case 5:
                (void)session_.request_members("#b", "");
                return;
            case 6:
            case 7: {
                const StreamId stream{order / 8u % 4 * 4};
                if (session_.handle_stream_end(stream, order % 2 == 0) != Errc{}) {
                    session_.handle_close(Input::failed);
                }
                return;
            }
        }
    }

    bool receive(StreamId stream, BytesView bytes) {
        FrameAssembler& assembler =
            assemblers_.try_emplace(stream, FrameAssembler{64 * 1024}).first->second;
        assembler.push(bytes);
        while (true) {
            const Result<std::optional<FrameView>> frame = assembler.next();
            if (!frame) return false;
            if (!*frame) return true;
            const Errc errc = session_.handle_frame(stream, **frame);
            if (errc != Errc{}) return must(is_fatal(errc)), false;
            if (const auto login = session_.poll_login()) {
                if (login->final) {
                    session_.login_complete();
                } else {
                    session_.login_respond(login->data);
                }
            }
        }
    }

    /// What the application and the server get is clean and in order, whatever came in.
    void look() {
        while (const auto event = session_.poll_event()) {
            must(!offline_);
            if (std::holds_alternative<Offline>(*event)) offline_ = true;
            if (const auto* joined = std::get_if<RoomJoined>(&*event)) {
                next_[joined->room] = joined->next;
                must(joined->next >= 1 && joined->next <= joined->head + 1);
            } else if (const auto* message = std::get_if<RoomMessage>(&*event)) {
                must(next_.at(message->room)++ == message->offset);
                must(is_clean_text(message->text) && is_user_name(message->from));
            } else if (const auto* gap = std::get_if<RoomGap>(&*event)) {
                must(next_.at(gap->room) == gap->first && gap->first <= gap->last);
                next_[gap->room] = gap->last + 1;
            } else if (const auto* refused = std::get_if<Refused>(&*event)) {
                must(is_clean_text(refused->text));
            } else if (const auto* away = std::get_if<GoingAway>(&*event)) {
                must(is_clean_text(away->text));
            }
        }
        while (session_.poll_outgoing()) {
        }
    }

    ClientSession session_{{.outbox_messages_max = 5}};
    std::map<StreamId, FrameAssembler> assemblers_;
    std::map<std::string, Offset> next_;
    std::uint64_t joined_ = 0;
    bool offline_ = false;
};

inline void fuzz_client_session(BytesView bytes) { ClientFuzz{}.run(bytes); }

}  // namespace quicchat::test
