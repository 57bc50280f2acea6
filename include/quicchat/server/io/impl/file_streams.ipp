#pragma once

#include "quicchat/server/io/file_streams.hpp"

namespace quicchat {

template <Transport T>
Errc FileStreams<T>::offer(const Caller& caller, StreamId stream, wire::FileOffer m,
                           TimePoint now) {
    return uploads_.offer(caller, stream, std::move(m), now);
}

template <Transport T>
Errc FileStreams<T>::data(ConnectionId id, StreamId stream, wire::FileData m, TimePoint now) {
    return uploads_.data(id, stream, std::move(m), now);
}

template <Transport T>
Errc FileStreams<T>::open(const Caller& caller, StreamId stream, const wire::FileRequest& m) {
    return downloads_.open(caller, stream, m);
}

template <Transport T>
void FileStreams<T>::abandon(ConnectionId id, StreamId stream) {
    uploads_.abandon(id, stream);
    downloads_.close(id, stream);
}

template <Transport T>
void FileStreams<T>::abandon(ConnectionId id) {
    uploads_.abandon(id);
    downloads_.close(id);
}

template <Transport T>
Errc FileStreams<T>::settle(TimePoint now, bool& moved) {
    bool again = true;
    while (std::exchange(again, false)) {
        // First: a file that is announced must not be counted among the begun ones as well, when
        // somebody else's is judged.
        while (const auto key = hub_->files().poll_announced()) uploads_.handle_announced(*key);
        while (auto outcome = hub_->poll_file_outcome()) uploads_.handle(*std::move(outcome));
        while (const auto done = files_->poll_done()) {
            if (done->error == Errc::storage_failed) return done->error;
            if (!uploads_.handle(*done, now) && !downloads_.handle(*done)) program_.handle(*done);
            again = true;
        }
        const bool asked = uploads_.step();
        moved |= asked;
    }
    while (const auto key = hub_->files().poll_unwanted()) files_->remove(*key);
    while (std::optional<UploadFrame> frame = uploads_.poll_frame()) say(*std::move(frame));
    program_.settle();
    return Errc{};
}

template <Transport T>
void FileStreams<T>::send(TimePoint now) {
    const auto write = [&](ConnectionId id, StreamId stream, Bytes frame) {
        return peers_->write(id, stream, std::move(frame));
    };
    const auto may_read_on = [&](ConnectionId id, StreamId stream) {
        return unsent_->has_room(id, stream);
    };
    downloads_.send(now, may_read_on, write, [&](ConnectionId id, StreamId stream) {
        (void)peers_->transport().write(id, stream, {}, true);
    });
}

template <Transport T>
void FileStreams<T>::resume(const Writable& writable) {
    downloads_.handle_writable(writable.connection, writable.stream);
}

template <Transport T>
std::optional<std::pair<ConnectionId, StreamId>> FileStreams<T>::poll_freed() {
    while (auto freed = uploads_.poll_freed()) {
        if (freed->first != program_connection) return freed;
        program_.handle_freed(freed->second);
    }
    return std::nullopt;
}

template <Transport T>
void FileStreams<T>::handle_timeout(TimePoint now) {
    uploads_.handle_timeout(now);
    downloads_.handle_timeout(now);
}

template <Transport T>
std::optional<TimePoint> FileStreams<T>::next_deadline() const {
    return earlier(uploads_.next_deadline(), downloads_.next_deadline());
}

template <Transport T>
void FileStreams<T>::say(UploadFrame out) {
    if (out.last) {
        Queue<Bytes> frames;
        if (!out.frame.empty()) frames.push_back(std::move(out.frame));
        peers_->end_stream(out.connection, out.stream, std::move(frames));
    } else {
        (void)peers_->transport().write(out.connection, out.stream, std::move(out.frame), false);
    }
}

}  // namespace quicchat
