#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/server/files/partial_uploads.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/rate_limits.hpp"
#include "quicchat/server/place.hpp"

namespace quicchat {

/// Something for the stream of an upload, and whether it is the last.
struct UploadFrame {
    /// What to write where. It may be empty if it is the last.
    /// @{
    ConnectionId connection{};
    StreamId stream{};
    Bytes frame{};
    /// @}

    bool last = false;  ///< The stream ends behind it.
};

/// What becomes of a file that the server's program sends.
struct ProgramUpload {
    StreamId stream{};  ///< The number of the upload.
    /// Its bytes are wanted from that offset on; it is stored; or why it is over.
    std::variant<std::uint64_t, wire::Ack, Errc> what{};
};

/// Takes in files for rooms (PROTOCOL.md §6.16): whether they may come, their bytes, and the record
/// that announces them, which is stored only when the file is.
///
/// The server's program sends files as well, on streams of `program_connection` that are none:
/// rates do not count there, the program is not asked about its own, and what was begun is removed
/// when it comes to nothing.
class Uploads {
public:
    /// What it is given outlives it.
    Uploads(FileStore& files, Hub& hub, RateLimits& rates, const Limits& limits);

    /// A stream begins with an offer. An error is the answer to it.
    Errc offer(const Caller& caller, StreamId stream, wire::FileOffer m, TimePoint now);

    /// The next bytes of a file. An error closes the connection.
    Errc data(ConnectionId connection, StreamId stream, wire::FileData m, TimePoint now);

    /// True while so much waits to be written that no more should be read, and while its account
    /// has sent more than it may.
    bool is_busy(ConnectionId connection, StreamId stream) const;

    /// The client has sent all that it will send.
    void finish(ConnectionId connection, StreamId stream);

    /// The stream or its connection is gone. What is stored already is announced all the same: the
    /// client will ask for it again. False: it is one of the program's, whose record is on its way
    /// to the log. It goes on, and `poll_program` tells what became of it.
    bool abandon(ConnectionId connection, StreamId stream);
    /// The same for all streams of a connection.
    void abandon(ConnectionId connection);

    /// Goes on with what had to wait for others. True if something was asked of the log or the
    /// files.
    bool step();

    /// The store of files has answered one of our requests. False: it was not ours.
    bool handle(const FileDone& done, TimePoint now);

    /// The log has answered: it has the record already, or has it now, or refuses it. Or the
    /// server's program has.
    void handle(FileOutcome outcome);

    /// A record announces the file of that key, also if nobody waits for it any more.
    void handle_announced(const std::string& key) { partial_.erase(key); }

    /// Drops what was begun and never finished, and offers whose bytes do not come.
    void handle_timeout(TimePoint now);
    /// When `handle_timeout` is to be called.
    std::optional<TimePoint> next_deadline() const;

    /// The oldest one; nothing: there is none.
    /// @{
    std::optional<UploadFrame> poll_frame();
    std::optional<ProgramUpload> poll_program();
    /// @}

    /// A stream that was busy and is not any more: read on.
    std::optional<std::pair<ConnectionId, StreamId>> poll_freed();

    /// Files that are being taken in.
    std::size_t size() const { return uploads_.size(); }

private:
    /// In this order, `judging` and `announcing` when nobody's role in the room is being changed.
    enum class Stage : std::uint8_t {
        judging,     ///< May it come?
        looking,     ///< Is it there already?
        checking,    ///< What does the server's program say of its name?
        opening,     ///< How much of it is there?
        receiving,   ///< Its bytes come.
        finishing,   ///< Are they the right ones? Make them safe.
        announcing,  ///< May it still come?
        storing,     ///< The record is on its way to the log.
    };

    struct Upload {
        std::string user;
        std::string room;  ///< The key of its log.
        RequestId request = 0;
        std::uint64_t size = 0;
        Buffer digest;
        Record record;
        std::string key{};
        Stage stage = Stage::judging;
        std::uint64_t received = 0;  ///< Bytes from the beginning.
        std::size_t unwritten = 0;   ///< Of them, what the store has not answered.
        bool ended = false;          ///< The client has sent all.
        TimePoint touched{};
    };
    using Map = std::map<Place, Upload>;

    FileToken begin_request(const Place& place);

    /// The store has said how much of a file is there.
    void handle_opened(const Place& place, Upload& upload, const FileDone& done);

    bool look_up(const Place& place, Upload& upload);

    /// Whether so many bytes more than are kept for the upload fit; so many of them may be there
    /// already.
    bool has_space(const Upload& upload, std::uint64_t bytes, std::uint64_t there = 0) const;

    void open(const Place& place, Upload& upload);

    /// All bytes have come, or more are wanted.
    void go_on(const Place& place, Upload& upload);

    bool announce(const Place& place);

    void refuse(const Place& place, Errc errc, std::string_view reason = {});

    static bool is_programs(const Place& place) { return place.first == program_connection; }

    /// What was begun is removed, unless a record may announce it already.
    void clear(const Upload& upload);

    void say(const Place& place, Bytes frame, bool last);

    Map::iterator drop(Map::iterator upload);

    Map::iterator forget(Map::iterator upload);

    /// A client that lost its connection may be back before we noticed.
    void replace_older(const std::string& key);

    static Record make_announcement(wire::FileOffer m, const Caller& caller);

    FileStore* files_;
    Hub* hub_;
    RateLimits* rates_;
    const Limits* limits_;
    /// How often those that are under way are looked at.
    static constexpr Duration look_period = std::chrono::seconds{10};

    Map uploads_;
    DeadlineQueue<Place> paused_;          ///< Those that wait for their account's rate.
    std::set<Place> to_step_;              ///< Those that `step` may bring further.
    std::map<std::string, Place> places_;  ///< By key.
    std::optional<TimePoint> next_look_;
    PartialUploads partial_;
    std::map<FileToken, Place> asked_;
    std::map<FileToken, std::size_t> writes_;  ///< Bytes of each write under way.
    FileToken newest_ = 0;
    std::deque<UploadFrame> frames_;
    std::deque<ProgramUpload> program_;
    std::deque<Place> freed_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/files/impl/uploads.ipp"
#endif
