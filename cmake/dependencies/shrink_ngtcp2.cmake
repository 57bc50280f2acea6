# ngtcp2 1.24.0 with less memory for a connection that has little to say, which most of a chat's have.
# Its pools take room for 16 of a kind, or for 33, when they want the first one, and keep it. What is
# decrypted is read before the next packet comes: one buffer is enough for a thread.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/mend_ngtcp2.cmake") # quicchat_replace_once

function(quicchat_shrink_ngtcp2 source)
    set(conn "${source}/lib/ngtcp2_conn.c")
    # Without pools of its own for each connection: quic/connection_memory.hpp is one for all of them.
    add_compile_definitions(NOMEMPOOL)

    # Five of these trees, each with a block for 31 entries that are mostly one or two.
    quicchat_replace_once("${source}/lib/ngtcp2_ksl.h"
"#define NGTCP2_KSL_DEGR 16"
"#define NGTCP2_KSL_DEGR 8")

    quicchat_replace_once("${conn}"
"  ngtcp2_mem_free(conn->mem, conn->crypto.decrypt_buf.base);"
"  /* decrypt_buf is the thread's */")
    quicchat_replace_once("${conn}"
"  return ensure_decrypt_buffer(&conn->crypto.decrypt_buf, n, 2048, conn->mem);"
"  static _Thread_local uint8_t buffer[65536]; /* no datagram is longer */

  if (n > sizeof(buffer)) {
    return NGTCP2_ERR_NOMEM;
  }

  conn->crypto.decrypt_buf.base = buffer;
  conn->crypto.decrypt_buf.len = sizeof(buffer);

  return 0;")
endfunction()
