#pragma once

#include "quicchat/server/deliver/search.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL Search::Search(std::string user, const Room& room, const wire::SearchRequest& m,
                             const Limits& limits)
    : user_(std::move(user)),
      key_(room.key()),
      request_(m.request),
      epoch_(room.epoch()),
      words_(m.words),
      next_(std::min(m.before, room.head() + 1)),
      unfound_(std::clamp<Offset>(m.count, 1, limits.page_records_max)),
      unseen_(std::max<Offset>(limits.search_records_max, 1)) {}

QUICCHAT_DECL void Search::forget() {
    found_.clear();
    next_ = 0;
    complete_ = true;
}

QUICCHAT_DECL Errc Search::look(const RoomLog& log, std::size_t found_max, SearchEffort& effort) {
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

QUICCHAT_DECL Result<std::optional<LoggedRecord>> Search::next_record(const RoomLog& log) {
    while (const std::optional<Offset> offset = pop_front(found_)) {
        auto records = log.read(key_, *offset - 1, 1);
        if (!records) return to_errc(records.error());
        const bool is_there = !records->empty() && records->front().offset == *offset;
        if (is_there && has_words(records->front().record)) {
            return std::optional{std::move(records->front())};
        }
    }
    return std::optional<LoggedRecord>{};
}

QUICCHAT_DECL Result<std::optional<Bytes>> Search::next_frame(const RoomLog& log) {
    const Result<std::optional<LoggedRecord>> record = next_record(log);
    if (!record) return to_errc(record.error());
    if (*record) return std::optional{encode_event(**record)};
    if (!complete_) return std::optional<Bytes>{};
    ended = true;
    return std::optional{Bytes{encode(wire::SearchEnd{request_, epoch_, next_})}};
}

QUICCHAT_DECL bool Search::has_words(const Record& record) const {
    return is_said(record.act.kind) && words_.are_in(record.text);
}

QUICCHAT_DECL void Search::take(const LoggedRecord& logged, Offset first, SearchEffort& effort) {
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

}  // namespace quicchat
