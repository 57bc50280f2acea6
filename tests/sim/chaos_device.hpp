#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quicchat/base/hex.hpp"
#include "quicchat/memory.hpp"
#include "sim/chaos_witness.hpp"

namespace quicchat::test {

/// Everything that is drawn in a simulation.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : random_(Entropy::seeded(seed)) {}

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }
    bool one_in(std::uint64_t count) { return draw(1, count) == 1; }
    MessageId draw_id() { return {random_.draw<16>()}; }
    DeviceId draw_device() { return {random_.draw<16>()}; }
    std::uint64_t draw_seed() { return draw(0, ~std::uint64_t{0} >> 1); }

private:
    Entropy random_;
};

struct Device {
    Witness witness;
    std::unique_ptr<memory::Client> client;
    std::uint64_t connection = 0;  ///< Number of the latest one in the network.
    bool reading = true;
    std::map<RequestId, FileWanted> wanted{};  ///< Bytes of files that are not given yet.

    /// Asks the client for what a user wants, in the way that it has for that.
    Result<RequestId> send(const Witness::Message& m) const {
        if (m.act.kind == Act::Kind::file) {
            const std::string room = m.to.empty() ? m.room : "@" + m.to;
            return client->send_file(
                room, {.name = m.text, .size = m.act.value, .digest = decode_hex(m.act.subject)},
                m.id);
        }
        if (!m.to.empty()) return client->tell(m.to, m.text, "{}", m.id);
        if (m.act.kind == Act::Kind::creation) {
            return client->create_room(m.act.subject, RoomAccess{}, m.text, m.id);
        }
        return client->publish(m.room, m.text, "{}", m.id, m.act);
    }

    void join(const std::string& room, Position position) {
        const auto request = client->join(room, position);
        if (request) witness.joins.insert(*request);
    }
};

}  // namespace quicchat::test
