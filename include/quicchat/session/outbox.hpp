#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/session/answer_watch.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/wire/act.hpp"

namespace quicchat {

/// A message without an answer, as a program keeps it over its restarts.
struct UnsentMessage {
    std::string room;  ///< Empty if it is for one person.
    std::string to;    ///< That person.
    MessageId id{};    ///< By it the message is stored once, however often it is sent.
    /// As they are published; empty in a change that does not keep it.
    /// @{
    std::string text{};
    std::string attributes{};
    Act act{};
    /// @}
};

/// What a program that keeps messages over its restarts has to do: keep one, or forget it.
struct OutboxChange {
    UnsentMessage message;  ///< Without text, attributes and act if it is to be forgotten.
    bool keep = true;       ///< False: it has its answer.
};

/// What a client asked for and has no answer to yet, over all its connections: messages stay here
/// until they are answered, and are sent again on the next connection. Bounded by
/// `Limits::outbox_messages_max` and `Limits::outbox_bytes_max`.
class Outbox {
public:
    /// Short for it in here.
    using Kind = RequestKind;

    /// One request, with all that is needed to send it again.
    struct Request {
        Kind kind{};                       ///< What is asked; it says which answers fit.
        std::string room{};                ///< Empty: not about a room.
        std::optional<StreamId> stream{};  ///< Where the answer must come; nothing: not sent yet.
        MessageId id{};                    ///< Of a message, like all that follows.
        std::string to{};                  ///< The addressee, if it is for one person.
        /// As they are published.
        /// @{
        std::string text{};
        std::string attributes{};
        Act act{};
        /// @}

        AnswerWatch::Wait wait = 0;  ///< For the answer.

        /// What is answered neither on the control stream nor on that of a room.
        bool has_own_stream() const { return kind == Kind::history || kind == Kind::search; }
    };
    /// By number, which is the order of asking.
    using Requests = std::map<RequestId, Request>;
    /// Requests that were taken out, in the order of asking.
    using Taken = std::vector<std::pair<RequestId, Request>>;

    /// It takes `outbox_messages_max`, `outbox_bytes_max` and what AnswerWatch takes of them.
    explicit Outbox(const Limits& limits);

    /// From now on `poll_change` says what changes.
    void report_changes() { reports_ = true; }
    /// The oldest change; nothing: there is none.
    std::optional<OutboxChange> poll_change();

    /// A number for a request that is kept elsewhere.
    RequestId draw_number() { return ++newest_; }

    /// For one more, whose text and attributes have so many bytes.
    bool has_room(std::size_t bytes) const;

    /// A number for a new request. Ask `has_room` first, except for what other limits bound.
    RequestId add(Request request);

    /// The request has left on that stream.
    void handle_sent(RequestId number, StreamId stream);

    /// The request that is answered on `stream`, or nothing if none of that number was sent there.
    std::optional<Request> take(RequestId number, StreamId stream);

    /// The same, for an answer that only requests of one kind have.
    std::optional<Request> take(RequestId number, StreamId stream, Kind kind);

    /// The same, for what the server stores.
    std::optional<Request> take_stored(RequestId number, StreamId stream);

    /// Takes out the requests that `wanted` picks, in the order of asking.
    template <class Predicate>
    Taken take_if(Predicate wanted) {
        Taken taken;
        for (auto place = requests_.begin(); place != requests_.end();) {
            const auto next = std::next(place);
            const RequestId number = place->first;
            if (wanted(place->second)) taken.emplace_back(number, erase(place));
            place = next;
        }
        return taken;
    }

    /// The connection is lost: nothing of what is here is on its way any more.
    void handle_disconnected();

    /// The requests, in the order of asking.
    Requests& requests() { return requests_; }
    /// One of them, or nullptr.
    const Request* find(RequestId number) const;

    /// Requests without an answer, those not sent included.
    std::size_t size() const { return requests_.size(); }

    /// Of these requests, and of those that are kept elsewhere.
    AnswerWatch& answers() { return answers_; }
    /// To look at only.
    const AnswerWatch& answers() const { return answers_; }

private:
    static std::size_t size_of(const Request& request);

    Request erase(Requests::iterator place);

    void report(const Request& r, bool keep);

    std::size_t count_max_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    RequestId newest_ = 0;
    Requests requests_;
    AnswerWatch answers_;
    bool reports_ = false;
    std::deque<OutboxChange> changes_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/outbox.ipp"
#endif
