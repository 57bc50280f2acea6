#pragma once

#include "quicchat/memory/network.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::memory {

QUICCHAT_DECL Network::Network(NetworkConfig config)
    : core_(std::make_shared<detail::Core>(std::move(config))) {}

QUICCHAT_DECL Transport Network::listen(std::string address, Limits limits) {
    return {core_,
            core_->add_endpoint(
                {.role = detail::Role::server, .address = std::move(address), .limits = limits})};
}

QUICCHAT_DECL Transport Network::dial(std::string address, Limits limits, std::string from) {
    return {core_, core_->add_endpoint({.role = detail::Role::client,
                                        .address = std::move(address),
                                        .from = std::move(from),
                                        .limits = limits})};
}

QUICCHAT_DECL bool Network::step() {
    const std::optional<TimePoint> next = next_event();
    if (!next) return false;
    advance_to(*next);
    return true;
}

QUICCHAT_DECL void Network::stall_stream(std::uint64_t connection, StreamId stream) {
    core_->stall_stream(connection, stream, true);
}

QUICCHAT_DECL void Network::resume_stream(std::uint64_t connection, StreamId stream) {
    core_->stall_stream(connection, stream, false);
}

QUICCHAT_DECL void Network::cut_after(std::uint64_t connection, std::size_t bytes) {
    core_->cut_after(connection, bytes);
}

}  // namespace quicchat::memory
