#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "input.hpp"
#include "quicchat/base/display_name.hpp"
#include "quicchat/base/file_name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/session/client_session.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat::test {

/// A server that sends anything, on any of four streams, in any pieces, over any number of
/// connections, to a client that asks and leaves in between.
class ClientFuzz {
public:
    void run(BytesView bytes) {
        FuzzInput input{bytes};
        connect(false);
        while (!input.empty()) {
            const std::uint8_t order = input.octet();
            if ((order & 0xf8) == 0xf8) {
                come_back(order % 8);
            } else if ((order & 0xc0) == 0xc0) {
                ask(order);
            } else if (!receive(StreamId{order % 4u * 4}, input.take(order / 4u))) {
                session_.handle_close(Input::failed);
            }
            look();
        }
        session_.handle_disconnected();
        session_.end({});
        look();
        must(offline_);
    }

private:
    /// What the application knows of one room.
    struct Place {
        Epoch epoch{};
        Offset next = 0;
        Offset before = 0;  ///< `next` before the latest RoomJoined; 0 if there was none.
        bool may_jump = false;
    };

    void connect(bool one_flight) {
        session_.handle_connected({ConnectionId{1}, "x", {}}, {"M", {}, {}, one_flight});
        look();
    }

    /// The connection breaks; with `mode` 0 and 1, between two connections nothing is up.
    void come_back(unsigned mode) {
        session_.handle_disconnected();
        session_.retry({.errc = Errc::transport_failed}, {}, 1);
        assemblers_.clear();
        opened_ = 0;
        if (mode > 1) connect(mode % 2 == 0);
    }

    void ask(std::uint8_t order) {
        switch (order % 8) {
            case 0:
            case 1:
                (void)session_.join(
                    order % 2 == 0 ? "#a" : "#b",
                    order / 8u % 2 == 0 ? Position::last(5) : Position::after(Epoch{1}, 2));
                return;
            case 2:
                (void)session_.leave("#A");
                return;
            case 3:
                ask_about_files(order / 8u % 4);
                return;
            case 4:
                if (order / 8u % 2 == 0) {
                    (void)session_.tell("bob", {}, "hi", "{}");
                } else {
                    (void)session_.set_display_name("Ada L.");
                }
                return;
            case 5:
                if (order / 8u % 4 == 3) {
                    (void)session_.request_search("#a", "hi", 20, 3);
                } else if (order / 8u % 4 == 2) {
                    (void)session_.request_history("#a", 20, 3, 3);
                } else {
                    (void)session_.request_members("#b", "");
                }
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

    void ask_about_files(unsigned what) {
        Result<RequestId> request = Errc::closed;
        if (what == 0) (void)session_.publish("#a", {}, "hi", "{}");
        if (what == 1) {
            request = session_.send_file("#a", {}, {"f", 3, Buffer(32, std::byte{1}), "{}", 0});
        }
        if (what == 2) request = session_.fetch_file("#a", 1);
        if (what == 3) session_.cancel_file(newest_file_);
        if (request) newest_file_ = *request;
    }

    void give(const FileWanted& wanted) {
        must(wanted.offset + wanted.bytes_max <= 3 && wanted.bytes_max > 0);
        const Buffer bytes(wanted.bytes_max, std::byte{7});
        (void)session_.give_file(wanted.request, wanted.offset, bytes);
    }

    /// The bytes of a file come in order, and no more of them than it has.
    void on_file(const ClientEvent& event) {
        if (const auto* begun = std::get_if<FileBegun>(&event)) {
            must(is_file_name(begun->name) && begun->digest.size() == 32);
            must(files_.emplace(begun->request, std::pair{std::uint64_t{0}, begun->size}).second);
        } else if (const auto* chunk = std::get_if<FileChunk>(&event)) {
            auto& [next, size] = files_.at(chunk->request);
            must(chunk->offset == next && !chunk->bytes.empty());
            next += chunk->bytes.size();
            must(next <= size);
        } else if (const auto* fetched = std::get_if<FileFetched>(&event)) {
            const auto& [next, size] = files_.at(fetched->request);
            must(next == size);
        } else if (const auto* wanted = std::get_if<FileWanted>(&event)) {
            give(*wanted);
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
            (void)session_.poll_token();
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
                on_joined(*joined);
            } else if (const auto* left = std::get_if<RoomLeft>(&*event)) {
                places_.erase(canonical_name(left->room));
            } else if (const auto* message = std::get_if<RoomMessage>(&*event)) {
                on_record(*message);
            } else if (const auto* act = std::get_if<RoomAct>(&*event)) {
                on_record(*act);
                must(has_known_value(act->act));
            } else if (const auto* gap = std::get_if<RoomGap>(&*event)) {
                on_gap(*gap);
            } else if (const auto* found = std::get_if<SearchPage>(&*event)) {
                on_search(*found);
            } else if (const auto* refused = std::get_if<Refused>(&*event)) {
                must(is_clean_text(refused->text));
            } else if (event->index() > ClientEvent{TokenRenewed{}}.index()) {
                on_file(*event);
            } else if (const auto* away = std::get_if<GoingAway>(&*event)) {
                must(is_clean_text(away->text));
            } else if (const auto* profile = std::get_if<ProfileChanged>(&*event)) {
                check_person(profile->user, profile->display);
            } else if (const auto* presence = std::get_if<PresenceChanged>(&*event)) {
                check_person(presence->user, presence->display);
            } else if (const auto* list = std::get_if<MemberList>(&*event)) {
                for (const RoomPerson& p : list->people) check_person(p.user, p.display);
            }
        }
        while (const auto room = session_.poll_join()) {
            session_.join_on(StreamId{4 * ++opened_}, *room);
        }
        while (session_.wants_transfer()) {
            session_.begin_transfer_on(StreamId{4 * ++opened_});
        }
        session_.want_more();
        while (session_.wants_page()) session_.request_page_on(StreamId{4 * ++opened_});
        while (session_.poll_outgoing()) {
        }
        while (const auto stream = session_.poll_reset()) {
            must(session_.handle_stream_end(*stream, true) == Errc{});
        }
        // And the rooms that are joined again, and files.
        must(session_.unanswered_requests() <= 5 + 2 + 5);
    }

    static void check_person(std::string_view user, std::string_view display) {
        must(is_user_name(user) && (display.empty() || is_display_name(display)));
    }

    void on_record(const auto& record) {
        Place& place = places_.at(canonical_name(record.room));
        must(place.next++ == record.offset && place.epoch == record.epoch);
        must(is_clean_text(record.text) && is_user_name(record.from));
    }

    /// What was found goes down, and so does what is left.
    static void on_search(const SearchPage& page) {
        must(page.records.size() <= 3);
        Offset below = 20;
        for (const RoomRecord& record : page.records) {
            const Offset offset = std::visit([](const auto& r) { return r.offset; }, record);
            must(offset >= 1 && offset < below);
            below = offset;
        }
        must(page.next < (page.records.empty() ? below : below + 1));
    }

    void on_joined(const RoomJoined& joined) {
        Place& place = places_[canonical_name(joined.room)];
        must(joined.next >= 1 && joined.next <= joined.head + 1);
        if (joined.recovered && joined.request == 0) {
            must(place.epoch == joined.epoch && place.next == joined.next);
        }
        place = {joined.epoch, joined.next, place.next, !joined.recovered};
    }

    void on_gap(const RoomGap& gap) {
        Place& place = places_.at(canonical_name(gap.room));
        must(gap.epoch == place.epoch);
        if (place.may_jump && gap.last + 1 == place.next) {  // what a RoomJoined left out
            place.may_jump = false;
        } else if (gap.cause == RoomGap::Cause::rolled_back) {
            must(place.may_jump && gap.first == place.next);
            must(place.before == 0 || gap.last + 1 == place.before);
        } else {
            must(gap.cause == RoomGap::Cause::retention);
            must(place.next == gap.first && gap.first <= gap.last);
            place.next = gap.last + 1;
        }
    }

    ClientSession session_{{.outbox_messages_max = 5}};
    std::map<StreamId, FrameAssembler> assemblers_;
    std::map<std::string, Place> places_;
    std::map<RequestId, std::pair<std::uint64_t, std::uint64_t>> files_;  ///< Next, size.
    RequestId newest_file_ = 0;
    std::uint64_t opened_ = 0;
    bool offline_ = false;
};

inline void fuzz_client_session(BytesView bytes) { ClientFuzz{}.run(bytes); }

}  // namespace quicchat::test
