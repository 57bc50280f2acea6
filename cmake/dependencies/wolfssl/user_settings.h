/* What of wolfSSL is built: TLS 1.3 for QUIC, the certificates a chat server needs, and the hashes
 * its login needs. Everything else is off, because code that is not there cannot be attacked.
 *
 * The library, its assembly and every program that includes its headers must see the same
 * settings, since they decide struct layouts. This file is installed beside the headers for that.
 *
 * Off on purpose: early data (replayable), Encrypted Client Hello, raw public keys, the key log
 * (HAVE_SECRET_CALLBACK), TLS 1.2 and older, client certificates, finite-field Diffie-Hellman. */
#ifndef QUICCHAT_WOLFSSL_USER_SETTINGS_H
#define QUICCHAT_WOLFSSL_USER_SETTINGS_H

#include "quicchat_platform.h" /* generated: QUICCHAT_WOLFSSL_X86_64_ASM, or nothing */

/* --- Platform ------------------------------------------------------------------------------- */
/* What configure would have found on any system with POSIX 2008. */
#define HAVE_LIMITS_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_GETTIMEOFDAY 1
#define HAVE_GMTIME_R 1
#define HAVE_GETPID 1
#define HAVE_THREAD_LS
#define WOLFSSL_IGNORE_FILE_WARN
#define ERROR_QUEUE_PER_THREAD
#define WC_NO_ASYNC_THREADING
#ifdef __SIZEOF_INT128__
#define HAVE___UINT128_T 1
#endif

/* --- TLS 1.3 over QUIC ---------------------------------------------------------------------- */
#define WOLFSSL_TLS13
#define WOLFSSL_NO_TLS12
#define NO_OLD_TLS
#define WOLFSSL_QUIC
/* A handshake record may be this long. The default of 1 MiB is what a peer without any right could
 * make us keep, per connection and encryption level. */
#define WOLFSSL_QUIC_MAX_RECORD_CAPACITY 65536
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_SNI
#define HAVE_ALPN
#define HAVE_SESSION_TICKET
#define HAVE_KEYING_MATERIAL /* the exporter, which binds a login to its connection */
#define HAVE_EX_DATA
#define OPENSSL_EXTRA /* ngtcp2's crypto helper calls the EVP functions */
#define WOLFSSL_NO_CLIENT_AUTH /* people log in with SCRAM, not with certificates */
#define WOLFSSL_SYS_CA_CERTS
/* The session cache stays compiled in, in its default size of about 30 KiB: without it
 * wolfSSL_CTX_sess_set_new_cb does not exist, by which a client gets its tickets. */

/* --- Algorithms ----------------------------------------------------------------------------- */
#define HAVE_AESGCM
#define HAVE_AES_ECB /* QUIC header protection */
#define WOLFSSL_AES_DIRECT
#define WOLFSSL_AES_COUNTER
#define NO_AES_192
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_HKDF
#define HAVE_PBKDF2
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define WOLFSSL_SHA3 /* ML-KEM */
#define WOLFSSL_SHAKE128
#define WOLFSSL_SHAKE256
#define HAVE_ECC
#define ECC_TIMING_RESISTANT
#define ECC_SHAMIR
#define ECC_MIN_KEY_SZ 256
#define HAVE_ECC384
#define HAVE_CURVE25519
#define HAVE_ED25519
#define WC_RSA_PSS
#define WC_RSA_BLINDING
#define WOLFSSL_PSS_LONG_SALT
#define RSA_MIN_SIZE 2048
#define TFM_TIMING_RESISTANT
#define WOLFSSL_HAVE_MLKEM
#define WOLFSSL_PQC_HYBRIDS /* X25519MLKEM768 */
#define WOLFSSL_TLS_NO_MLKEM_STANDALONE
#define NO_DH
#define NO_DSA
#define NO_RC4
#define NO_MD4
#define NO_MD5
#define NO_DES3
#define NO_PSK
#define NO_RABBIT
#define NO_PKCS12
#define NO_CRYPT_TEST
#define NO_CRYPT_BENCHMARK

/* --- Certificates --------------------------------------------------------------------------- */
#define WOLFSSL_ASN_TEMPLATE
/* What matters is that the server's certificate leads to an authority that we trust. Above that the
 * server may send more, such as a root that an older one vouched for. */
#define WOLFSSL_ALT_CERT_CHAINS
#define WOLFSSL_CERT_GEN
#define WOLFSSL_CERT_EXT
#define WOLFSSL_ALT_NAMES
#define WOLFSSL_KEY_GEN
#define WOLFSSL_DER_TO_PEM
#define WOLFSSL_PEM_TO_DER
#define WOLFSSL_BASE64_ENCODE

/* --- Randomness ----------------------------------------------------------------------------- */
/* wolfSSL's own generator is created and seeded once per connection, which costs as much as the
 * rest of the handshake. See random.c for what stands in its place. */
#define WC_NO_HASHDRBG
#define CUSTOM_RAND_GENERATE_BLOCK quicchat_random_block
#ifndef __ASSEMBLER__
#ifdef __cplusplus
extern "C"
#endif
    int quicchat_random_block(unsigned char* output, unsigned int size);
#endif

/* --- Big numbers ---------------------------------------------------------------------------- */
#define WOLFSSL_SP_MATH_ALL
#define WOLFSSL_HAVE_SP_RSA
#define WOLFSSL_HAVE_SP_ECC
#define WOLFSSL_SP_4096
#define WOLFSSL_SP_384
#define SP_INT_BITS 4096
#ifdef QUICCHAT_WOLFSSL_X86_64_ASM
#define WOLFSSL_X86_64_BUILD
#define WOLFSSL_SP_X86_64
#define WOLFSSL_SP_ASM
#define WOLFSSL_SP_X86_64_ASM
#define USE_INTEL_SPEEDUP
#define WOLFSSL_AESNI
#define WOLFSSL_USE_ALIGN
#else
#define GCM_TABLE_4BIT
#endif

#endif
