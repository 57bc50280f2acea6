#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/files/uploads.hpp"
#include "quicchat/server/hub.hpp"

namespace quicchat {

/// The bytes of a file that the server's program sends are wanted from there on.
struct ProgramFileWanted {
    std::uint64_t offset = 0;  ///< From the first byte of the file.
};

/// What became of something that the server's program asked about files.
struct ProgramFileOutcome {
    std::uint64_t ticket = 0;  ///< As it was given with the request; never 0.
    /// What went wrong; where the record is; what is to be given next; or the piece that was read.
    std::variant<Errc, wire::Ack, ProgramFileWanted, Bytes> what{};
};

/// Sends and fetches files for the server's program: in the name of an account, or in its own; the
/// roles of that name count. What it sends is stored as what people send is, and counts for the
/// limits of rooms, accounts and the store; the rates of accounts do not count.
class ProgramFiles {
public:
    /// Files that may be sent at once, and pieces that may be fetched; above it `queue_full`.
    static constexpr std::size_t transfers_max = 16;
    /// Bytes of a piece that is given.
    static constexpr std::size_t piece_bytes_max = 256 * 1024;

    /// What it is given outlives it.
    ProgramFiles(FileStore& files, Hub& hub, Uploads& uploads, const Limits& limits)
        : files_(&files), hub_(&hub), uploads_(&uploads), limits_(&limits) {}

    // `Errc{}`: an outcome with that ticket follows, which is not 0. An error: none does. Then call
    // `Server::process`.

    /// Begins to send a file for `author`; the ticket is the number of this transfer. What follows
    /// says from where on its bytes are wanted, or that the same record is stored already.
    Errc begin(std::uint64_t ticket, const std::string& author, wire::FileOffer offer,
               TimePoint now);

    /// The next bytes of a file: once there is room for more, what follows says where those begin.
    /// One at a time for each transfer.
    Errc give(std::uint64_t ticket, std::uint64_t transfer, Buffer bytes, TimePoint now);

    /// All bytes were given. What follows is the Ack of the record: the file is safe then, and
    /// everybody gets to know of it.
    Errc finish(std::uint64_t ticket, std::uint64_t transfer);

    /// Nobody wants to send that file any more. Nothing is left of it, unless its record is on its
    /// way to the log.
    void abandon(std::uint64_t transfer);

    /// Fetches a piece of a file, for somebody who may read the room, or for the program
    /// (`reader` is empty): from one of its bytes on, `count` at most, perhaps fewer. `file`: as
    /// `RoomAdmin::file` gave it. `no_such_file`: it is another one by now.
    Errc read(std::uint64_t ticket, std::string_view reader, const std::string& room,
              std::pair<Epoch, Offset> file, std::uint64_t from, std::size_t count);

    /// The oldest one; nothing: there is none.
    std::optional<ProgramFileOutcome> poll_outcome() { return pop_front(outcomes_); }

    /// The server ends: what is being sent is abandoned, and nothing more is taken. A record that
    /// is on its way to the log goes on: its outcome follows.
    void end();

    /// Takes in what became of uploads.
    void settle();

    /// An upload was busy, and is not any more.
    void handle_freed(StreamId stream);

    /// The store of files has answered one of our requests. False: it was not ours.
    bool handle(const FileDone& done);

private:
    struct Transfer {
        std::uint64_t waiting = 0;  ///< The ticket of what has no outcome yet; 0: nothing.
        bool gives = false;         ///< It is of `give`.
        std::uint64_t next = 0;     ///< Bytes that were given.
    };

    /// Why a transfer is over that nobody asked about since.
    static constexpr std::size_t ended_max = 64;

    Errc end_of(std::uint64_t transfer);

    /// If there is room for more.
    void go_on(std::uint64_t number, Transfer& transfer);

    static StreamId stream_of(std::uint64_t transfer) { return StreamId{transfer}; }

    FileStore* files_;
    Hub* hub_;
    Uploads* uploads_;
    const Limits* limits_;
    std::map<std::uint64_t, Transfer> transfers_;
    std::deque<std::pair<std::uint64_t, Errc>> ended_;
    std::map<FileToken, std::uint64_t> reads_;  ///< Tickets.
    FileToken newest_ = FileToken{1} << 63;     ///< Uploads and Downloads have those below.
    Queue<ProgramFileOutcome> outcomes_;
    bool ending_ = false;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/files/impl/program_files.ipp"
#endif
