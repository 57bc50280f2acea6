#pragma once

#include "quicchat/webtransport/transport.hpp"

#include <algorithm>

namespace quicchat::webtransport {

template <CarriesHttp Inner>
Result<StreamId> Transport<Inner>::open_stream(ConnectionId id) {
    const Page* page = find(id);
    if (page == nullptr) return state_->inner.open_stream(id);
    return page->session.is_open() ? Errc::too_many_streams : Errc::not_ready;
}

template <CarriesHttp Inner>
Result<Backlog> Transport<Inner>::write(ConnectionId id, StreamId stream, Bytes bytes, bool fin) {
    const Page* page = find(id);
    if (page == nullptr) return state_->inner.write(id, stream, std::move(bytes), fin);
    const auto outer = outer_stream(*page, stream);
    if (!outer) return Errc::not_ready;
    return state_->inner.write(id, *outer, std::move(bytes), fin);
}

template <CarriesHttp Inner>
void Transport<Inner>::reset_stream(ConnectionId id, StreamId stream, std::uint64_t code) {
    Page* page = find(id);
    if (page == nullptr) return state_->inner.reset_stream(id, stream, code);
    const auto outer = outer_stream(*page, stream);
    if (!outer) return;
    page->session.forget(stream);
    state_->inner.reset_stream(id, *outer, codes::to_http(static_cast<std::uint32_t>(code)));
}

template <CarriesHttp Inner>
Backlog Transport<Inner>::backlog(ConnectionId id, StreamId stream) const {
    const Page* page = find(id);
    if (page == nullptr) return state_->inner.backlog(id, stream);
    const auto outer = outer_stream(*page, stream);
    return outer ? state_->inner.backlog(id, *outer) : Backlog{};
}

template <CarriesHttp Inner>
std::size_t Transport<Inner>::unacknowledged(ConnectionId id) const {
    return is_heard_of(id) ? state_->inner.unacknowledged(id) : 0;
}

template <CarriesHttp Inner>
void Transport<Inner>::consume(ConnectionId id, StreamId stream, std::size_t bytes) {
    const Page* page = find(id);
    if (page == nullptr) return state_->inner.consume(id, stream, bytes);
    const auto outer = outer_stream(*page, stream);
    if (outer) state_->inner.consume(id, *outer, bytes);
}

template <CarriesHttp Inner>
bool Transport<Inner>::send_datagram(ConnectionId id, Bytes bytes) {
    const Page* page = find(id);
    if (page == nullptr) return state_->inner.send_datagram(id, std::move(bytes));
    if (!page->session.is_open() || bytes.empty()) return false;
    Buffer whole = page->session.datagram_head();
    append(whole, bytes.view());
    return state_->inner.send_datagram(id, Bytes{std::move(whole)});
}

template <CarriesHttp Inner>
Result<ChannelBinding> Transport<Inner>::channel_binding(ConnectionId id) const {
    const Page* page = find(id);
    if (page == nullptr) return state_->inner.channel_binding(id);
    return page->session.is_open() ? Errc::unsupported : Errc::not_ready;
}

template <CarriesHttp Inner>
void Transport<Inner>::close(ConnectionId id, Errc why, std::string_view text) {
    Page* page = find(id);
    if (page == nullptr) return state_->inner.close(id, why, text);
    if (!page->session.is_open()) return;
    page->session.close(wire_code(why), text);
    act(id, *page);
    state_->ends.set(id, state_->now + farewell);
    tell_end(id, *page, {.errc = why, .text = std::string{text}});
}

template <CarriesHttp Inner>
std::optional<TransportEvent> Transport<Inner>::poll_event() {
    while (state_->events.empty()) {
        std::optional<TransportEvent> event = state_->inner.poll_event();
        if (!event) return std::nullopt;
        const ConnectionId id = std::visit([](const auto& e) { return e.connection; }, *event);
        auto* connected = std::get_if<Connected>(&*event);
        if (connected != nullptr && connected->alpn == http3_alpn) {
            begin(std::move(*connected));
        } else if (Page* page = find(id)) {
            take(id, *page, *std::move(event));
        } else {
            return event;
        }
    }
    return pop_front(state_->events);
}

template <CarriesHttp Inner>
void Transport<Inner>::handle_timeout(TimePoint now) {
    state_->now = std::max(state_->now, now);
    state_->inner.handle_timeout(now);
    while (const auto id = state_->sessions.take_due(now)) {
        Page& page = *find(*id);
        page.session.handle_timeout(now);
        act(*id, page);
    }
    while (const auto id = state_->ends.take_due(now)) state_->inner.close(*id, Errc::closed, "");
}

template <CarriesHttp Inner>
std::optional<TimePoint> Transport<Inner>::next_deadline() const {
    return earlier(state_->inner.next_deadline(),
                   earlier(state_->ends.next(), state_->sessions.next()));
}

template <CarriesHttp Inner>
void Transport<Inner>::drain() {
    for (auto& [id, page] : state_->pages) {
        page->session.drain();
        act(id, *page);
    }
}

template <CarriesHttp Inner>
bool Transport<Inner>::says_farewell() const {
    return std::any_of(state_->pages.begin(), state_->pages.end(), [&](const auto& entry) {
        const auto& [id, page] = entry;
        return page->told_disconnected && state_->inner.unacknowledged(id) > 0;
    });
}

template <CarriesHttp Inner>
void Transport<Inner>::begin(Connected connected) {
    const ConnectionId id = connected.connection;
    auto page = std::make_unique<Page>(state_->config, std::move(connected));
    Page& added = *state_->pages.emplace(id, std::move(page)).first->second;
    state_->ends.set(id, state_->now + request_timeout);
    act(id, added);
}

/// Something of a connection with HTTP/3.
template <CarriesHttp Inner>
void Transport<Inner>::take(ConnectionId id, Page& page, TransportEvent event) {
    Session& session = page.session;
    if (auto* gone = std::get_if<Disconnected>(&event)) {
        return forget(id, page, std::move(gone->reason));
    }
    match(
        std::move(event), [](Connected&&) {},
        [&](StreamData&& data) {
            session.handle_data(data.stream, std::move(data.bytes), data.fin);
        },
        [&](StreamReset&& reset) { session.handle_reset(reset.stream, reset.code, state_->now); },
        [&](Writable&& writable) {
            const auto stream = session.page_stream(writable.stream);
            if (stream && session.is_open()) state_->events.push_back(Writable{id, *stream});
        },
        [&](DatagramReceived&& datagram) {
            auto payload = session.payload_of(datagram.bytes);
            if (!payload || payload->empty()) return;
            state_->events.push_back(DatagramReceived{id, *std::move(payload)});
        },
        [](Disconnected&&) {});
    act(id, page);
}

/// Does what a session wants.
template <CarriesHttp Inner>
void Transport<Inner>::act(ConnectionId id, Page& page) {
    while (auto action = page.session.poll_action()) do_action(id, page, *std::move(action));
    if (const auto deadline = page.session.next_deadline()) state_->sessions.set(id, *deadline);
}

template <CarriesHttp Inner>
void Transport<Inner>::do_action(ConnectionId id, Page& page, Action action) {
    Inner& inner = state_->inner;
    Queue<TransportEvent>& events = state_->events;
    match(
        std::move(action),
        [&](actions::WriteControl&& a) { write_control(id, page, std::move(a.bytes)); },
        // What fails here fails because the stream or the connection ended, which is news itself.
        [&](actions::Write&& a) {
            (void)inner.write(id, a.stream, Bytes{std::move(a.bytes)}, a.fin);
        },
        [&](actions::Reset&& a) { inner.reset_stream(id, a.stream, a.code); },
        [&](actions::Consume&& a) { inner.consume(id, a.stream, a.bytes); },
        [&](actions::Violation&& a) { inner.close(id, Errc::unexpected_frame, a.text); },
        [&](actions::Established&&) {
            state_->ends.erase(id);
            page.told_connected = true;
            page.connected.origin = page.session.origin();
            events.push_back(page.connected);
        },
        [&](actions::PageData&& a) {
            events.push_back(StreamData{id, a.stream, std::move(a.bytes), a.fin});
        },
        [&](actions::PageReset&& a) {
            events.push_back(StreamReset{id, a.stream, a.code});
        },
        [&](actions::PageClosed&& a) {
            // It has taken note of our close. A browser tells its page in its own time, and tells
            // it nothing of that where the connection ends first: `farewell` ends it.
            if (page.told_disconnected) return;
            page.reason = CloseReason{
                .errc = from_wire_code(a.code), .by_peer = true, .text = std::move(a.text)};
            inner.close(id, Errc::closed, "");
        });
}

template <CarriesHttp Inner>
void Transport<Inner>::write_control(ConnectionId id, Page& page, Buffer bytes) {
    if (!page.control) {
        const Result<StreamId> opened = state_->inner.open_uni_stream(id);
        if (!opened) return state_->inner.close(id, Errc::unexpected_frame, "no HTTP/3");
        page.control = *opened;
    }
    (void)state_->inner.write(id, *page.control, Bytes{std::move(bytes)}, false);
}

/// Those above hear of an end once, and only if they heard of a beginning.
template <CarriesHttp Inner>
void Transport<Inner>::tell_end(ConnectionId id, Page& page, CloseReason reason) {
    if (!page.told_connected || std::exchange(page.told_disconnected, true)) return;
    state_->events.push_back(Disconnected{id, std::move(reason)});
}

template <CarriesHttp Inner>
void Transport<Inner>::forget(ConnectionId id, Page& page, CloseReason reason) {
    if (page.reason) {
        page.reason->datagrams_received = reason.datagrams_received;
        reason = *std::move(page.reason);
    }
    tell_end(id, page, std::move(reason));
    state_->ends.erase(id);
    state_->sessions.erase(id);
    state_->pages.erase(id);
}

}  // namespace quicchat::webtransport
