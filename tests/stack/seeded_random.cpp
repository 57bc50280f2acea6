// Random bytes for wolfSSL that a seed decides: every key of a simulation can be guessed.
//
// The library has no switch for that, and nothing of it is built otherwise. wolfSSL as we build it
// takes all its random bytes from two functions, of which random.c is the only definition, alone in
// one object of an archive. A linker takes an object out of an archive only for names that are not
// defined yet. This program defines both, so random.c stays out of it. A program can get seeded
// randomness in no other way than by defining these functions itself, in its own source.

#include "stack/seeded_random.hpp"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/random.h>

namespace {

std::uint64_t state = 0;

void fill(unsigned char* output, unsigned int size) {
    std::uint64_t left = 0;
    for (unsigned int i = 0; i < size; ++i) {
        if (i % 8 == 0) {  // SplitMix64
            state += 0x9e3779b97f4a7c15;
            left = state;
            left = (left ^ (left >> 30)) * 0xbf58476d1ce4e5b9;
            left = (left ^ (left >> 27)) * 0x94d049bb133111eb;
            left ^= left >> 31;
        }
        output[i] = static_cast<unsigned char>(left);
        left >>= 8;
    }
}

}  // namespace

extern "C" int quicchat_random_block(unsigned char* output, unsigned int size) {
    fill(output, size);
    return 0;
}

extern "C" int wc_GenerateSeed(OS_Seed*, byte* output, word32 size) {
    fill(output, size);
    return 0;
}

void quicchat::test::seed_tls(std::uint64_t seed) { state = seed; }
