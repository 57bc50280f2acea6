// What the pinned build of wolfSSL and ngtcp2 promises. Compiled to nothing if the libraries came
// from the system or from a prefix, where others decide.
#ifdef QUICCHAT_BUILT_WOLFSSL

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <ngtcp2/ngtcp2.h>
#include <wolfssl/quic.h>
#include <wolfssl/wolfcrypt/random.h>

namespace {

using RandomBytes = std::array<unsigned char, 32>;

RandomBytes random_bytes() {
    WC_RNG generator;
    RandomBytes bytes{};
    REQUIRE(wc_InitRng(&generator) == 0);
    REQUIRE(wc_RNG_GenerateBlock(&generator, bytes.data(), bytes.size()) == 0);
    wc_FreeRng(&generator);
    return bytes;
}

std::string output_of(const std::string& command) {
    std::string output;
    std::FILE* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> buffer{};
    while (std::size_t length = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        output.append(buffer.data(), length);
    }
    REQUIRE(pclose(pipe) == 0);
    return output;
}

/// The functions of a disassembled library that use ymm registers and may return without having
/// zeroed their upper halves. Counts in `users` those that use them at all.
std::set<std::string> functions_that_leave_avx_dirty(const std::string& library, int& users) {
    std::set<std::string> found;
    std::istringstream lines{
        output_of(QUICCHAT_OBJDUMP " -d --no-show-raw-insn " + library + " 2>/dev/null")};
    std::string function;
    bool uses = false;
    bool dirty = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with(">:")) {
            const std::string name = line.substr(line.find('<') + 1);
            if (name.starts_with("L_")) continue;  // a place within a function
            function = name.substr(0, name.size() - 2);
            uses = dirty = false;
        } else if (line.find("%ymm") != std::string::npos) {
            users += uses ? 0 : 1;
            uses = dirty = true;
        } else if (line.find("\tvzero") != std::string::npos) {
            dirty = false;
        } else if (dirty && (line.find("\tret") != std::string::npos ||
                             line.find("\trepz ret") != std::string::npos)) {
            found.insert(function);
        }
    }
    return found;
}

}  // namespace

TEST_CASE("the libraries built from archives", "[build]") {
    SECTION("are the pinned versions, in the headers and in the code") {
        CHECK(std::string(LIBWOLFSSL_VERSION_STRING) == "5.9.2");
        CHECK(std::string(wolfSSL_lib_version()) == "5.9.2");
        CHECK(std::string(NGTCP2_VERSION) == "1.24.0");
        CHECK(std::string(ngtcp2_version(0)->version_str) == "1.24.0");
    }

    SECTION("contain what a chat over QUIC needs") {
#if defined(WOLFSSL_QUIC) && defined(WOLFSSL_TLS13) && defined(HAVE_KEYING_MATERIAL) && \
    defined(HAVE_SESSION_TICKET) && defined(HAVE_ALPN) && defined(HAVE_SNI)
        SUCCEED();
#else
        FAIL("a feature is missing");
#endif
        CHECK(WOLFSSL_QUIC_MAX_RECORD_CAPACITY == 65536);
    }

    SECTION("do not contain what they must not") {
#if defined(HAVE_ECH) || defined(HAVE_RPK) || defined(WOLFSSL_EARLY_DATA) ||         \
    defined(SHOW_SECRETS) || defined(DEBUG_WOLFSSL) || !defined(WOLFSSL_NO_TLS12) || \
    !defined(NO_OLD_TLS)
        FAIL("a feature is compiled in that quicchat leaves out on purpose");
#else
        SUCCEED();
#endif
        // Only where it was asked for; see QUICCHAT_TLS_KEY_LOG.
#ifdef QUICCHAT_TLS_KEY_LOG
        constexpr bool key_log = true;
#else
        constexpr bool key_log = false;
#endif
#ifdef HAVE_SECRET_CALLBACK
        CHECK(key_log);
#else
        CHECK_FALSE(key_log);
#endif
        const std::string symbols =
            output_of(QUICCHAT_NM " -g " QUICCHAT_BUILT_WOLFSSL " 2>/dev/null");
        CHECK(symbols.find("wolfSSL_CTX_set_quic_method") != std::string::npos);
        CHECK((symbols.find("keylog_callback") != std::string::npos) == key_log);
        CHECK(symbols.find("early_data_enabled") == std::string::npos);
        CHECK(symbols.find("GetEchConfigs") == std::string::npos);
    }

    SECTION("use assembly exactly if they were asked to") {
        const std::string symbols =
            output_of(QUICCHAT_NM " --defined-only " QUICCHAT_BUILT_WOLFSSL " 2>/dev/null");
        for (const char* name :
             {"AES_GCM_encrypt_avx2", "chacha_encrypt_avx2", "poly1305_blocks_avx2",
              "Transform_Sha256_AVX2", "curve25519_x64", "sp_2048_mont_mul_avx2_32",
              "sp_256_mont_mul_avx2_4", "mlkem_keygen_avx2"}) {
            CAPTURE(name);
            CHECK((symbols.find(name) != std::string::npos) == (QUICCHAT_BUILT_WITH_ASM != 0));
        }
    }

    // They would slow down all SSE code of the thread, such as SHA, a hundred times.
    SECTION("zero the upper halves of the registers of AVX before they return") {
        if (QUICCHAT_BUILT_WITH_ASM == 0) SKIP("built without assembly");
        if (std::string_view{QUICCHAT_OBJDUMP}.empty()) SKIP("no objdump (Debian: binutils)");
        int users = 0;
        CHECK(functions_that_leave_avx_dirty(QUICCHAT_BUILT_WOLFSSL, users) ==
              std::set<std::string>{});
        CHECK(users > 50);
    }
}

TEST_CASE("wolfSSL's random bytes", "[build]") {
    SECTION("never repeat within a thread") {
        std::set<RandomBytes> seen;
        for (int round = 0; round < 1000; ++round) CHECK(seen.insert(random_bytes()).second);
    }

    SECTION("are not those of another thread") {
        RandomBytes elsewhere{};
        const RandomBytes before = random_bytes();
        std::thread([&] { elsewhere = random_bytes(); }).join();
        CHECK(elsewhere != before);
        CHECK(elsewhere != random_bytes());
    }

    SECTION("are not those of a child process that began with the same pool") {
        random_bytes();  // the pool is filled, and the child inherits it
        std::array<int, 2> ends{};
        REQUIRE(pipe(ends.data()) == 0);
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            RandomBytes bytes{};
            WC_RNG generator;
            const bool drawn = wc_InitRng(&generator) == 0 &&
                               wc_RNG_GenerateBlock(&generator, bytes.data(), bytes.size()) == 0;
            const bool sent = drawn && write(ends[1], bytes.data(), bytes.size()) ==
                                           static_cast<ssize_t>(bytes.size());
            _exit(sent ? 0 : 1);
        }
        RandomBytes of_child{};
        CHECK(read(ends[0], of_child.data(), of_child.size()) ==
              static_cast<ssize_t>(of_child.size()));
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        close(ends[0]);
        close(ends[1]);
        CHECK(of_child != random_bytes());
    }
}

#endif
