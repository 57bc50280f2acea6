#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/match.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/session/event.hpp"
#include "support/shared_log.hpp"

namespace quicchat::test {

/// A promise that was not kept.
struct Breach {
    std::string what;
};

/// What stands in the log of the one room, in order, and since when.
struct Truth {
    struct Entry {
        MessageId id;
        std::string author;
        std::size_t text = 0;  ///< Its hash.
        TimePoint since;
    };
    /// What somebody sends.
    struct File {
        std::string name;
        Buffer bytes;
        Buffer digest;
    };
    TimePoint now{};
    Epoch epoch{};
    std::vector<Entry> entries{};  ///< The first is at offset 1.
    std::map<MessageId, std::pair<std::string, std::size_t>> said{};
    std::set<MessageId> stored{};
    std::map<MessageId, File> files_said{};
    std::vector<Offset> announced{};  ///< Files whose record is there.

    void fail(const std::string& what) const { throw Breach{what}; }
    static std::size_t hash(const std::string& text) { return std::hash<std::string>{}(text); }
};

/// A log that outlives the server, and tells the truth what was committed.
class WitnessedLog final : public SharedLog {
public:
    WitnessedLog(std::shared_ptr<MemoryLog> log, Truth& truth, std::string room)
        : SharedLog(std::move(log)), truth_(truth), room_(std::move(room)) {}

    std::optional<LogNews> poll_news() override {
        std::optional<LogNews> news = SharedLog::poll_news();
        if (news && news->is_commit() && news->room == room_) note(*news);
        return news;
    }
    Durability durability() const override { return Durability::fsync; }

private:
    void note(const LogNews& news) {
        const Record& record = *news.record;
        if (news.offset != truth_.entries.size() + 1) truth_.fail("a record at another place");
        const auto said = truth_.said.find(record.id);
        const std::size_t text = Truth::hash(record.text);
        if (said == truth_.said.end() || said->second != std::pair{record.author, text}) {
            truth_.fail("a record that nobody published");
        }
        if (!truth_.stored.insert(record.id).second) truth_.fail("a message was stored twice");
        truth_.epoch = news.epoch;
        truth_.entries.push_back({record.id, record.author, text, truth_.now});
        const bool is_file = record.act.kind == Act::Kind::file;
        if (is_file != truth_.files_said.contains(record.id)) truth_.fail("a file is no file");
        if (is_file) truth_.announced.push_back(news.offset);
    }

    Truth& truth_;
    std::string room_;
};

/// How much longer than a message a file may take.
inline constexpr Duration file_patience = std::chrono::seconds{20};

/// What one client was told, and what it may expect of its network.
class Witness {
public:
    Witness(Truth& truth, std::string user) : truth_(truth), user_(std::move(user)) {}

    void note_published(RequestId request, MessageId id, const std::string& text) {
        truth_.said[id] = {user_, Truth::hash(text)};
        asked_[request] = {id, truth_.now};
    }

    /// A file takes its time, also in calm weather, and is in no order with messages.
    void note_file(RequestId request, MessageId id, const std::string& name) {
        truth_.said[id] = {user_, Truth::hash(name)};
        asked_[request] = {id, truth_.now + file_patience, true};
    }

    /// The program asks anew.
    void forget(RequestId request) { asked_.erase(request); }

    /// The program was killed, and begins anew with what it had kept.
    void note_restart() {
        if (is_online()) online_time_ += truth_.now - online_since_;
        online_since_ = TimePoint::max();
        offline_since_ = truth_.now;
        asked_.clear();
    }
    /// Where to go on in the room; nothing if it was never there.
    std::optional<Position> position() const {
        if (next_ == 0) return std::nullopt;
        return Position::after(epoch_, next_ - 1);
    }

    /// The network of this client was in order again at `end`, and nobody is blamed for a
    /// connection that ends before `excused_until`.
    void note_trouble(TimePoint end, TimePoint excused_until) {
        calm_since_ = std::max(calm_since_, end);
        excused_until_ = std::max(excused_until_, excused_until);
    }

    void handle(const ClientEvent& event) {
        match(
            event, [&](const Online&) { handle_online(); },
            [&](const Acked& e) { handle_acked(e); },
            [&](const RoomJoined& e) { handle_joined(e); },
            [&](const RoomMessage& e) { handle_message(e); },
            [&](const Reconnecting& e) { handle_lost(e); },
            [&](const Refused& e) { fail("refused: " + std::string{error_name(e.errc)}); },
            [&](const RoomLeft& e) { fail("out of the room: " + std::string{error_name(e.errc)}); },
            [&](const RoomGap&) { fail("a gap"); },
            [&](const RoomAct&) { fail("an act that nobody did"); },
            [&](const Offline& e) {
                if (!closing) fail("gave up: " + std::string{error_name(e.reason.errc)});
            },
            [](const auto&) {});
    }

    /// True if nothing was the matter for so long.
    bool is_calm_for(Duration time) const { return calm_since_ <= truth_.now - time; }

    /// In calm weather nobody waits for long.
    void check_patience(Duration patience) const {
        const TimePoint since = truth_.now - patience;
        if (!is_calm_for(patience)) return;
        if (!is_online() && offline_since_ < since) return fail("not online in calm weather");
        for (const auto& [request, asked] : asked_) {
            if (asked.at < since) return fail("no answer for long");
        }
        if (next_ == 0 || next_ > truth_.entries.size()) return;
        if (truth_.entries[next_ - 1].since < since) fail("not told for long");
    }

    /// At the end, when everything is healed.
    void check_complete() const {
        if (!asked_.empty()) fail("no answer in the end");
        if (next_ != truth_.entries.size() + 1) fail("not all messages in the end");
    }

    bool is_online() const { return online_since_ != TimePoint::max(); }
    bool is_in_room() const { return next_ != 0; }
    std::size_t unanswered() const { return asked_.size(); }
    std::uint64_t acked() const { return acked_; }
    std::uint64_t seen() const { return seen_; }
    std::uint64_t lost() const { return lost_; }  ///< Connections.
    const std::string& user() const { return user_; }
    const std::vector<Errc>& losses() const { return losses_; }
    Duration slowest() const { return slowest_; }
    void forget_slowest() { slowest_ = {}; }
    Duration online_time() const {
        return online_time_ + (is_online() ? truth_.now - online_since_ : Duration{});
    }

    bool closing = false;

private:
    struct Asked {
        MessageId id;
        TimePoint at;
        bool is_file = false;
    };

    void fail(const std::string& what) const {
        std::ostringstream text;
        text << user_ << " at "
             << std::chrono::duration<double>(truth_.now.time_since_epoch()).count()
             << " s: " << what;
        truth_.fail(text.str());
    }

    void handle_online() { online_since_ = truth_.now; }

    void handle_lost(const Reconnecting& e) {
        if (is_online()) online_time_ += truth_.now - online_since_;
        if (is_online()) offline_since_ = truth_.now;
        online_since_ = TimePoint::max();
        ++lost_;
        losses_.push_back(e.reason.errc);
        // Whatever the network did: the password and the token were right.
        for (const Errc errc : {Errc::login_failed, Errc::token_refused, Errc::too_many_attempts}) {
            if (e.reason.errc == errc) fail("locked out: " + std::string{error_name(errc)});
        }
        if (truth_.now <= excused_until_) return;
        fail("cut without reason: " + std::string{error_name(e.reason.errc)} + " " + e.reason.text);
    }

    void handle_joined(const RoomJoined& e) {
        epoch_ = e.epoch;
        if (next_ == 0) {
            next_ = e.next;
        } else if (!e.recovered || e.next != next_) {
            fail("another place after a reconnection");
        }
    }

    /// One order, no holes, each once, and only what is committed.
    void handle_message(const RoomMessage& e) {
        if (e.offset != next_) fail("a message was left out, repeated or out of order");
        if (e.offset > truth_.entries.size()) fail("told and not committed");
        const Truth::Entry& entry = truth_.entries[e.offset - 1];
        if (entry.id != e.id || entry.author != e.from || entry.text != Truth::hash(e.text)) {
            fail("a message differs from its record");
        }
        ++next_;
        ++seen_;
        slowest_ = std::max(slowest_, truth_.now - entry.since);
    }

    /// Acked is durable, and at its place.
    void handle_acked(const Acked& e) {
        const auto asked = asked_.find(e.request);
        if (asked == asked_.end()) return fail("an answer to nothing");
        const bool there = e.offset >= 1 && e.offset <= truth_.entries.size() &&
                           truth_.entries[e.offset - 1].id == e.id && asked->second.id == e.id;
        if (!there || e.epoch != truth_.epoch) fail("acknowledged and not there");
        if (asked->second.is_file) {
            asked_.erase(asked);
            return;
        }
        if (e.offset <= last_acked_) fail("one's own messages out of order");
        last_acked_ = e.offset;
        ++acked_;
        slowest_ = std::max(slowest_, truth_.now - asked->second.at);
        asked_.erase(asked);
    }

    Truth& truth_;
    std::string user_;
    std::map<RequestId, Asked> asked_;
    Epoch epoch_{};
    Offset next_ = 0;  ///< 0: not in the room.
    Offset last_acked_ = 0;
    TimePoint online_since_ = TimePoint::max();
    TimePoint offline_since_ = truth_.now;
    TimePoint calm_since_{};
    TimePoint excused_until_{};
    Duration online_time_{};
    Duration slowest_{};
    std::uint64_t acked_ = 0;
    std::uint64_t seen_ = 0;
    std::uint64_t lost_ = 0;
    std::vector<Errc> losses_;
};

}  // namespace quicchat::test
