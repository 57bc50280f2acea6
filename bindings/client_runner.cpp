#include "client_runner.hpp"

#include <utility>

#include "quicchat/base/match.hpp"

namespace quicchat::python {

ClientRunner::ClientRunner(std::unique_ptr<ClientDriver> driver, std::shared_ptr<ClientPort> port)
    : driver_(std::move(driver)), client_(driver_->app()), port_(std::move(port)) {}

int ClientRunner::fd() const { return driver_->fd(); }
bool ClientRunner::wants_write() const { return driver_->wants_write(); }
std::optional<TimePoint> ClientRunner::next_deadline() const { return driver_->next_deadline(); }

void ClientRunner::turn(Now now) {
    if (!std::exchange(dialled_, true)) client_.connect(now);
    deliver();  // first, so that the turn pays the server for what Python has read
    apply_commands();
    drive(now);
    deliver();
}

void ClientRunner::drive(Now now) {
    const std::error_code error = driver_->turn(now);
    if (!error || offline_) return;
    // The socket is of no more use, so the client cannot find out by itself.
    offline_ = true;
    port_->inbox.push({0, Offline{{.errc = Errc::transport_failed, .text = error.message()}}}, 256);
}

void ClientRunner::abandon(Now now) {
    client_.close();
    drive(now);
}

void ClientRunner::apply_commands() {
    for (ClientCommand& command : port_->take_commands()) apply(std::move(command));
}

void ClientRunner::apply(ClientCommand command) {
    const Ticket ticket = command.ticket;
    match(
        std::move(command.action),
        [&](JoinCommand&& c) { note(ticket, client_.join(c.room, c.position)); },
        [&](LeaveCommand&& c) {
            if (const Errc errc = client_.leave(c.room); errc != Errc{}) note(ticket, errc);
        },
        [&](PublishCommand&& c) {
            note(ticket, client_.publish(c.room, std::move(c.text), std::move(c.attributes), c.id));
        },
        [&](TellCommand&& c) {
            note(ticket,
                 client_.tell(std::move(c.user), std::move(c.text), std::move(c.attributes), c.id));
        },
        [&](MembersCommand&& c) {
            note(ticket, client_.request_members(c.room, std::move(c.after)));
        },
        [&](CloseCommand&&) { client_.close(); });
}

void ClientRunner::note(Ticket ticket, Result<RequestId> request) {
    if (request) {
        tickets_.emplace(*request, ticket);
    } else {
        port_->inbox.push({ticket, to_errc(request.error())}, 64);
    }
}

/// Hands events over while there is room. What is left stays in the client, which then gives its
/// server no more credit.
void ClientRunner::deliver() {
    while (!offline_ && port_->inbox.has_room()) {
        std::optional<ClientEvent> event = client_.poll_event();
        if (!event) return;
        const std::size_t bytes = size_of(*event);
        offline_ = std::holds_alternative<Offline>(*event);
        const Ticket ticket = answered(*event);
        port_->inbox.push({ticket, *std::move(event)}, bytes);
    }
}

/// The ticket of the request that an event answers.
Ticket ClientRunner::answered(const ClientEvent& event) {
    const RequestId request = match(
        event, [](const RoomJoined& e) { return e.request; },
        [](const Acked& e) { return e.request; }, [](const Refused& e) { return e.request; },
        [](const MemberList& e) { return e.request; }, [](const auto&) { return RequestId{0}; });
    const auto found = tickets_.find(request);
    if (found == tickets_.end()) return 0;
    const Ticket ticket = found->second;
    tickets_.erase(found);
    return ticket;
}

}  // namespace quicchat::python
