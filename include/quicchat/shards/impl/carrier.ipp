#pragma once

#include "quicchat/shards/carrier.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace quicchat::shards {

template <quicchat::Transport Inner>
void Carrier<Inner>::process(Now now) {
    inner_.handle_timeout(now.steady);
    if (datagrams_ != 0 && link_->is_read()) datagrams_ = 0;
    link_->take_commands(commands_);
    for (std::size_t i = 0; i < commands_.size(); ++i) {
        apply(commands_[i], i + 1 < commands_.size() && commands_[i + 1].same);
    }
    commands_.clear();
    if (commands_.capacity() > commands_kept_max) commands_ = std::vector<Command>{};
    piece_ = {};
    collect();
}

template <quicchat::Transport Inner>
void Carrier<Inner>::apply(Command& command, bool is_repeated) {
    const ConnectionId id = place_.inner(command.connection);
    const StreamId stream = command.stream;
    switch (command.kind) {
        case Command::Kind::write:
            return write(command, piece_of(command, is_repeated));
        case Command::Kind::consume:
            return inner_.consume(id, stream, static_cast<std::size_t>(command.number));
        case Command::Kind::send_datagram:
            return void(inner_.send_datagram(id, std::move(command.bytes)));
        case Command::Kind::note_login:
            if constexpr (requires(Inner & i) { i.note_login(id); }) inner_.note_login(id);
            return;
        case Command::Kind::close:
            return inner_.close(id, static_cast<Errc>(command.number),
                                as_text(command.bytes.view()));
        case Command::Kind::reset:
            inner_.reset_stream(id, stream, command.number);
            break;
        case Command::Kind::measure:
            break;
    }
    questions_.push_back({{command.connection, stream, command.number, command.written, 0, 0,
                           command.kind == Command::Kind::reset}});
}

template <quicchat::Transport Inner>
void Carrier<Inner>::write(Command& command, Bytes bytes) {
    written_ += bytes.size();
    const Result<Backlog> backlog = inner_.write(place_.inner(command.connection), command.stream,
                                                 std::move(bytes), command.fin);
    if (!command.measures) return;
    // Where the chat, which hears late of what was sent, counted more than there was.
    const bool full = command.full && backlog && backlog->bytes < backlog_max_;
    questions_.push_back(
        {{command.connection, command.stream, command.number, command.written}, full});
}

/// What many are sent has one count of owners among all of them. Within the shard it is another
/// one, so that threads do not fight for it.
template <quicchat::Transport Inner>
Bytes Carrier<Inner>::piece_of(Command& command, bool is_repeated) {
    if (!command.same) {
        if (!is_repeated) return std::move(command.bytes);
        piece_ = command.bytes.detached();
    }
    return is_repeated ? piece_ : std::exchange(piece_, {});
}

template <quicchat::Transport Inner>
void Carrier<Inner>::collect() {
    while (std::optional<TransportEvent> event = inner_.poll_event()) {
        std::visit([this](auto& e) { this->tell(std::move(e)); }, *event);
    }
}

template <quicchat::Transport Inner>
template <class Event>
void Carrier<Inner>::tell(Event event) {
    const ConnectionId id = event.connection;
    event.connection = place_.outer(id);
    if constexpr (std::is_same_v<Event, DatagramReceived>) {
        if (++datagrams_ > datagrams_waiting_max) return;
    }
    if constexpr (std::is_same_v<Event, Connected>) {
        news_.emplace_back(Opened{std::move(event), inner_.channel_binding(id)});
    } else {
        news_.emplace_back(std::move(event));
    }
}

template <quicchat::Transport Inner>
void Carrier<Inner>::settle() {
    for (auto& [measured, full] : questions_) {
        const ConnectionId id = place_.inner(measured.connection);
        measured.backlog = inner_.backlog(id, measured.stream).bytes;
        measured.unacknowledged = inner_.unacknowledged(id);
        news_.emplace_back(measured);
        if (full) news_.emplace_back(Writable{measured.connection, measured.stream});
    }
    questions_.clear();
    const std::uint64_t held = inner_.unacknowledged();
    link_->post_news(news_, written_ - std::min(written_, held), says_farewell());
}

}  // namespace quicchat::shards
