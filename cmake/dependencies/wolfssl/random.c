/* Random bytes for wolfSSL, straight from the kernel.
 *
 * A system call per request would cost a few hundred nanoseconds, so each thread takes a page of
 * random bytes at a time and hands it out piece by piece:
 *
 * - bytes are erased from the pool the moment they are handed out, so that a later look at the
 *   memory does not tell which keys were made of them;
 * - the kernel wipes the page in a child process (MADV_WIPEONFORK), and a pool of zeros counts as
 *   empty, so parent and child never hand out the same bytes, however the child was made;
 * - the page is left out of core dumps and, where the limits allow it, of swap.
 *
 * Where the kernel cannot wipe on fork there is no pool: every request is a system call.
 *
 * If the kernel gives no random bytes, the process aborts. Any other answer would end in keys that
 * can be guessed, because not every caller in the libraries above checks the result. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/random.h>

enum { page_bytes = 4096 };

typedef struct Pool {
    size_t left; /* unused bytes, at the end of `bytes` */
    unsigned char bytes[page_bytes - sizeof(size_t)];
} Pool;

/* memset that the compiler may not drop. */
static void wipe(void* memory, size_t size) {
    memset(memory, 0, size);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}

static void fill_from_kernel(unsigned char* output, size_t size) {
    while (size > 0) {
#ifdef __linux__
        ssize_t got = getrandom(output, size, 0);
        if (got < 0 && errno == EINTR) continue;
#else
        size_t piece = size < 256 ? size : 256; /* getentropy gives no more at a time */
        ssize_t got = getentropy(output, piece) == 0 ? (ssize_t)piece : -1;
#endif
        if (got <= 0) {
            fprintf(stderr, "quicchat: the kernel gave no random bytes (errno %d)\n", errno);
            abort();
        }
        output += got;
        size -= (size_t)got;
    }
}

#ifdef MADV_WIPEONFORK

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t pool_key;
static int key_exists;
static _Thread_local Pool* thread_pool;
static _Thread_local int thread_has_no_pool;

static void release_pool(void* memory) {
    wipe(memory, sizeof(Pool));
    munmap(memory, sizeof(Pool));
    thread_pool = NULL;
}

static void make_key(void) { key_exists = pthread_key_create(&pool_key, release_pool) == 0; }

/* This thread's pool, or null if it can have none. */
static Pool* own_pool(void) {
    if (thread_pool != NULL || thread_has_no_pool) return thread_pool;
    thread_has_no_pool = 1; /* unless all of the following succeeds */
    pthread_once(&key_once, make_key);
    if (!key_exists) return NULL;

    void* memory =
        mmap(NULL, sizeof(Pool), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    /* The whole page is wiped, whatever its size: the pool is alone in its mapping. */
    if (madvise(memory, sizeof(Pool), MADV_WIPEONFORK) != 0 ||
        pthread_setspecific(pool_key, memory) != 0) {
        munmap(memory, sizeof(Pool));
        return NULL;
    }
    madvise(memory, sizeof(Pool), MADV_DONTDUMP);
    mlock(memory, sizeof(Pool));
    thread_pool = memory;
    thread_has_no_pool = 0;
    return thread_pool;
}

static void fill(unsigned char* output, size_t size) {
    Pool* pool = size <= sizeof(pool->bytes) / 4 ? own_pool() : NULL;
    if (pool == NULL) {
        fill_from_kernel(output, size);
        return;
    }
    if (pool->left < size) {
        fill_from_kernel(pool->bytes, sizeof(pool->bytes));
        pool->left = sizeof(pool->bytes);
    }
    unsigned char* first = pool->bytes + sizeof(pool->bytes) - pool->left;
    pool->left -= size;
    memcpy(output, first, size);
    wipe(first, size);
}

#else

static void fill(unsigned char* output, size_t size) { fill_from_kernel(output, size); }

#endif

/* CUSTOM_RAND_GENERATE_BLOCK: what wc_RNG_GenerateBlock calls. Never fails. */
int quicchat_random_block(unsigned char* output, unsigned int size) {
    fill(output, size);
    return 0;
}

/* The seed source that wolfSSL_RAND_poll and others still refer to. */
int wc_GenerateSeed(OS_Seed* os, byte* output, word32 size) {
    (void)os;
    fill_from_kernel(output, size);
    return 0;
}
