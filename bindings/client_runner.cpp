#include "client_runner.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "quicchat/base/match.hpp"

namespace quicchat::python {

ClientRunner::ClientRunner(std::unique_ptr<ClientDriver> driver,
                           std::optional<sqlite::ClientStore> store,
                           std::shared_ptr<ClientPort> port)
    : driver_(std::move(driver)),
      store_(std::move(store)),
      client_(driver_->app()),
      port_(std::move(port)) {}

ClientRunner::~ClientRunner() {
    port_->end();
    driver_.reset();
    store_.reset();
    if (offline_) port_->inbox.push({0, *std::move(offline_)}, 256);
}

int ClientRunner::fd() const { return driver_->fd(); }
std::array<int, 2> ClientRunner::wake_fds() const { return driver_->wake_fds(); }
bool ClientRunner::wants_write() const { return driver_->wants_write(); }
std::optional<TimePoint> ClientRunner::next_deadline() const {
    return earlier(driver_->next_deadline(), keep_again_at_);
}

void ClientRunner::turn(Now now) {
    if (!std::exchange(dialled_, true)) dial(now);
    deliver();  // first, so that the turn pays the server for what Python has read
    apply_commands(now);
    keep_state(now);  // a message is kept before it is sent
    drive(now);
    keep_state(now);  // and a token before it is used
    deliver();
}

void ClientRunner::dial(Now now) {
    if (store_) {
        if (store_->token()) port_->token_generation = store_->token()->generation;
        for (const UnsentMessage& message : store_->unsent()) (void)client_.restore(message);
        client_.report_outbox_changes();
    }
    client_.hold_file_bytes();
    client_.connect(now);
}

/// While the disk is full the chat goes on, and says that nothing new outlives the program.
void ClientRunner::keep_state(Now now) {
    if (!store_ || offline_) return;
    while (auto change = client_.poll_outbox_change()) note_change(*std::move(change));
    if (keep_again_at_ && now.steady < *keep_again_at_) return;
    const std::optional<StorageError> error = write_state();
    if (error && !store_->may_pass()) return fail(*error);
    if (error.has_value() != keep_again_at_.has_value()) {
        const StorageError news = error.value_or(StorageError{Errc{}, ""});
        port_->inbox.push({0, StorageTrouble{news.errc, news.text}}, 256);
    }
    constexpr Duration pause = std::chrono::seconds{1};
    keep_again_at_ = error ? std::optional{now.steady + pause} : std::nullopt;
}

/// What was kept only here is forgotten here.
void ClientRunner::note_change(OutboxChange change) {
    const UnsentMessage& m = change.message;
    const auto same = std::ranges::find_if(unkept_, [&](const OutboxChange& c) {
        return c.keep && c.message.id == m.id && c.message.room == m.room && c.message.to == m.to;
    });
    if (change.keep || same == unkept_.end()) {
        unkept_.push_back(std::move(change));
    } else {
        unkept_.erase(same);
    }
}

std::optional<StorageError> ClientRunner::write_state() {
    if (auto error = store_->apply(unkept_)) return error;
    unkept_.clear();
    const DeviceToken* token = client_.login().token();
    const std::uint64_t generation = token ? token->generation : 0;
    if (generation == port_->token_generation) return std::nullopt;
    if (auto error = token ? store_->keep(*token) : store_->forget_token()) return error;
    port_->token_generation = generation;
    return std::nullopt;
}

/// What should outlive the program would not: better no connection than a false promise.
void ClientRunner::fail(const StorageError& error) {
    offline_ = Offline{{.errc = error.errc, .text = error.text}};
    client_.close();
    (void)driver_->turn(read_clock());
}

void ClientRunner::drive(Now now) {
    const std::error_code error = driver_->turn(now);
    if (!error || offline_) return;
    // The socket is of no more use, so the client cannot find out by itself.
    offline_ = Offline{{.errc = Errc::transport_failed, .text = error.message()}};
}

void ClientRunner::abandon(Now now) {
    apply_commands(now);
    keep_again_at_.reset();  // the last chance
    keep_state(now);
    client_.close();
    drive(now);
}

void ClientRunner::apply_commands(Now now) {
    for (ClientCommand& command : port_->take_commands()) apply(std::move(command), now);
}

void ClientRunner::apply(ClientCommand command, Now now) {
    const Ticket ticket = command.ticket;
    match(
        std::move(command.action),
        [&](JoinCommand&& c) { note(ticket, client_.join(c.room, c.position)); },
        [&](LeaveCommand&& c) {
            if (const Errc errc = client_.leave(c.room); errc != Errc{}) note(ticket, errc);
        },
        [&](PublishCommand&& c) {
            note(ticket, client_.publish(c.room, std::move(c.text), std::move(c.attributes), c.id,
                                         std::move(c.act)));
        },
        [&](TellCommand&& c) {
            note(ticket,
                 client_.tell(std::move(c.user), std::move(c.text), std::move(c.attributes), c.id));
        },
        [&](CreateCommand&& c) {
            note(ticket,
                 client_.create_room(std::move(c.room), c.access, std::move(c.topic), c.id));
        },
        [&](RoomsCommand&& c) { note(ticket, client_.request_rooms(std::move(c.after))); },
        [&](HistoryCommand&& c) {
            note(ticket, client_.request_history(c.room, c.offset, c.before, c.after));
        },
        [&](SearchCommand&& c) {
            note(ticket, client_.request_search(c.room, std::move(c.words), c.before, c.count));
        },
        [&](MembersCommand&& c) {
            note(ticket, client_.request_members(c.room, std::move(c.after)));
        },
        [&](ProfileCommand&& c) { note(ticket, client_.set_display_name(std::move(c.display))); },
        [&](MarkCommand&& c) { (void)client_.mark_read(c.room, c.offset, c.shared); },
        [&](SendFileCommand&& c) {
            note_transfer(ticket, client_.send_file(c.room, std::move(c.file), c.id));
        },
        [&](GiveFileCommand&& c) {
            // What is not wanted any more, after a lost connection, will be asked for anew.
            const auto found = transfers_.find(ticket);
            if (found == transfers_.end()) return;
            (void)client_.give_file(found->second, c.offset, as_bytes(c.bytes));
        },
        [&](FetchFileCommand&& c) {
            note_transfer(ticket, client_.fetch_file(c.room, c.offset, c.from));
        },
        [&](CancelFileCommand&&) {
            const auto found = transfers_.extract(ticket);
            if (found.empty()) return;
            client_.cancel_file(found.mapped());
            tickets_.erase(found.mapped());
        },
        [&](UseFileBytesCommand&& c) { client_.release_file_bytes(c.count); },
        [&](TypingCommand&& c) { client_.say_typing(c.room, now.steady); },
        [&](StatsCommand&& c) { c.answer->set_value(client_.stats()); },
        [&](CloseCommand&&) { client_.close(); });
}

void ClientRunner::note(Ticket ticket, Result<RequestId> request) {
    if (request) {
        tickets_.emplace(*request, ticket);
    } else {
        port_->inbox.push({ticket, to_errc(request.error())}, 64);
    }
}

void ClientRunner::note_transfer(Ticket ticket, Result<RequestId> request) {
    if (request) transfers_.emplace(ticket, *request);
    note(ticket, request);
}

/// Hands events over while there is room. What is left stays in the client, which then gives its
/// server no more credit.
void ClientRunner::deliver() {
    while (!offline_ && port_->inbox.has_room()) {
        std::optional<ClientEvent> event = client_.poll_event();
        if (!event) return;
        if (auto* offline = std::get_if<Offline>(&*event)) offline_ = std::move(*offline);
        if (offline_ || std::holds_alternative<TokenRenewed>(*event)) continue;
        const std::size_t bytes = size_of(*event);
        const Ticket ticket = answered(*event);
        port_->inbox.push({ticket, *std::move(event)}, bytes);
    }
}

/// The ticket of the request that an event answers.
Ticket ClientRunner::answered(const ClientEvent& event) {
    const RequestId request = match(
        event, [](const RoomJoined& e) { return e.request; },
        [](const Acked& e) { return e.request; }, [](const Refused& e) { return e.request; },
        [](const MemberList& e) { return e.request; }, [](const RoomList& e) { return e.request; },
        [](const HistoryPage& e) { return e.request; },
        [](const SearchPage& e) { return e.request; },
        [](const ProfileChanged& e) { return e.request; },
        [](const FileWanted& e) { return e.request; }, [](const FileBegun& e) { return e.request; },
        [](const FileChunk& e) { return e.request; },
        [](const FileFetched& e) { return e.request; }, [](const auto&) { return RequestId{0}; });
    const auto found = tickets_.find(request);
    if (found == tickets_.end()) return 0;
    const Ticket ticket = found->second;
    const bool more_follows = std::holds_alternative<FileWanted>(event) ||
                              std::holds_alternative<FileBegun>(event) ||
                              std::holds_alternative<FileChunk>(event);
    if (more_follows) return ticket;
    tickets_.erase(found);
    transfers_.erase(ticket);
    return ticket;
}

}  // namespace quicchat::python
