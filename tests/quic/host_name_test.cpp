#include <net/if.h>

#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/quic/address.hpp"
#include "quicchat/quic/host_name.hpp"

using namespace quicchat;

TEST_CASE("host names in other alphabets become A-labels", "[quic][names]") {
    using Case = std::pair<const char*, const char*>;
    const auto [name, wanted] = GENERATE(values<Case>({
        {"", ""},
        {"localhost", "localhost"},
        {"Chat.Example.", "Chat.Example."},
        {"fe80::1%eth0", "fe80::1%eth0"},
        {"münchen.test", "xn--mnchen-3ya.test"},
        {"MÜNCHEN.Test", "xn--mnchen-3ya.test"},
        {"chat.münchen.test.", "chat.xn--mnchen-3ya.test."},
        {"bücher.straße", "xn--bcher-kva.xn--strae-oqa"},
        {"παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"},
        {"βόλος.com", "xn--nxasmm1c.com"},  // with its sigma at the end
        {"例え。テスト", "xn--r8jz45g.xn--zckzah"},
        {"испытание.рф", "xn--80akhbyknj4f.xn--p1ai"},
        {"他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"},  // RFC 3492 §7.1
        {"☃.net", "xn--n3h.net"},
    }));
    CHECK(quic::ascii_host_name(name) == wanted);
}

TEST_CASE("what is no host name is none", "[quic][names]") {
    CHECK_FALSE(quic::ascii_host_name("m\xfcnchen.test"));
    CHECK_FALSE(quic::ascii_host_name("ü." + std::string(2000, 'x')));
    CHECK_FALSE(quic::ascii_host_name("ü" + std::string(62, 'x')));
    std::string label;
    for (int i = 0; i < 300; ++i) label += "\xf4\x8f\xbf\xbf\xc3\xa9";
    CHECK_FALSE(quic::ascii_host_name(label));
}

TEST_CASE("link-local addresses name their interface", "[quic][names]") {
    const std::uint32_t loopback = if_nametoindex("lo");
    if (loopback == 0) return;
    const auto address = quic::SocketAddress::parse("[fe80::1%lo]:4433");
    REQUIRE(address);
    CHECK(address->v6().sin6_scope_id == loopback);
    CHECK(address->to_string() == "[fe80::1%lo]:4433");
    CHECK(quic::SocketAddress::from_numeric("fe80::1%" + std::to_string(loopback), 4433) ==
          address);
    for (const char* bad : {"fe80::1%", "fe80::1%no-such-if", "fe80::1%0", "fe80::1%1x",
                            "fd00::1%lo", "127.0.0.1%lo"}) {
        CAPTURE(bad);
        CHECK_FALSE(quic::SocketAddress::from_numeric(bad, 1));
    }
    CHECK(quic::resolve("fe80::1%lo", 7)->front().port() == 7);
}
