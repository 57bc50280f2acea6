#pragma once

#include "quicchat/quic/endpoint.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/host_name.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL Result<Endpoint> Endpoint::server(ServerConfig server, Config config) {
    Result<TlsContext> tls =
        TlsContext::server(server.certificate_pem, server.key_pem, config.alpn);
    if (!tls) return tls.error();
    auto state = std::make_unique<State>(std::move(config), *std::move(tls),
                                         TokenSecrets{server.reset_secret, server.token_secret});
    if (!server.http3_certificate_pem.empty() || !server.http3_key_pem.empty()) {
        tls = TlsContext::server(server.http3_certificate_pem, server.http3_key_pem,
                                 state->shared.config.alpn);
        if (!tls) return tls.error();
        state->shared.use_for_http3(*std::move(tls));
    }
    state->newcomers_per_prefix_max = 4 * server.half_open_max;
    state->doorman.emplace(state->shared.config, std::move(server), state->shared.random,
                           state->shared.tokens);
    return Endpoint{std::move(state)};
}

QUICCHAT_RARE_DECL Result<Endpoint> Endpoint::client(ClientConfig client, Config config) {
    std::optional<std::string> name = ascii_host_name(client.server_name);
    if (!name) return Errc::invalid_name;
    Result<TlsContext> tls =
        TlsContext::client(std::move(client.trust), *std::move(name), config.alpn);
    if (!tls) return tls.error();
    auto state = std::make_unique<State>(std::move(config), *std::move(tls), TokenSecrets{});
    state->remote = client.remote;
    state->local = client.local;
    state->routes_later = client.routes_later;
    return Endpoint{std::move(state)};
}

QUICCHAT_RARE_DECL void Endpoint::handle_unreachable(TimePoint now, const SocketAddress& local) {
    advance(now);
    for_each([&](Connection& connection) {
        if (local.empty() || connection.local() == local) connection.handle_unreachable();
    });
}

QUICCHAT_DECL Result<StreamId> Endpoint::open_stream(ConnectionId id) {
    Entry* entry = find(id);
    if (entry == nullptr) return Errc::not_ready;
    const Result<StreamNumber> number = entry->connection->open_stream();
    if (!number) return number.error();
    return static_cast<StreamId>(*number);
}

QUICCHAT_RARE_DECL Result<StreamId> Endpoint::open_uni_stream(ConnectionId id) {
    Entry* entry = find(id);
    if (entry == nullptr) return Errc::not_ready;
    const Result<StreamNumber> number = entry->connection->open_uni_stream();
    if (!number) return number.error();
    return static_cast<StreamId>(*number);
}

QUICCHAT_DECL Result<Backlog> Endpoint::write(ConnectionId id, StreamId stream, Bytes bytes,
                                              bool fin) {
    Entry* entry = find(id);
    if (entry == nullptr) return Errc::not_ready;
    Result<Backlog> backlog = entry->connection->write(number_of(stream), std::move(bytes), fin);
    if (backlog) mark_dirty(id, *entry);
    return backlog;
}

QUICCHAT_DECL void Endpoint::reset_stream(ConnectionId id, StreamId stream, std::uint64_t code) {
    if (Entry* entry = find(id)) {
        entry->connection->reset_stream(number_of(stream), code);
        mark_dirty(id, *entry);
    }
}

QUICCHAT_DECL void Endpoint::look_ahead(ConnectionId id, StreamId stream) const {
    const Entry* entry = find(id);
    if (entry != nullptr) entry->connection->look_ahead(number_of(stream));
}

QUICCHAT_DECL Backlog Endpoint::backlog(ConnectionId id, StreamId stream) const {
    const Entry* entry = find(id);
    return entry != nullptr ? entry->connection->backlog(number_of(stream)) : Backlog{};
}

QUICCHAT_DECL std::size_t Endpoint::unacknowledged(ConnectionId id) const {
    const Entry* entry = find(id);
    return entry != nullptr ? entry->connection->unacknowledged() : 0;
}

QUICCHAT_DECL TransportStats Endpoint::stats() const {
    TransportStats stats = state_->counts;
    stats.handshakes_open = state_->half_open;
    if (state_->doorman) stats.strangers = state_->doorman->stats();
    return stats;
}

QUICCHAT_RARE_DECL std::optional<PathStats> Endpoint::path_stats(ConnectionId id) const {
    const Entry* entry = find(id);
    if (entry == nullptr || entry->connection->ending()) return std::nullopt;
    return entry->connection->stats();
}

QUICCHAT_DECL void Endpoint::consume(ConnectionId id, StreamId stream, std::size_t bytes) {
    if (Entry* entry = find(id)) {
        entry->connection->consume(number_of(stream), bytes);
        if (!entry->connection->ending()) write_or_arm(id, *entry);
    }
}

QUICCHAT_DECL bool Endpoint::send_datagram(ConnectionId id, Bytes bytes) {
    Entry* entry = find(id);
    if (entry == nullptr || !entry->connection->send_datagram(std::move(bytes))) return false;
    mark_dirty(id, *entry);
    return true;
}

QUICCHAT_DECL Result<ChannelBinding> Endpoint::channel_binding(ConnectionId id) const {
    const Entry* entry = find(id);
    if (entry == nullptr) return Errc::not_ready;
    return entry->connection->channel_binding();
}

QUICCHAT_RARE_DECL std::vector<std::uint8_t> Endpoint::peer_certificate(ConnectionId id) const {
    const Entry* entry = find(id);
    if (entry == nullptr) return {};
    return entry->connection->peer_certificate();
}

QUICCHAT_DECL void Endpoint::close(ConnectionId id, Errc why, std::string_view text) {
    if (state_->race && state_->race->id() == id) {
        return end_race({.errc = why, .text = std::string{text}});
    }
    Entry* entry = find(id);
    if (entry == nullptr || entry->connection->ending()) return;
    entry->connection->discard_news();  // streams are cut
    entry->connection->close(why, text);
    settle(id, *entry);
}

QUICCHAT_DECL bool Endpoint::update_keys(ConnectionId id, TimePoint now) {
    advance(now);
    Entry* entry = find(id);
    if (entry == nullptr || !entry->connection->update_keys(state_->now)) return false;
    mark_dirty(id, *entry);
    return true;
}

QUICCHAT_RARE_DECL std::error_code Endpoint::set_certificate(const std::string& certificate_pem,
                                                             const std::string& key_pem) {
    if (!state_->doorman) return make_error_code(Errc::not_ready);
    Shared& shared = state_->shared;
    Result<TlsContext> tls = TlsContext::server(certificate_pem, key_pem, shared.config.alpn);
    if (!tls) return tls.error();
    shared.use(*std::move(tls));
    return {};
}

QUICCHAT_RARE_DECL std::error_code Endpoint::set_http3_certificate(
    const std::string& certificate_pem, const std::string& key_pem) {
    if (!state_->doorman) return make_error_code(Errc::not_ready);
    Shared& shared = state_->shared;
    if (certificate_pem.empty() && key_pem.empty()) {
        shared.http3_tls = nullptr;
        return {};
    }
    Result<TlsContext> tls = TlsContext::server(certificate_pem, key_pem, shared.config.alpn);
    if (!tls) return tls.error();
    shared.use_for_http3(*std::move(tls));
    return {};
}

QUICCHAT_DECL void Endpoint::note_login(ConnectionId id) {
    Entry* entry = find(id);
    if (!state_->doorman || entry == nullptr) return;
    entry->connection->give_token();
    mark_dirty(id, *entry);
}

QUICCHAT_RARE_DECL void Endpoint::set_limits(const Limits& limits) {
    Limits& current = state_->shared.config.limits;
    const std::size_t backlog_max = current.stream_backlog_bytes_max;
    current = limits;
    current.stream_backlog_bytes_max = backlog_max;
    if (state_->doorman) state_->doorman->set_limits(limits);
}

QUICCHAT_DECL std::optional<TimePoint> Endpoint::next_deadline() const {
    if (wants_transmit() || !state_->ended.empty()) return state_->now;
    const auto race = state_->race ? state_->race->next_deadline() : std::nullopt;
    return earlier(race, earlier(state_->timers.next(), state_->afterlife.next_deadline()));
}

QUICCHAT_RARE_DECL std::optional<Stray> Endpoint::poll_stray() { return pop_front(state_->strays); }

QUICCHAT_DECL std::size_t Endpoint::streams(ConnectionId id) const {
    const Entry* entry = find(id);
    return entry != nullptr ? entry->connection->streams() : 0;
}

QUICCHAT_RARE_DECL Endpoint::State::State(Config config, TlsContext tls,
                                          const TokenSecrets& secrets)
    : shared(std::move(config), std::move(tls), secrets),
      ids(shared.random),
      afterlife(shared.config.limits.connections_max, ids),
      buffer(65'535) {}

QUICCHAT_RARE_DECL Endpoint::Endpoint(std::unique_ptr<State> state) : state_(std::move(state)) {}

QUICCHAT_DECL Endpoint::Entry* Endpoint::find(ConnectionId id) {
    const auto found = state_->entries.find(id);
    return found != state_->entries.end() ? &found->second : nullptr;
}

QUICCHAT_DECL const Endpoint::Entry* Endpoint::find(ConnectionId id) const {
    const auto found = state_->entries.find(id);
    return found != state_->entries.end() ? &found->second : nullptr;
}

}  // namespace quicchat::quic
