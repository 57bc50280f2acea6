#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "quicchat/base/queue.hpp"
#include "quicchat/webtransport/transport.hpp"
#include "unit/webtransport/peer.hpp"

namespace quicchat::test {

/// What a browser does for a page, as far as a server can tell: a client's transport over any that
/// carries HTTP. The request is the first stream, and those of the page begin with their head.
template <webtransport::CarriesHttp Inner>
class WebDialer {
public:
    explicit WebDialer(Inner inner) : state_(std::make_unique<State>(std::move(inner))) {}

    Result<ConnectionId> connect(TimePoint now) {
        const Result<ConnectionId> id = state_->inner.connect(now);
        if (id) state_->links.try_emplace(*id);
        return id;
    }
    Result<StreamId> open_stream(ConnectionId id) {
        Link* link = find_open(id);
        if (link == nullptr) return Errc::not_ready;
        const Result<StreamId> stream = state_->inner.open_stream(id);
        if (!stream) return stream.error();
        link->without_head.insert(*stream);
        return below(*stream);
    }
    Result<Backlog> write(ConnectionId id, StreamId page, Bytes bytes, bool fin) {
        Link* link = find_open(id);
        const StreamId stream = above(page);
        if (link == nullptr) return Errc::not_ready;
        if (bytes.empty() && !fin && link->without_head.contains(stream)) return Backlog{};
        if (link->without_head.erase(stream) > 0) {
            (void)state_->inner.write(id, stream, Bytes{page_head()}, false);
            link->head_waits.insert(stream);
        }
        const auto result = state_->inner.write(id, stream, std::move(bytes), fin);
        if (!result) return result.error();
        return backlog(id, page);
    }
    void reset_stream(ConnectionId id, StreamId page, std::uint64_t code) {
        if (find_open(id) == nullptr) return;
        state_->inner.reset_stream(id, above(page),
                                   codes::to_http(static_cast<std::uint32_t>(code)));
    }
    Backlog backlog(ConnectionId id, StreamId page) const {
        const auto found = state_->links.find(id);
        if (found == state_->links.end()) return {};
        const std::size_t all = state_->inner.backlog(id, above(page)).bytes;
        const bool head_waits = found->second.head_waits.contains(above(page));
        return {all - std::min(all, head_waits ? page_head().size() : 0)};
    }
    std::size_t unacknowledged(ConnectionId id) const {
        const auto found = state_->links.find(id);
        const bool is_there = found != state_->links.end() && !found->second.reason;
        return is_there ? state_->inner.unacknowledged(id) : 0;
    }
    std::size_t unacknowledged() const {
        std::size_t all = 0;
        for (const auto& [id, link] : state_->links) all += unacknowledged(id);
        return all;
    }
    void consume(ConnectionId id, StreamId page, std::size_t bytes) {
        if (find_open(id) != nullptr) state_->inner.consume(id, above(page), bytes);
    }
    bool send_datagram(ConnectionId id, Bytes bytes) {
        if (find_open(id) == nullptr || bytes.empty()) return false;
        Buffer whole = varint(0);
        append(whole, bytes.view());
        return state_->inner.send_datagram(id, Bytes{std::move(whole)});
    }
    Result<ChannelBinding> channel_binding(ConnectionId id) const {
        const auto found = state_->links.find(id);
        const bool is_open =
            found != state_->links.end() && found->second.is_up && !found->second.reason;
        return is_open ? Errc::unsupported : Errc::not_ready;
    }
    void close(ConnectionId id, Errc why, std::string_view reason) {
        const auto found = state_->links.find(id);
        if (found == state_->links.end() || found->second.reason) return;
        Link& link = found->second;
        link.reason = CloseReason{.errc = why, .text = std::string{reason}};
        if (!link.is_up) return state_->inner.close(id, why, reason);
        const auto code = static_cast<std::uint32_t>(wire_code(why));
        const Buffer capsule = close_capsule(code, reason);
        (void)state_->inner.write(id, StreamId{0}, Bytes{framed(codes::frame_data, capsule)}, true);
        link.end_at = state_->now + webtransport::farewell;
    }

    std::optional<TransportEvent> poll_event() {
        while (state_->events.empty()) {
            auto event = state_->inner.poll_event();
            if (!event) return std::nullopt;
            take(*std::move(event));
        }
        return pop_front(state_->events);
    }
    void handle_timeout(TimePoint now) {
        state_->now = now;
        state_->inner.handle_timeout(now);
        for (auto& [id, link] : state_->links) {
            link.head_waits.clear();  // it was sent, or waits no more than a turn
            if (!link.end_at || *link.end_at > now) continue;
            link.end_at.reset();
            state_->inner.close(id, Errc::closed, "");
        }
    }
    std::optional<TimePoint> next_deadline() const {
        auto deadline = state_->inner.next_deadline();
        for (const auto& [id, link] : state_->links) deadline = earlier(deadline, link.end_at);
        return deadline;
    }

private:
    struct Link {
        bool is_up = false;
        Buffer answer{};  ///< What came on the request's stream and is not read.
        std::set<StreamId> without_head{};
        std::set<StreamId> head_waits{};
        std::optional<CloseReason> reason{};
        std::optional<TimePoint> end_at{};
    };
    struct State {
        explicit State(Inner transport) : inner(std::move(transport)) {}
        Inner inner;
        std::map<ConnectionId, Link> links{};
        Queue<TransportEvent> events{};
        TimePoint now{};
    };

    static constexpr StreamId nobodys{varint_max};
    static StreamId above(StreamId page) {
        const auto number = static_cast<std::uint64_t>(page);
        return number % 4 != 0 || number > varint_max - 64 ? nobodys : StreamId{number + 4};
    }
    static StreamId below(StreamId stream) {
        return StreamId{static_cast<std::uint64_t>(stream) - 4};
    }
    static bool is_of_page(StreamId stream) {
        return (static_cast<std::uint64_t>(stream) & 3) == 0 && stream != StreamId{0};
    }
    Link* find_open(ConnectionId id) {
        const auto found = state_->links.find(id);
        if (found == state_->links.end()) return nullptr;
        Link& link = found->second;
        return link.is_up && !link.reason ? &link : nullptr;
    }

    void begin(ConnectionId id) {
        Inner& inner = state_->inner;
        const auto control = inner.open_uni_stream(id);
        if (control) (void)inner.write(id, *control, Bytes{control_head()}, false);
        const auto request = inner.open_stream(id);
        if (request) (void)inner.write(id, *request, Bytes{request_frame()}, false);
    }

    void take(TransportEvent event) {
        Inner& inner = state_->inner;
        const ConnectionId id = std::visit([](const auto& e) { return e.connection; }, event);
        const auto found = state_->links.find(id);
        if (found == state_->links.end()) return;
        Link& link = found->second;
        const bool is_open = link.is_up && !link.reason;
        match(
            std::move(event), [&](Connected&&) { begin(id); },
            [&](StreamData&& e) {
                if (is_of_page(e.stream) && is_open) {
                    e.stream = below(e.stream);
                    return state_->events.push_back(std::move(e));
                }
                inner.consume(id, e.stream, e.bytes.size());
                if (e.stream != StreamId{0}) return;
                append(link.answer, e.bytes.view());
                read_answer(id, link);
                if (e.fin) inner.close(id, Errc::closed, "");
            },
            [&](StreamReset&& e) {
                if (!is_of_page(e.stream) || !is_open) return;
                const std::uint64_t code =
                    codes::is_of_application(e.code) ? codes::from_http(e.code) : 0;
                state_->events.push_back(StreamReset{id, below(e.stream), code});
            },
            [&](Writable&& e) {
                if (!is_of_page(e.stream) || !is_open) return;
                state_->events.push_back(Writable{id, below(e.stream)});
            },
            [&](DatagramReceived&& e) {
                if (is_open) state_->events.push_back(DatagramReceived{id, e.bytes.from(1)});
            },
            [&](Disconnected&& e) {
                if (link.reason) {
                    link.reason->datagrams_received = e.reason.datagrams_received;
                    e.reason = *link.reason;
                }
                state_->links.erase(found);
                state_->events.push_back(std::move(e));
            });
    }

    /// Frames of the request's stream: the answer, and a close.
    void read_answer(ConnectionId id, Link& link) {
        while (true) {
            BytesView rest = link.answer;
            const auto type = read_varint(rest);
            const auto size = type ? read_varint(rest) : type;
            if (!size || *size > rest.size()) return;
            BytesView payload = rest.first(static_cast<std::size_t>(*size));
            rest = rest.subspan(payload.size());
            if (*type == codes::frame_headers && !std::exchange(link.is_up, true)) {
                if (!link.reason) state_->events.push_back(Connected{id, "server", {}});
            } else if (*type == codes::frame_data && !link.reason) {
                read_capsule(link, payload);
            }
            link.answer = Buffer(rest.begin(), rest.end());
        }
    }

    static void read_capsule(Link& link, BytesView payload) {
        const auto type = read_varint(payload);
        (void)read_varint(payload);
        if (!type || *type != codes::capsule_close_session) return;
        std::uint64_t code = 0;
        for (const std::byte octet : payload.first(4)) {
            code = code << 8 | std::to_integer<std::uint64_t>(octet);
        }
        link.reason = CloseReason{
            .errc = from_wire_code(code), .by_peer = true, .text = to_string(payload.subspan(4))};
    }

    std::unique_ptr<State> state_;
};

}  // namespace quicchat::test
