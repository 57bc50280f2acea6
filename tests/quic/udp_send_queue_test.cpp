#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/quic/run.hpp"
#include "quicchat/quic/udp_socket.hpp"
#include "support/patience.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

/// Two sockets on loopback; counts what arrives.
struct QueueScene {
    quic::UdpSocket socket = bound("127.0.0.1");
    quic::UdpSocket other = bound("127.0.0.1");
    Buffer bytes = Buffer(20'000);

    static quic::UdpSocket bound(const char* host) {
        return quic::UdpSocket::bind(*quic::SocketAddress::from_numeric(host, 0)).value();
    }
    void send(const quic::SocketAddress& to, std::size_t size, std::size_t segment) {
        REQUIRE_FALSE(socket.send({.local = {},
                                   .remote = to,
                                   .bytes = BytesView{bytes}.first(size),
                                   .segment_size = segment}));
        REQUIRE_FALSE(socket.flush());
    }
    std::size_t arrived(std::size_t wanted) {
        std::size_t count = 0;
        const TimePoint end = quic::read_clock().steady + patience(2s);
        while (count < wanted && quic::read_clock().steady < end) {
            count += other.receive([](const quic::Datagram&) {}).datagrams;
        }
        return count;
    }
};

// Without SO_BROADCAST the system refuses these: EACCES.
const quic::SocketAddress forbidden = *quic::SocketAddress::parse("255.255.255.255:9");

constexpr std::size_t segments_too_many = 200;  // the kernel cuts up to 64, newer ones 128

}  // namespace

TEST_CASE("a train that the system refuses", "[quic][socket]") {
    QueueScene scene;
    if (!scene.socket.has_gso()) return;  // a system that cuts none
    const quic::SocketAddress to = scene.other.local_address();

    SECTION("for its address says nothing about trains") {
        scene.send(forbidden, 3000, 1200);
        CHECK(scene.socket.has_gso());
        scene.send(to, 3000, 1200);
        CHECK(scene.arrived(3) == 3);
    }
    SECTION("as a train goes out in pieces, and so do others, for a while") {
        scene.socket.advance(TimePoint{100s});
        scene.send(to, 100 * segments_too_many, 100);
        CHECK(scene.arrived(segments_too_many) == segments_too_many);
        CHECK_FALSE(scene.socket.has_gso());
        scene.socket.advance(TimePoint{159s});
        CHECK_FALSE(scene.socket.has_gso());
        scene.socket.advance(TimePoint{161s});
        CHECK(scene.socket.has_gso());
        scene.send(to, 3000, 1200);
        CHECK(scene.arrived(3) == 3);
        CHECK(scene.socket.has_gso());
    }
    SECTION("for good, where trains are switched off") {
        scene.socket.disable_gso();
        scene.socket.advance(TimePoint{100h});
        CHECK_FALSE(scene.socket.has_gso());
    }
}

TEST_CASE("a single datagram that the system refuses says nothing about trains", "[quic][socket]") {
    QueueScene scene;
    if (!scene.socket.has_gso()) return;
    scene.send(forbidden, 1200, 1200);
    scene.send(*quic::SocketAddress::parse("127.0.0.1:0"), 1200, 1200);  // EINVAL
    CHECK(scene.socket.has_gso());
}
