#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "input.hpp"
#include "quicchat/memory/network.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/frame_assembler.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// One of those who do anything to the server, on any streams.
class Stranger {
public:
    explicit Stranger(memory::Network& network) : network_(network) {}

    void connect() {
        if (transport_) return;
        // Small windows: who does not read holds the server up soon.
        transport_.emplace(network_.dial(
            "chat", {.stream_receive_window = 600, .connection_receive_window = 4000}));
        connection_ = transport_->connect(network_.now()).value();
    }
    void vanish() {
        transport_.reset();
        streams_.clear();
        assemblers_.clear();
    }
    void close() {
        if (transport_) transport_->close(connection_, Errc::closed, "\x1b");
    }
    void open_stream() {
        if (!transport_ || streams_.size() > 20) return;
        if (const auto stream = transport_->open_stream(connection_)) streams_.push_back(*stream);
    }
    void write(std::size_t stream, BytesView bytes, bool fin) {
        if (!transport_ || stream >= streams_.size()) return;
        (void)transport_->write(connection_, streams_[stream], Bytes::copy_of(bytes), fin);
    }
    void log_in(std::uint8_t number) {
        if (streams_.empty()) open_stream();
        write(0, encode(wire::Hello{0, 0, {}, "{}"}), false);
        const std::array name{static_cast<std::byte>('a' + number % 3)};
        DeviceId device;
        device.bytes.fill(static_cast<std::byte>(number / 3));
        write(0, encode(wire::LoginBegin{"NAME-ONLY", device, Buffer(name.begin(), name.end())}),
              false);
    }
    /// Something that a client may ask, on one of the streams or the next one. Bytes at random
    /// seldom get so far.
    void ask(std::size_t stream, std::uint8_t what, std::uint8_t detail) {
        if (stream >= streams_.size()) {
            stream = streams_.size();
            open_stream();
        }
        const bool fin = what >= 128;
        const std::string room = detail % 4 == 3 ? "#den" : "#lobby";
        const RequestId request = ++asked_;
        switch (what % 16) {
            case 0:
            case 1:
                return send(stream, fin, wire::Join{request, room, Position::last(detail % 8)});
            case 2:
                return send(stream, fin, wire::Publish{request, id(detail), "text @a", "{}", {}});
            case 3:
                return send(stream, fin,
                            wire::Publish{request, id(detail), "w", "{}", act(detail)});
            case 4:
            case 5:
                return send(stream, fin, offer(request, room, detail));
            case 6:
                return send(stream, fin, wire::FileData{content(detail)});
            case 7:
                return send(stream, fin, wire::FileRequest{request, room, detail / 4u, 0});
            case 8:
                return send(stream, fin, wire::Tell{request, id(detail), "witness", "hi", "{}"});
            case 9:
                return send(stream, fin, wire::Tell{request, id(detail), "a", "hi", "{}"});
            case 10:
                return send(stream, fin,
                            wire::CreateRoom{request, id(detail), "#den",
                                             static_cast<RoomAccess>(detail % 4), "topic"});
            case 11:
                return send(stream, fin, wire::HistoryRequest{request, room, 8, detail, 3});
            case 12:
                return send(stream, fin, wire::SearchRequest{request, room, "te", 0, detail});
            case 13:
                return send(stream, fin, wire::MembersRequest{request, ""});
            case 14:
                return send(stream, fin, wire::SetProfile{request, detail % 2 == 0 ? "Ada" : ""});
            default:
                return send(stream, fin, wire::RoomsRequest{request, ""});
        }
    }
    void reset(std::size_t stream) {
        if (!transport_ || stream >= streams_.size()) return;
        transport_->reset_stream(connection_, streams_[stream], 1);
    }
    void send_datagram(BytesView bytes) {
        if (transport_) (void)transport_->send_datagram(connection_, Bytes::copy_of(bytes));
    }
    void read_or_not() { reads_ = !reads_; }

    /// Whatever the server says can be understood.
    void read() {
        while (transport_ && reads_) {
            const std::optional<TransportEvent> event = transport_->poll_event();
            if (!event) return;
            if (const auto* data = std::get_if<StreamData>(&*event)) {
                FrameAssembler& assembler =
                    assemblers_.try_emplace(data->stream, FrameAssembler{64 * 1024}).first->second;
                assembler.push(data->bytes.view());
                while (const std::optional<FrameView> frame = assembler.next().value()) {
                    must(decode(*frame).has_value());
                }
                transport_->consume(connection_, data->stream, data->bytes.size());
            } else if (std::holds_alternative<Disconnected>(*event)) {
                vanish();
            }
        }
    }

private:
    void send(std::size_t stream, bool fin, const auto& m) { write(stream, encode(m), fin); }

    static MessageId id(std::uint8_t number) {
        MessageId id;
        id.bytes.fill(static_cast<std::byte>(number));
        return id;
    }

    static Act act(std::uint8_t detail) {
        return {.kind = static_cast<Act::Kind>(1 + detail % 7),
                .target = detail / 8u % 8,
                .subject = detail % 7 == 5 ? "a" : "",
                .value = detail / 64u};
    }

    /// Of what `content` of the same detail gives, or of three times as much.
    static wire::FileOffer offer(RequestId request, const std::string& room, std::uint8_t detail) {
        const Buffer bytes = content(detail);
        const Digest digest = ReferenceCrypto::sha256(bytes);
        return {request,
                id(detail),
                room,
                "f.bin",
                bytes.size() * (detail / 8 % 2 == 0 ? 1 : 3),
                Buffer(digest.begin(), digest.end()),
                "{}",
                0};
    }
    static Buffer content(std::uint8_t detail) {
        return Buffer(1 + detail % 4u * 700, static_cast<std::byte>(detail));
    }

    memory::Network& network_;
    std::optional<memory::Transport> transport_;
    ConnectionId connection_{};
    std::vector<StreamId> streams_;
    std::map<StreamId, FrameAssembler> assemblers_;
    RequestId asked_ = 0;
    bool reads_ = true;
};

}  // namespace quicchat::test
