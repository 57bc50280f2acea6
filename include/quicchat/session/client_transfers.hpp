#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/session/client_output.hpp"
#include "quicchat/session/client_status.hpp"
#include "quicchat/session/outbox.hpp"

namespace quicchat {

/// The files that an application sends and fetches, over all connections: each goes on where it was
/// when the connection is back (PROTOCOL.md §6.16). It keeps no bytes of them.
class ClientTransfers {
public:
    /// What it is given outlives it.
    ClientTransfers(const Limits& limits, const ClientStatus& status, Outbox& outbox,
                    ClientOutput& output);

    /// Sends a file into a room, joined or not. FileWanted asks for its bytes as they are needed:
    /// answer each with `give_file`. Acked or Refused follows. The same id, device, size and digest
    /// go on with what an earlier run of the program has sent.
    Result<RequestId> send_file(std::string_view room, const MessageId& id, FileToSend file);

    /// The bytes that FileWanted has asked for: at most so many, from that offset on, at least one.
    /// `not_ready` if they are not wanted any more: FileWanted will ask anew.
    Errc give_file(RequestId request, std::uint64_t offset, BytesView bytes);

    /// Asks for more of the files whose streams take more. To be called when what there was to
    /// write is written.
    void want_more();

    /// Fetches the file that the record at `offset` of a room announces, from its byte `from` on.
    /// FileBegun, then FileChunk for all of it and FileFetched follow, or Refused, also in between.
    /// Compare the SHA-256: nobody else does.
    Result<RequestId> fetch_file(std::string_view room, Offset offset, std::uint64_t from = 0);

    /// Ends a transfer. No event follows that is not there yet. What a server has of a file stays
    /// with it for some hours.
    void cancel_file(RequestId request);

    // What there is to do.

    /// True if a transfer waits for a stream of its own. Open one and call `begin_transfer_on`.
    bool wants_transfer() const { return status_->ready && next_waiting() != nullptr; }

    /// Only if `wants_transfer`.
    void begin_transfer_on(StreamId stream);

    /// A stream that nothing more is wanted of: reset it.
    std::optional<StreamId> poll_reset();

    /// So much waits to be sent on a stream that no more should be written, or not any more.
    void handle_backlog(StreamId stream, bool full);

    /// True for the streams on which files come: their sender gets credit for what the application
    /// has taken.
    bool is_download(StreamId stream);
    /// Bytes of files that came in and were not taken by the application.
    std::size_t unread_bytes() const { return unread_bytes_; }

    /// The application has that: there is room for more of its file, unless `hold_bytes` was
    /// called.
    void handle_taken(const ClientEvent& event);

    /// From now on the bytes of a FileChunk are unread until `release_bytes` says otherwise: for
    /// applications whose disk may be slower than the network.
    void hold_bytes() { holds_bytes_ = true; }
    /// So many of them were taken. More than are unread count as all.
    void release_bytes(std::size_t bytes);

    /// Transfers that have no answer.
    std::size_t size() const { return transfers_.size(); }

    /// True if the server has begun with a transfer, and it is its turn to go on.
    bool waits_for_server() const;

    /// What is said of a transfer that has no answer yet.
    std::optional<NoAnswerYet> describe(RequestId request) const;

    // What comes on the streams of transfers.

    /// Whether a transfer has that stream, or had it and is over.
    bool is_transfer(StreamId stream) const { return by_stream_.count(stream) != 0; }

    /// A frame on such a stream. An error is the end of the connection.
    Errc handle_frame(StreamId stream, Message message);

    /// The server says nothing more on the stream of a transfer.
    Errc handle_stream_end(StreamId stream, bool at_boundary);

    /// The connection is gone: transfers wait for the next one.
    void handle_disconnected();

private:
    struct Transfer {
        bool sends = false;
        std::string room;
        MessageId id{};
        FileToSend file{};  ///< Of what is fetched: as the server says it is.
        Offset record = 0;  ///< Of what is fetched.
        std::optional<StreamId> stream{};
        std::uint64_t next = 0;      ///< The byte to be given, or to come, next.
        bool known = false;          ///< What is fetched was described.
        bool ready = false;          ///< Bytes may travel on this connection.
        bool asked = false;          ///< FileWanted has no answer.
        bool full = false;           ///< The stream takes nothing just now.
        bool ended = false;          ///< All has been sent on this connection.
        AnswerWatch::Wait wait = 0;  ///< For the first answer, or the last.
    };
    using Map = std::map<RequestId, Transfer>;

    Result<RequestId> add(Transfer transfer);

    const Map::value_type* next_waiting() const;

    Transfer* find_transfer(StreamId stream);

    std::size_t wanted_by(const Transfer& t) const;

    /// Asks for the next bytes of a file, or says that these were all.
    void want(RequestId request, Transfer& t);

    Errc on_ready(RequestId request, Transfer& t, const wire::FileReady& m);

    Errc on_stored(RequestId request, Transfer& t, const wire::Ack& m);

    Errc on_head(RequestId request, Transfer& t, wire::FileHead m);

    Errc on_data(RequestId request, Transfer& t, wire::FileData m);

    Errc on_refused(RequestId request, Transfer& t, wire::Error m);

    /// A transfer has its answer: the rest of its stream is of no use.
    void finish(RequestId request, Transfer& t);

    Limits limits_;
    const ClientStatus* status_;
    Outbox* outbox_;  ///< Draws the numbers, and knows what waits.
    ClientOutput* output_;
    Map transfers_;
    std::map<StreamId, RequestId> by_stream_;  ///< 0: it has its answer.
    std::deque<StreamId> resets_;
    std::size_t unread_bytes_ = 0;
    bool holds_bytes_ = false;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_transfers.ipp"
#endif
