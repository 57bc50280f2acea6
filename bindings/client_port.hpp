#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mailbox.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/session/event.hpp"
#include "stats.hpp"

namespace quicchat::python {

/// The number that Python gives a request, so that it recognises the answer. 0: no request.
using Ticket = std::uint64_t;

struct JoinCommand {
    std::string room;
    Position position;
};
struct LeaveCommand {
    std::string room;
};
struct PublishCommand {
    std::string room;
    std::string text;
    std::string attributes;
    std::optional<MessageId> id;
    Act act;
};
struct TellCommand {
    std::string user;
    std::string text;
    std::string attributes;
    std::optional<MessageId> id;
};
struct CreateCommand {
    std::string room;
    RoomAccess access;
    std::string topic;
    std::optional<MessageId> id;
};
struct RoomsCommand {
    std::string after;
};
struct HistoryCommand {
    std::string room;
    Offset offset;
    std::size_t before;
    std::size_t after;
};
struct SearchCommand {
    std::string room;
    std::string words;
    Offset before;
    std::size_t count;
};
struct MembersCommand {
    std::string room;
    std::string after;
};
struct ProfileCommand {
    std::string display;
};
struct MarkCommand {
    std::string room;
    Offset offset;
    bool shared;
};
struct SendFileCommand {
    std::string room;
    FileToSend file;
    std::optional<MessageId> id;
};
struct GiveFileCommand {
    std::uint64_t offset;
    std::string bytes;
};
struct FetchFileCommand {
    std::string room;
    Offset offset;
    std::uint64_t from;
};
struct CancelFileCommand {};
struct UseFileBytesCommand {
    std::size_t count;
};
struct TypingCommand {
    std::string room;
};
struct CloseCommand {};

/// What the client says of itself.
struct StatsCommand {
    Promised<ClientStats> answer;
};

using ClientAction =
    std::variant<JoinCommand, LeaveCommand, PublishCommand, TellCommand, CreateCommand,
                 RoomsCommand, HistoryCommand, SearchCommand, MembersCommand, ProfileCommand,
                 MarkCommand, TypingCommand, CloseCommand, SendFileCommand, GiveFileCommand,
                 FetchFileCommand, CancelFileCommand, UseFileBytesCommand, StatsCommand>;

struct ClientCommand {
    Ticket ticket = 0;
    ClientAction action;
};

/// An event of the client with the ticket that it answers, the Errc of a request that was refused
/// on this side already, or what is wrong with the file that keeps what is unsent.
struct ClientMail {
    Ticket ticket = 0;
    std::variant<ClientEvent, Errc, StorageTrouble> what;
};

/// What Python and the engine thread share about one client. Thread-safe. Both directions are
/// bounded: commands by `post`, events by the mailbox.
class ClientPort {
public:
    /// Commands that may wait for the engine. It takes them in microseconds; nobody types
    /// that fast, and a loop that does is told `queue_full`.
    static constexpr std::size_t commands_max = 4096;
    static constexpr std::size_t command_bytes_max = 4 * 1024 * 1024;

    ClientPort(std::size_t events_max, std::size_t bytes_max) : inbox(events_max, bytes_max) {}

    /// Of the newest login token that is in the state file; 0: none.
    std::atomic<std::uint64_t> token_generation{0};

    /// What became of a command that was handed over. `first`: the engine must be woken, which may
    /// be done a little later. Of the end it is said always: nobody may be left who does it then.
    enum class Posted { first, waiting, full };

    Posted post(ClientCommand command, std::size_t bytes) {
        const std::lock_guard lock{mutex_};
        if (ended_) return Posted::waiting;  // nobody takes it
        auto* const used = std::get_if<UseFileBytesCommand>(&command.action);
        auto* const before = commands_.empty() || used == nullptr
                                 ? nullptr
                                 : std::get_if<UseFileBytesCommand>(&commands_.back().action);
        if (before != nullptr) {
            before->count += used->count;
            return Posted::waiting;
        }
        const bool closing = std::holds_alternative<CloseCommand>(command.action);
        const bool must = closing || used != nullptr;
        if (!must && (commands_.size() >= commands_max || bytes_ + bytes > command_bytes_max)) {
            return Posted::full;
        }
        commands_.push_back(std::move(command));
        bytes_ += bytes;
        return closing || commands_.size() == 1 ? Posted::first : Posted::waiting;
    }

    std::vector<ClientCommand> take_commands() {
        const std::lock_guard lock{mutex_};
        bytes_ = 0;
        return std::exchange(commands_, {});
    }

    /// The client has ended: who waits for an answer to a command is told so.
    void end() {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        commands_.clear();
    }

    Mailbox<ClientMail> inbox;

private:
    std::mutex mutex_;
    std::vector<ClientCommand> commands_;
    std::size_t bytes_ = 0;
    bool ended_ = false;
};

/// What an event costs in memory, roughly.
inline std::size_t size_of(const ClientEvent& event) {
    static constexpr std::size_t fixed = 256;
    const auto texts = [](const auto& e) { return fixed + e.text.size() + e.attributes.size(); };
    const auto records = [&](const auto& page) {
        std::size_t bytes = fixed;
        for (const RoomRecord& record : page.records) bytes += std::visit(texts, record);
        return bytes;
    };
    return match(
        event, [&](const RoomMessage& e) { return texts(e); },
        [&](const RoomAct& e) { return texts(e); },
        [&](const PrivateMessage& e) { return texts(e); },
        [&](const HistoryPage& e) { return records(e); },
        [&](const SearchPage& e) { return records(e); },
        [](const FileChunk& e) { return fixed + e.bytes.size(); },
        [](const MemberList& e) { return fixed + 128 * e.people.size(); },
        [](const RoomList& e) { return fixed + (fixed + topic_bytes_max) * e.rooms.size(); },
        [](const auto&) { return fixed; });
}

}  // namespace quicchat::python
