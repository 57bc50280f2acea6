#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory/transport.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/frame_assembler.hpp"
#include "support/literals.hpp"

namespace quicchat::test {

/// A client that follows no protocol: it sends the bytes it is told to, and reads frames one by
/// one. `run` lets the rest of the world go on until nothing happens any more.
class ScriptedPeer {
public:
    ScriptedPeer(memory::Transport transport, std::function<void()> run, TimePoint now)
        : transport_(std::move(transport)), run_(std::move(run)) {
        connection_ = *transport_.connect(now);
        run_();
        collect();
        REQUIRE(connected_);
    }

    StreamId open_stream() {
        const Result<StreamId> stream = transport_.open_stream(connection_);
        REQUIRE(stream);
        return *stream;
    }

    void send(StreamId stream, std::string_view bytes_in_hex, bool fin = false) {
        send_bytes(stream, hex_bytes(bytes_in_hex), fin);
    }
    template <class M>
    requires requires { M::type; }
    void send(StreamId stream, const M& message) {
        send_bytes(stream, Bytes{encode(message)}, false);
    }
    void send_bytes(StreamId stream, Bytes bytes, bool fin) {
        (void)transport_.write(connection_, stream, std::move(bytes), fin);
        run_();
        collect();
    }
    void reset(StreamId stream) {
        transport_.reset_stream(connection_, stream, 0);
        run_();
        collect();
    }

    /// Hello and the login, by name. Returns the control stream.
    StreamId log_in(std::string_view user) {
        const StreamId control = open_stream();
        send(control, wire::Hello{0, 0, {}, "{}"});
        (void)expect<wire::Welcome>(control);
        const BytesView name = as_bytes(user);
        send(control, wire::LoginBegin{"NAME-ONLY", {}, Buffer(name.begin(), name.end())});
        (void)expect<wire::LoginDone>(control);
        return control;
    }
    /// Joins a room from now on. Returns its stream.
    StreamId join(std::string room) {
        const StreamId stream = open_stream();
        send(stream, wire::Join{1, std::move(room), {}});
        (void)expect<wire::Joined>(stream);
        return stream;
    }

    /// The next frame of a stream, or nothing.
    std::optional<Message> next_frame(StreamId stream) {
        run_();
        collect();
        const auto found = streams_.find(stream);
        if (found == streams_.end()) return std::nullopt;
        const Result<std::optional<FrameView>> frame = found->second.next();
        REQUIRE(frame);
        if (!*frame) return std::nullopt;
        Result<Message> message = decode(**frame);
        REQUIRE(message);
        return *std::move(message);
    }
    /// The next frame of a stream, which must be an `M`.
    template <class M>
    M expect(StreamId stream) {
        std::optional<Message> message = next_frame(stream);
        REQUIRE(message);
        REQUIRE(std::holds_alternative<M>(*message));
        return std::get<M>(*std::move(message));
    }

    /// True if the server finished or reset the stream.
    bool is_over(StreamId stream) const { return over_.count(stream) != 0; }
    /// Why the connection ended; nothing while it lives.
    const std::optional<CloseReason>& closed() const { return closed_; }

    /// No longer takes anything in, so that credit runs out.
    void stop_reading() { reading_ = false; }
    void start_reading() {
        reading_ = true;
        collect();
        run_();
        collect();
    }

    memory::Transport& transport() { return transport_; }
    ConnectionId connection() const { return connection_; }

private:
    void collect() {
        if (!reading_) return;
        while (std::optional<TransportEvent> event = transport_.poll_event()) {
            if (std::holds_alternative<Connected>(*event)) connected_ = true;
            if (auto* data = std::get_if<StreamData>(&*event)) {
                streams_.try_emplace(data->stream, FrameAssembler{64 * 1024})
                    .first->second.push(data->bytes.view());
                transport_.consume(connection_, data->stream, data->bytes.size());
                if (data->fin) over_[data->stream] = true;
            }
            if (auto* reset = std::get_if<StreamReset>(&*event)) over_[reset->stream] = true;
            if (auto* gone = std::get_if<Disconnected>(&*event)) closed_ = gone->reason;
        }
    }

    memory::Transport transport_;
    std::function<void()> run_;
    ConnectionId connection_{};
    bool connected_ = false;
    bool reading_ = true;
    std::map<StreamId, FrameAssembler> streams_;
    std::map<StreamId, bool> over_;
    std::optional<CloseReason> closed_;
};

}  // namespace quicchat::test
