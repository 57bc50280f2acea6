#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mailbox.hpp"
#include "quicchat/auth/deferred_hook.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/files/program_files.hpp"
#include "quicchat/server/people/people_admin.hpp"
#include "quicchat/server/publish/moderation.hpp"
#include "quicchat/server/rooms/room_admin.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat::python {

/// The server has ended and given everything back; nothing follows.
struct ServerStopped {};

/// The number that Python gives something it asks of a server, so that it recognises the answer.
using ProgramTicket = std::uint64_t;

/// A part of a room's log, or what a search has found.
struct ServerPage {
    std::string room;  ///< As it is spelled.
    LogHead place;
    std::vector<RoomRecord> records{};
    Offset next = 0;  ///< Of a search: where it goes on; 0: nowhere. Else: it is what is above.
};

/// What became of something that Python asked. The Errc is one: it is refused.
struct ServerAnswer {
    ProgramTicket ticket = 0;
    std::variant<Errc, wire::Ack, ServerPage, std::pair<std::vector<RoomPerson>, bool>,
                 std::pair<std::vector<RoomSummary>, bool>, std::vector<RoomReport>,
                 std::pair<std::vector<PersonReport>, bool>, std::size_t, StoredFile,
                 ProgramFileWanted, Bytes>
        what;
};

/// The log of a room that Python watches has grown, or begun anew; or the room has gone.
struct RoomNews {
    std::string room;
    LogHead place{};
    bool is_gone = false;
};

/// Somebody has told the speaker something, in the room that it calls so.
struct ToldNews {
    std::string room;
};

/// Somebody has come on line or gone, and is like that now.
struct PersonNews {
    PersonReport person;
};

using ServerMail = std::variant<ServerEvent, DeferredQuestion, CheckQuestion, ServerAnswer,
                                RoomNews, ToldNews, PersonNews, ServerStopped>;

/// What Python says about a login.
struct LoginAnswer {
    HookTicket ticket{};
    HookDecision decision;
};

/// What Python says about a message.
struct CheckAnswer {
    CheckTicket ticket{};
    CheckDecision decision;
};

class ServerDesk;

/// Something to do on the engine thread before a turn of the server.
using ServerErrand = std::packaged_task<void(ServerDesk&)>;

/// What Python and the engine thread share about one server. Thread-safe.
class ServerPort {
public:
    ServerPort(std::size_t events_max, std::size_t bytes_max) : inbox(events_max, bytes_max) {}

    /// Each question is answered once, and how many are open is bounded, so this is as well.
    void post(LoginAnswer answer) {
        const std::lock_guard lock{mutex_};
        answers_.push_back(std::move(answer));
    }
    std::vector<LoginAnswer> take_answers() {
        const std::lock_guard lock{mutex_};
        return std::exchange(answers_, {});
    }
    void post(CheckAnswer answer) {
        const std::lock_guard lock{mutex_};
        check_answers_.push_back(std::move(answer));
    }
    std::vector<CheckAnswer> take_check_answers() {
        const std::lock_guard lock{mutex_};
        return std::exchange(check_answers_, {});
    }

    /// The errand's future gets a broken promise if the server has ended, or ends before.
    void post(ServerErrand errand) {
        const std::lock_guard lock{mutex_};
        if (!ended_) errands_.push_back(std::move(errand));
    }
    /// The same of what the program asks for others: it waits for its share of the server's time,
    /// and for room for the answers. False if too many wait.
    bool post_question(ServerErrand question) {
        const std::lock_guard lock{mutex_};
        if (questions_.size() >= questions_max) return false;
        if (!ended_) questions_.push_back(std::move(question));
        return true;
    }
    bool has_questions() {
        const std::lock_guard lock{mutex_};
        return !questions_.empty();
    }
    std::optional<ServerErrand> take_question() {
        const std::lock_guard lock{mutex_};
        return pop_front(questions_);
    }
    std::vector<ServerErrand> take_errands() {
        const std::lock_guard lock{mutex_};
        return std::exchange(errands_, {});
    }
    void end_errands() {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        errands_.clear();
        questions_.clear();
    }

    static constexpr std::size_t questions_max = 4096;

    Mailbox<ServerMail> inbox;
    std::atomic<bool> stop_asked{false};
    std::atomic<std::size_t> connections{0};

private:
    std::mutex mutex_;
    std::vector<LoginAnswer> answers_;
    std::vector<CheckAnswer> check_answers_;
    std::vector<ServerErrand> errands_;
    std::deque<ServerErrand> questions_;
    bool ended_ = false;
};

}  // namespace quicchat::python
