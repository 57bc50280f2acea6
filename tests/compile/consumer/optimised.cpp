// What GCC 12 at -O3 sees, and warns of, only when it has inlined everything.
#include <utility>

#include "quicchat/quic/endpoint.hpp"

using namespace quicchat;

namespace {

void use(quic::Endpoint& endpoint, ConnectionId id, TimePoint now) {
    if (const auto stream = endpoint.open_stream(id)) {
        (void)endpoint.write(id, *stream, Bytes{}, true);
        endpoint.consume(id, *stream, 1);
    }
    endpoint.handle_datagram({}, now);
    endpoint.handle_timeout(now);
    (void)endpoint.poll_event();
    (void)endpoint.poll_transmit(now);
    endpoint.close(id, Errc::closed, "enough");
}

}  // namespace

int main(int count, char** words) {
    auto client = quic::Endpoint::client({.trust = quic::Trust::insecure()}, {});
    if (!client) return 1;
    if (count > 1) use(*client, ConnectionId{static_cast<std::uint64_t>(*words[1])}, TimePoint{});
    return 0;
}
