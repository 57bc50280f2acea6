#pragma once

#include <cstdint>

// What the module asks of the page. All that it has of the world comes from here: it opens no
// socket, reads no clock, and draws no randomness of its own. No import calls back into the module.

#ifdef __wasm__
#define QUICCHAT_IMPORT(name) \
    extern "C" __attribute__((import_module("quicchat"), import_name(#name)))
#else
#define QUICCHAT_IMPORT(name) extern "C"  // a native test defines them
#endif

/// Fills memory from `crypto.getRandomValues`.
QUICCHAT_IMPORT(random) void quicchat_random(void* bytes, std::uint32_t size);

/// Dials the server, in place of any connection before. `on_connected` or `on_closed` follows.
QUICCHAT_IMPORT(dial) void quicchat_dial();

/// Opens the next bidirectional stream.
QUICCHAT_IMPORT(open) void quicchat_open(std::uint32_t stream);

/// Writes to a stream. `on_sent` follows when the bytes were taken.
QUICCHAT_IMPORT(write)
void quicchat_write(std::uint32_t stream, const void* bytes, std::uint32_t size, std::uint32_t fin);

/// Abandons a stream in both directions.
QUICCHAT_IMPORT(reset) void quicchat_reset(std::uint32_t stream, std::uint32_t code);

/// So many bytes more of a stream may be read.
QUICCHAT_IMPORT(credit) void quicchat_credit(std::uint32_t stream, std::uint32_t bytes);

QUICCHAT_IMPORT(datagram) void quicchat_datagram(const void* bytes, std::uint32_t size);

/// Closes the connection. `on_closed` follows.
QUICCHAT_IMPORT(close)
void quicchat_close(std::uint32_t code, const char* text, std::uint32_t size);

/// Tells an event, as JSON; see events.hpp.
QUICCHAT_IMPORT(event) void quicchat_event(const char* json, std::uint32_t size);

/// Tells the next bytes of a file that is being fetched.
QUICCHAT_IMPORT(chunk)
void quicchat_chunk(double request, double offset, const void* bytes, std::uint32_t size);

/// Stores an unsent message, which is on its way only when that is done. See `poll_unsent`.
QUICCHAT_IMPORT(keep)
void quicchat_keep(double number, const void* record, std::uint32_t size);

/// It has its answer.
QUICCHAT_IMPORT(forget) void quicchat_forget(double number);
