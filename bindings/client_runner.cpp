#include "client_runner.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "quicchat/base/match.hpp"

namespace quicchat::python {

template <class Driver>
ClientRunnerOf<Driver>::ClientRunnerOf(std::unique_ptr<Driver> driver,
                                       std::shared_ptr<sqlite::ClientStore> store,
                                       std::shared_ptr<ClientPort> port)
    : driver_(std::move(driver)),
      store_(std::move(store)),
      client_(driver_->app()),
      port_(std::move(port)) {}

template <class Driver>
ClientRunnerOf<Driver>::~ClientRunnerOf() {
    port_->end();
    driver_.reset();
    store_.reset();
    if (offline_) port_->inbox.push({0, *std::move(offline_)}, 256);
}

template <class Driver>
int ClientRunnerOf<Driver>::fd() const {
    return driver_->fd();
}
template <class Driver>
std::array<int, 2> ClientRunnerOf<Driver>::wake_fds() const {
    return driver_->wake_fds();
}
template <class Driver>
bool ClientRunnerOf<Driver>::wants_write() const {
    return driver_->wants_write();
}
template <class Driver>
std::optional<TimePoint> ClientRunnerOf<Driver>::next_deadline() const {
    return earlier(driver_->next_deadline(), keep_again_at_);
}

template <class Driver>
void ClientRunnerOf<Driver>::turn(Now now) {
    now_ = now;
    if (!std::exchange(dialled_, true)) dial();
    deliver();  // first, so that the turn pays the server for what Python has read
    apply_commands();
    keep_state();  // a message is kept before it is sent
    drive();
    keep_state();  // and a token before it is used
    deliver();
}

template <class Driver>
void ClientRunnerOf<Driver>::dial() {
    if (store_) {
        if (store_->token()) port_->token_generation = store_->token()->generation;
        for (const UnsentMessage& message : store_->unsent()) (void)client_.restore(message);
        client_.report_outbox_changes();
    }
    client_.hold_file_bytes();
    client_.connect(now_);
}

/// While the disk is full the chat goes on, and says that nothing new outlives the program.
template <class Driver>
void ClientRunnerOf<Driver>::keep_state() {
    if (!store_ || offline_) return;
    while (auto change = client_.poll_outbox_change()) note_change(*std::move(change));
    if (keep_again_at_ && now_.steady < *keep_again_at_) return;
    const std::optional<StorageError> error = write_state();
    if (error && !store_->may_pass()) return fail(*error);
    if (error.has_value() != keep_again_at_.has_value()) {
        const StorageError news = error.value_or(StorageError{Errc{}, ""});
        port_->inbox.push({0, StorageTrouble{news.errc, news.text}}, 256);
    }
    constexpr Duration pause = std::chrono::seconds{1};
    keep_again_at_ = error ? std::optional{now_.steady + pause} : std::nullopt;
}

/// What was kept only here is forgotten here.
template <class Driver>
void ClientRunnerOf<Driver>::note_change(OutboxChange change) {
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

template <class Driver>
std::optional<StorageError> ClientRunnerOf<Driver>::write_state() {
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
template <class Driver>
void ClientRunnerOf<Driver>::fail(const StorageError& error) {
    offline_ = Offline{{.errc = error.errc, .text = error.text}};
    client_.close();
    (void)driver_->turn(now_);
}

template <class Driver>
void ClientRunnerOf<Driver>::drive() {
    const std::error_code error = driver_->turn(now_);
    if (!error || offline_) return;
    // The socket is of no more use, so the client cannot find out by itself.
    offline_ = Offline{{.errc = Errc::transport_failed, .text = error.message()}};
}

template <class Driver>
void ClientRunnerOf<Driver>::abandon(Now now) {
    now_ = now;
    apply_commands();
    keep_again_at_.reset();  // the last chance
    keep_state();
    client_.close();
    drive();
}

template <class Driver>
void ClientRunnerOf<Driver>::apply_commands() {
    for (ClientCommand& command : port_->take_commands()) apply(std::move(command));
}

template <class Driver>
void ClientRunnerOf<Driver>::apply(ClientCommand command) {
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
        [&](TypingCommand&& c) { client_.say_typing(c.room, now_.steady); },
        [&](StatsCommand&& c) { c.answer->set_value(client_.stats()); },
        [&](CloseCommand&&) { client_.close(); });
}

template <class Driver>
void ClientRunnerOf<Driver>::note(Ticket ticket, Result<RequestId> request) {
    if (request) {
        tickets_.emplace(*request, ticket);
    } else {
        port_->inbox.push({ticket, to_errc(request.error())}, 64);
    }
}

template <class Driver>
void ClientRunnerOf<Driver>::note_transfer(Ticket ticket, Result<RequestId> request) {
    if (request) transfers_.emplace(ticket, *request);
    note(ticket, request);
}

/// Hands events over while there is room. What is left stays in the client, which then gives its
/// server no more credit.
template <class Driver>
void ClientRunnerOf<Driver>::deliver() {
    while (!offline_ && collect(std::min(port_->inbox.room(), events_at_once))) {
        port_->inbox.push(collected_);
    }
}

/// At most so many events; false if there are none.
template <class Driver>
bool ClientRunnerOf<Driver>::collect(std::size_t events_max) {
    std::size_t bytes = 0;
    while (!offline_ && collected_.size() < events_max && bytes < bytes_at_once) {
        std::optional<ClientEvent> event = client_.poll_event();
        if (!event) break;
        if (auto* offline = std::get_if<Offline>(&*event)) offline_ = std::move(*offline);
        if (offline_ || std::holds_alternative<TokenRenewed>(*event)) continue;
        const std::size_t size = size_of(*event);
        const Ticket ticket = answered(*event);
        collected_.push_back({{ticket, *std::move(event)}, size});
        bytes += size;
    }
    return !collected_.empty();
}

/// The ticket of the request that an event answers.
template <class Driver>
Ticket ClientRunnerOf<Driver>::answered(const ClientEvent& event) {
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

template class ClientRunnerOf<ClientDriver>;
template class ClientRunnerOf<MemoryClientDriver>;

}  // namespace quicchat::python
