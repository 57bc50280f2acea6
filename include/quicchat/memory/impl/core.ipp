#pragma once

#include "quicchat/memory/core.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::memory::detail {

QUICCHAT_DECL Core::Core(NetworkConfig settings)
    : config(settings), random_(settings.seed), now_(settings.start) {}

QUICCHAT_DECL Core::Endpoint Core::add_endpoint(EndpointState state) {
    endpoints_.push_back(std::make_unique<EndpointState>(std::move(state)));
    return schedule_.add_owner();
}

QUICCHAT_DECL std::optional<TimePoint> Core::next_event() const { return schedule_.next(); }

QUICCHAT_DECL void Core::handle_timeout(Endpoint endpoint, TimePoint now) {
    advance_to(now);
    endpoints_[endpoint]->has_news = false;
}

QUICCHAT_DECL Core::Place Core::find(Endpoint endpoint, ConnectionId id) const {
    const EndpointState& state = *endpoints_[endpoint];
    const auto found = state.connections.find(id);
    if (found == state.connections.end()) return {};
    return {found->second, state.role};
}

QUICCHAT_DECL Core::Place Core::find_open(Endpoint endpoint, ConnectionId id) const {
    const Place place = find(endpoint, id);
    return place && place.end().state == State::open ? place : Place{};
}

QUICCHAT_DECL Connection* Core::find_number(std::uint64_t number) const {
    const auto found = connections_.find(number);
    return found != connections_.end() ? found->second.get() : nullptr;
}

QUICCHAT_DECL EndpointState& Core::endpoint_of(Connection& connection, Role role) {
    return *endpoints_[connection.end(role).endpoint];
}

QUICCHAT_DECL void Core::report(Connection& connection, Role role, TransportEvent event) {
    EndpointState& endpoint = endpoint_of(connection, role);
    endpoint.events.push_back(std::move(event));
    endpoint.has_news = true;
}

}  // namespace quicchat::memory::detail
