#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/search_words.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// What the searches of a server may do in one turn, all together: a few milliseconds. The unit is
/// about a byte that is compared with one word.
struct SearchEffort {
    static constexpr std::size_t turn_max = 1 << 20;
    static constexpr std::size_t record = 1024;  ///< What reading one costs, however short it is.

    std::size_t spent = 0;
    bool is_over() const { return spent >= turn_max; }
};

/// One search in a room's log, from the newest record down, a slice at a time (PROTOCOL.md §6.15).
class Search {
public:
    /// Records of one slice: then others have their turn.
    static constexpr std::size_t slice_records_max = 64;

    Search(std::string user, const Room& room, const wire::SearchRequest& m, const Limits& limits)
        : user_(std::move(user)),
          key_(room.key()),
          request_(m.request),
          epoch_(room.epoch()),
          words_(m.words),
          next_(std::min(m.before, room.head() + 1)),
          unfound_(std::clamp<Offset>(m.count, 1, limits.page_records_max)),
          unseen_(std::max<Offset>(limits.search_records_max, 1)) {}

    const std::string& user() const { return user_; }
    const std::string& key() const { return key_; }
    RequestId request() const { return request_; }

    /// The room is about to go: the search ends, and what it found goes along.
    void forget() {
        found_.clear();
        next_ = 0;
        complete_ = true;
    }

    /// True if there is nothing to hand over before `look` was called again.
    bool wants_look() const { return found_.empty() && !complete_; }

    /// Looks at a slice of the log, or at less of it if that costs much or finds `found_max`
    /// records.
    Errc look(const RoomLog& log, std::size_t found_max, SearchEffort& effort) {
        constexpr std::size_t read_max = 16;
        std::size_t left = slice_records_max;
        const auto is_enough = [&] {
            return complete_ || effort.is_over() || found_.size() >= found_max;
        };
        while (left > 0 && !is_enough()) {
            const Offset first = log.head(key_).first;
            if (next_ <= first) {
                next_ = 0;  // there is nothing below
                complete_ = true;
                break;
            }
            const Offset count = std::min<Offset>({next_ - first, read_max, unseen_, left});
            const auto records = log.read(key_, next_ - count - 1, count);
            if (!records) return to_errc(records.error());
            if (records->empty()) next_ -= count;
            for (auto r = records->rbegin(); r != records->rend() && !is_enough(); ++r) {
                take(*r, first, effort);
            }
            left -= count;
        }
        return Errc{};
    }

    /// The next frame for the stream; nothing if `look` must be called before. A record goes out as
    /// it is now, if it still has the words.
    Result<std::optional<Bytes>> next_frame(const RoomLog& log) {
        while (const std::optional<Offset> offset = pop_front(found_)) {
            const auto records = log.read(key_, *offset - 1, 1);
            if (!records) return to_errc(records.error());
            const bool is_there = !records->empty() && records->front().offset == *offset;
            if (is_there && has_words(records->front().record)) {
                return std::optional{encode_event(records->front())};
            }
        }
        if (!complete_) return std::optional<Bytes>{};
        ended = true;
        return std::optional{Bytes{encode(wire::SearchEnd{request_, epoch_, next_})}};
    }

    bool ended = false;  ///< The last frame was handed over.

private:
    bool has_words(const Record& record) const {
        return is_said(record.act.kind) && words_.are_in(record.text);
    }

    void take(const LoggedRecord& logged, Offset first, SearchEffort& effort) {
        const Record& record = logged.record;
        next_ = logged.offset;
        effort.spent += SearchEffort::record;
        if (is_said(record.act.kind)) {
            effort.spent += record.text.size() * words_.size();
            if (words_.are_in(record.text)) {
                found_.push_back(logged.offset);
                --unfound_;
            }
        }
        complete_ = --unseen_ == 0 || unfound_ == 0;
        if (next_ <= first) next_ = 0;
        complete_ = complete_ || next_ == 0;
    }

    std::string user_;
    std::string key_;
    RequestId request_;
    Epoch epoch_;
    SearchWords words_;
    Offset next_;     ///< The records below it were not looked at; 0: there are none.
    Offset unfound_;  ///< So many more are wanted.
    Offset unseen_;   ///< So many more may be looked at.
    bool complete_ = false;
    std::deque<Offset> found_;
};

}  // namespace quicchat
