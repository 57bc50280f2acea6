#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/quic.hpp"
#include "quicchat/quic_shards.hpp"
#include "stack/net.hpp"

namespace quicchat::test {

/// The server of a Stack: with one endpoint or, in one thread as well, with shards.
class StackServer {
public:
    using Send = std::function<void(const quic::Transmit&)>;

    StackServer() = default;
    StackServer(const StackServer&) = delete;
    StackServer& operator=(const StackServer&) = delete;
    virtual ~StackServer() = default;

    virtual void receive(const Letter& letter, TimePoint now) = 0;
    virtual void turn(Now now, const Send& send) = 0;
    virtual std::optional<TimePoint> next_deadline() const = 0;
    virtual void shutdown(Now now) = 0;
    virtual bool finished() const = 0;
    virtual std::optional<ServerEvent> poll_event() = 0;
    virtual std::vector<ConnectionStats> connection_stats() const = 0;
    virtual void update_keys(ConnectionId id, TimePoint now) = 0;
    virtual void close(ConnectionId id, Errc why) = 0;
    /// What an endpoint keeps although everybody has gone, in words; empty: nothing.
    virtual std::string leavings() const = 0;

protected:
    static quic::Datagram datagram(const Letter& letter) {
        return {letter.to, letter.from, letter.ecn, letter.bytes};
    }
    static void transmit(quic::Endpoint& endpoint, TimePoint now, const Send& send) {
        while (const auto transmit = endpoint.poll_transmit(now)) send(*transmit);
    }
    static std::string leavings_of(const quic::Endpoint& endpoint) {
        if (endpoint.connections() != 0) return "connections are left";
        if (endpoint.unacknowledged() != 0) return "bytes are kept for nobody";
        if (endpoint.connection_ids() != 0) return "connection ids are left";
        return "";
    }
};

class OneServer final : public StackServer {
public:
    template <class... Arguments>
    explicit OneServer(Arguments&&... arguments) : server_(std::forward<Arguments>(arguments)...) {}

    void receive(const Letter& letter, TimePoint now) override {
        server_.transport().handle_datagram(datagram(letter), now);
    }
    void turn(Now now, const Send& send) override {
        server_.transport().handle_timeout(now.steady);
        server_.process(now);
        transmit(server_.transport(), now.steady, send);
    }
    std::optional<TimePoint> next_deadline() const override { return server_.next_deadline(); }
    void shutdown(Now now) override { server_.shutdown(now); }
    bool finished() const override { return server_.finished(); }
    std::optional<ServerEvent> poll_event() override { return server_.poll_event(); }
    std::vector<ConnectionStats> connection_stats() const override {
        return server_.connection_stats();
    }
    void update_keys(ConnectionId id, TimePoint now) override {
        server_.transport().update_keys(id, now);
    }
    void close(ConnectionId id, Errc why) override { server_.transport().close(id, why, ""); }
    std::string leavings() const override { return leavings_of(server_.transport()); }

private:
    quic::Server server_;
};

class ManyShards final : public StackServer {
public:
    /// `steers`: a packet comes to the shard that its connection id names; otherwise to one by its
    /// sender's address, as where a kernel does not look into packets.
    template <class... Arguments>
    ManyShards(std::vector<quic::Endpoint> endpoints, bool steers, const Limits& limits,
               Arguments&&... arguments)
        : steers_(steers),
          links_(make_links(endpoints.size())),
          server_(shards::Transport{links_, limits}, std::forward<Arguments>(arguments)...) {
        const auto strays = std::make_shared<quic::Strays>(links_);
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            shards_.push_back(std::make_unique<Shard>(std::move(endpoints[i]), links_[i],
                                                      shards::Place{i, endpoints.size()},
                                                      limits.stream_backlog_bytes_max, strays));
        }
    }

    void receive(const Letter& letter, TimePoint now) override {
        if (letter.bytes.size() < 7) return;
        endpoint(shard_of(letter)).handle_datagram(datagram(letter), now);
    }
    void turn(Now now, const Send& send) override {
        for (std::size_t i = 0; i < shards_.size(); ++i) {
            endpoint(i).handle_timeout(now.steady);
            shards_[i]->process(now);
        }
        for (const auto& shard : shards_) shard->process(now);  // with strays of the others
        for (const auto& shard : shards_) shard->settle();
        chat_turn(now);
        for (std::size_t i = 0; i < shards_.size(); ++i) {
            shards_[i]->process(now);
            transmit(endpoint(i), now.steady, send);
            shards_[i]->settle();
        }
        chat_turn(now);
    }
    std::optional<TimePoint> next_deadline() const override {
        std::optional<TimePoint> next = server_.next_deadline();
        for (std::size_t i = 0; i < shards_.size(); ++i) {
            next = earlier(next, shards_[i]->next_deadline());
            if (links_[i]->has_commands()) next = earlier(next, now_);
        }
        return next;
    }
    void shutdown(Now now) override { server_.shutdown(now); }
    bool finished() const override { return server_.finished(); }
    std::optional<ServerEvent> poll_event() override { return server_.poll_event(); }
    std::vector<ConnectionStats> connection_stats() const override {
        return server_.connection_stats();
    }
    void update_keys(ConnectionId id, TimePoint now) override {
        const auto number = static_cast<std::uint64_t>(id);
        const std::size_t shard = number % shards_.size();
        endpoint(shard).update_keys(ConnectionId{number / shards_.size()}, now);
    }
    void close(ConnectionId id, Errc why) override { server_.transport().close(id, why, ""); }
    std::string leavings() const override {
        if (server_.transport().unacknowledged() != 0) return "bytes are counted for nobody";
        for (std::size_t i = 0; i < shards_.size(); ++i) {
            std::string left = leavings_of(endpoint(i));
            if (!left.empty()) return left;
        }
        return "";
    }

private:
    using Shard = quic::Shard<quic::Endpoint>;

    static std::vector<std::shared_ptr<shards::Link>> make_links(std::size_t count) {
        const auto chat = std::make_shared<const WakeFd>();
        std::vector<std::shared_ptr<shards::Link>> links;
        while (links.size() < count) links.push_back(std::make_shared<shards::Link>(chat));
        return links;
    }

    quic::Endpoint& endpoint(std::size_t shard) const { return shards_[shard]->transport(); }

    std::size_t shard_of(const Letter& letter) const {
        if (!steers_) return letter.from.port() % shards_.size();
        const bool is_long = (letter.bytes[0] & std::byte{0x80}) != std::byte{0};
        return std::to_integer<std::size_t>(letter.bytes[is_long ? 6 : 1]) % shards_.size();
    }

    void chat_turn(Now now) {
        now_ = now.steady;
        server_.process(now);
        server_.transport().flush();
    }

    const bool steers_;
    TimePoint now_{};
    std::vector<std::shared_ptr<shards::Link>> links_;
    std::vector<std::unique_ptr<Shard>> shards_;
    quic::ShardedServer server_;
};

}  // namespace quicchat::test
