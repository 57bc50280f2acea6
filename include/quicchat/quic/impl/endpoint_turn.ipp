#pragma once

// What an Endpoint does in a turn. Included by endpoint.hpp.

#include "quicchat/quic/endpoint.hpp"

namespace quicchat::quic {

QUICCHAT_DECL Result<ConnectionId> Endpoint::connect(TimePoint now) {
    advance(now);
    if (state_->routes_later) {
        if (state_->race) return Errc::not_ready;
        state_->race.emplace(ConnectionId{state_->next_id++});
        return state_->race->id();
    }
    if (state_->doorman || state_->remote.empty()) return Errc::not_ready;
    ConnectionId id{};
    Entry* entry = attempt({state_->local, state_->remote}, id);
    if (entry == nullptr) return Errc::internal_error;
    settle_and_write(id, *entry);
    return id;
}

/// Begins to connect by this route.
QUICCHAT_DECL Endpoint::Entry* Endpoint::attempt(const Route& route, ConnectionId& id) {
    Opening opening{.local = route.local, .remote = route.remote, .token = state_->token};
    // RFC 9000 §7.2: the first destination connection id "MUST be at least 8 bytes in length" and
    // unpredictable.
    opening.peer_id = new_connection_id(state_->shared.random, 0);
    opening.peer_id.data[0] = static_cast<std::uint8_t>(state_->shared.random.next());
    Entry* entry = add(opening, id);
    // RFC 9000 §8.1.3: a client "SHOULD NOT reuse a NEW_TOKEN token".
    state_->token.clear();
    return entry;
}

QUICCHAT_DECL Endpoint::Entry* Endpoint::add(const Opening& opening, ConnectionId& id) {
    auto connection = Connection::create(state_->shared, opening, state_->now);
    if (connection == nullptr) return nullptr;
    id = ConnectionId{state_->next_id++};
    ++state_->half_open;
    ++state_->counts.handshakes_begun;
    return &state_->entries.try_emplace(id, Entry{.connection = std::move(connection)})
                .first->second;
}

QUICCHAT_DECL void Endpoint::handle_datagram(const Datagram& datagram, TimePoint now) {
    advance(now);
    ++state_->counts.datagrams_received;
    state_->counts.bytes_received += datagram.bytes.size();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(datagram.bytes.data());
    ngtcp2_version_cid head{};
    const int error = datagram.bytes.empty()
                          ? NGTCP2_ERR_INVALID_ARGUMENT
                          : ngtcp2_pkt_decode_version_cid(&head, bytes, datagram.bytes.size(),
                                                          connection_id_bytes);
    if (error == NGTCP2_ERR_VERSION_NEGOTIATION) {
        if (state_->doorman) {
            state_->doorman->negotiate_version(datagram, head, state_->now, state_->replies);
        }
        return;
    }
    if (error != 0) return;
    if (const auto id = state_->ids.find({head.dcid, head.dcidlen})) return deliver(*id, datagram);
    handle_stranger(datagram, head);
}

QUICCHAT_DECL void Endpoint::handle_stranger(const Datagram& datagram,
                                             const ngtcp2_version_cid& head) {
    if (!state_->doorman) {
        // RFC 9000 §10.3: a stateless reset looks like a packet with a connection id of nobody.
        // Only the connection can tell, and a client has few.
        for_each([&](Connection& connection) {
            if (connection.remote() == datagram.remote) {
                connection.handle_datagram(datagram, state_->now);
            }
        });
        return;
    }
    const bool long_header = (datagram.bytes[0] & std::byte{0x80}) != std::byte{0};
    if (!long_header && is_stray(head)) {
        constexpr std::size_t strays_max = 256;
        if (state_->strays.size() >= strays_max) return;
        state_->strays.push_back({datagram.local,
                                  datagram.remote,
                                  datagram.ecn,
                                  {datagram.bytes.begin(), datagram.bytes.end()},
                                  head.dcid[0]});
        return;
    }
    if (!long_header) {
        state_->doorman->reset(datagram, make_cid({head.dcid, head.dcidlen}), state_->now,
                               state_->replies);
        return;
    }
    const std::size_t established = state_->entries.size() - state_->half_open;
    const auto admission = state_->doorman->admit(datagram, state_->half_open, established,
                                                  state_->now, state_->replies);
    // Before anything of TLS is made. Where there is no room, the client comes again.
    ConnectionId id{state_->next_id};
    if (!admission || !make_room_for(id, datagram.remote, admission->known)) return;
    Entry* entry = add(admission->opening, id);
    if (entry == nullptr) {
        (admission->known ? state_->known_newcomers : state_->newcomers).remove(id);
        return;
    }
    entry->known = admission->known;
    entry->connection->handle_datagram(datagram, state_->now);
    const auto& ending = entry->connection->ending();
    const bool retry = ending && ending->farewell == Ending::Farewell::retry;
    settle_and_write(id, *entry);
    if (retry) state_->doorman->send_retry(datagram, state_->now, state_->replies);
}

/// Only of packets behind a handshake: the id of those before may be the client's choice.
QUICCHAT_DECL bool Endpoint::is_stray(const ngtcp2_version_cid& head) const {
    const Config& config = state_->shared.config;
    return head.dcidlen == connection_id_bytes && head.dcid[0] != config.shard &&
           head.dcid[0] < config.shards;
}

/// Unfinished handshakes are bounded for each network and in all. False: it is the new one that
/// goes.
QUICCHAT_DECL bool Endpoint::make_room_for(ConnectionId id, const SocketAddress& remote,
                                           bool known) {
    const std::size_t per_prefix_max = state_->newcomers_per_prefix_max;
    Newcomers& newcomers = known ? state_->known_newcomers : state_->newcomers;
    const auto surplus = newcomers.add(id, remote.to_string(), per_prefix_max, 4 * per_prefix_max);
    if (surplus == id) return false;
    Entry* entry = surplus ? find(*surplus) : nullptr;
    if (entry == nullptr) return true;
    entry->connection->refuse();
    settle(*surplus, *entry);
    return true;
}

QUICCHAT_DECL void Endpoint::deliver(ConnectionId id, const Datagram& datagram) {
    Entry* entry = find(id);
    if (entry == nullptr || entry->connection->ending()) {
        state_->afterlife.handle_datagram(id, datagram, state_->replies);
        return;
    }
    entry->connection->handle_datagram(datagram, state_->now);
    if (entry->racing && entry->connection->is_established() && !entry->connection->ending()) {
        id = win_race(id);
    }
    if (settle(id, *entry)) write_or_arm(id, *entry);
}

/// Brings the endpoint's tables up to date with a connection that something happened to. False if
/// the connection ended; the entry may be gone then.
QUICCHAT_DECL bool Endpoint::settle(ConnectionId id, Entry& entry) {
    Connection& connection = *entry.connection;
    Record& record = connection.record();
    for (const ngtcp2_cid& cid : std::exchange(record.ids_added, {})) {
        if (state_->ids.add(cid, id)) entry.cids.push_back(cid);
    }
    for (const ngtcp2_cid& cid : std::exchange(record.ids_removed, {})) {
        state_->ids.remove(cid, id);
        std::erase_if(entry.cids,
                      [&](const ngtcp2_cid& own) { return ngtcp2_cid_eq(&own, &cid) != 0; });
    }
    if (!record.new_token.empty()) state_->token = std::exchange(record.new_token, {});
    if (entry.counted_half_open && (connection.is_established() || connection.ending())) {
        entry.counted_half_open = false;
        --state_->half_open;
        if (connection.is_established()) ++state_->counts.handshakes_done;
        (entry.known ? state_->known_newcomers : state_->newcomers).remove(id);
    }
    if (connection.ending()) {
        bury(id, entry);
        return false;
    }
    if (connection.has_news() && !std::exchange(entry.has_news, true)) state_->news.push_back(id);
    return true;
}

QUICCHAT_DECL void Endpoint::settle_and_write(ConnectionId id, Entry& entry) {
    if (settle(id, entry)) mark_dirty(id, entry);
}

/// Ends a connection: says farewell, keeps what the closing and draining states need, and leaves
/// the news for the application.
QUICCHAT_DECL void Endpoint::bury(ConnectionId id, Entry& entry) {
    using Farewell = Ending::Farewell;
    Connection& connection = *entry.connection;
    const Ending& ending = *connection.ending();
    Reply farewell;
    if (ending.farewell == Farewell::close) {
        const Transmit transmit = connection.poll_close(state_->buffer, state_->now);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(transmit.bytes.data());
        farewell = {transmit.local, transmit.remote, {bytes, bytes + transmit.bytes.size()}};
        state_->replies.push(farewell);
    }
    if (ending.farewell == Farewell::close || ending.farewell == Farewell::drain) {
        state_->afterlife.add(id, std::exchange(entry.cids, {}), std::move(farewell),
                              state_->now + connection.linger());
    }
    for (const ngtcp2_cid& cid : entry.cids) state_->ids.remove(cid, id);
    entry.cids.clear();
    connection.release();

    if (entry.racing) {
        if (state_->race) state_->race->handle_failed(id, ending.reason);
        state_->entries.erase(id);
        return run_race();
    }
    // A server's application never heard of a handshake that failed.
    if (state_->doorman && !connection.is_established()) {
        state_->counts.handshakes_failed.add(ending.reason.errc);
        state_->entries.erase(id);
        return;
    }
    if (!std::exchange(entry.has_news, true)) state_->news.push_back(id);
}

QUICCHAT_DECL void Endpoint::write_or_arm(ConnectionId id, Entry& entry) {
    if (entry.connection->wants_transmit(state_->now)) return mark_dirty(id, entry);
    arm(id, entry);
}

QUICCHAT_DECL void Endpoint::handle_timeout(TimePoint now) {
    advance(now);
    state_->afterlife.handle_timeout(state_->now);
    run_race();
    while (const auto due = state_->timers.pop_due(state_->now)) {
        Entry* entry = find(due->connection);
        if (entry == nullptr || entry->armed != due->deadline) continue;  // an older entry
        entry->armed.reset();
        const auto deadline = entry->connection->next_deadline();
        if (!deadline) continue;
        if (*deadline > state_->now) {
            arm(due->connection, *entry);
            continue;
        }
        entry->connection->handle_timeout(state_->now);
        settle_and_write(due->connection, *entry);
    }
}

QUICCHAT_DECL std::optional<TransportEvent> Endpoint::poll_event() {
    if (!state_->ended.empty()) {
        Disconnected disconnected = std::move(state_->ended.front());
        state_->ended.pop_front();
        return disconnected;
    }
    while (!state_->news.empty()) {
        const ConnectionId id = state_->news.front();
        Entry* entry = find(id);
        if (entry == nullptr) {
            state_->news.pop_front();
            continue;
        }
        if (auto event = entry->connection->poll_event(id)) {
            // Fetching can give the peer credit, for bytes or for another stream.
            if (!entry->connection->ending()) write_or_arm(id, *entry);
            return event;
        }
        state_->news.pop_front();
        entry->has_news = false;
        if (entry->connection->ending()) {
            Disconnected disconnected{id, entry->connection->ending()->reason};
            state_->entries.erase(id);
            return disconnected;
        }
    }
    return std::nullopt;
}

QUICCHAT_DECL std::optional<Transmit> Endpoint::poll_transmit(TimePoint now) {
    advance(now);
    while (true) {
        if (!state_->replies.empty()) return counted(state_->replies.pop());
        if (state_->dirty.empty()) return std::nullopt;
        const ConnectionId id = state_->dirty.front();
        state_->dirty.pop_front();
        Entry* entry = find(id);
        if (entry == nullptr) continue;
        entry->dirty = false;
        if (entry->connection->ending()) continue;

        const Transmit transmit = entry->connection->poll_transmit(state_->buffer, state_->now);
        if (!settle(id, *entry)) continue;
        if (entry->connection->more_to_send()) {
            mark_dirty(id, *entry);
        } else {
            arm(id, *entry);
        }
        if (!transmit.bytes.empty()) return counted(transmit);
    }
}

QUICCHAT_DECL Transmit Endpoint::counted(const Transmit& transmit) {
    const std::size_t bytes = transmit.bytes.size();
    const std::size_t segment = std::max<std::size_t>(transmit.segment_size, 1);
    state_->counts.datagrams_sent += (bytes + segment - 1) / segment;
    state_->counts.bytes_sent += bytes;
    return transmit;
}

QUICCHAT_DECL void Endpoint::arm(ConnectionId id, Entry& entry) {
    const auto deadline = entry.connection->next_deadline();
    if (!deadline || (entry.armed && *entry.armed <= *deadline)) return;
    entry.armed = deadline;
    state_->timers.push(*deadline, id);
}

QUICCHAT_DECL void Endpoint::mark_dirty(ConnectionId id, Entry& entry) {
    if (!std::exchange(entry.dirty, true)) state_->dirty.push_back(id);
}

/// Runs `action` for every connection. It may end them.
template <class Action>
void Endpoint::for_each(Action action) {
    std::vector<ConnectionId> ids;
    for (const auto& [id, entry] : state_->entries) {
        if (!entry.connection->ending()) ids.push_back(id);
    }
    for (const ConnectionId id : ids) {
        Entry* entry = find(id);
        if (entry == nullptr || entry->connection->ending()) continue;
        action(*entry->connection);
        settle_and_write(id, *entry);
    }
}

}  // namespace quicchat::quic
