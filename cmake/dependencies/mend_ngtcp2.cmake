# ngtcp2 1.24.0 with what tests/stack found: paths that change while packets are lost. Each of them
# ends a connection, or holds it up until its idle timeout. The first two are as in later releases.
# The last one a fuzzer found: it ends the program of a client.
include_guard(GLOBAL)

function(quicchat_replace_once file old new)
    file(READ "${file}" text)
    string(FIND "${text}" "${new}" done)
    if(NOT done LESS 0)
        return() # the folder was used before
    endif()
    string(FIND "${text}" "${old}" first)
    string(FIND "${text}" "${old}" last REVERSE)
    if(first LESS 0 OR NOT first EQUAL last)
        message(FATAL_ERROR "${file} does not have once what is to be mended:\n${old}")
    endif()
    string(REPLACE "${old}" "${new}" text "${text}")
    file(WRITE "${file}" "${text}")
endfunction()

function(quicchat_mend_ngtcp2 source)
    set(conn "${source}/lib/ngtcp2_conn.c")

    # Commit 45a0ea89: a client that comes back to the path that it has just left. The server went
    # on to send to the other one.
    quicchat_replace_once("${conn}"
"  return pv && ngtcp2_path_eq(&pv->dcid.ps.path, path);"
"  return pv && ngtcp2_path_eq(&pv->dcid.ps.path, path) &&
         !(pv->flags & NGTCP2_PV_FLAG_DONT_CARE);")

    # Commit 1ffa646c: a connection id that the validation of another path still needs was retired.
    # The peer gave a new one, which was one too many: CONNECTION_ID_LIMIT_ERROR.
    quicchat_replace_once("${source}/lib/ngtcp2_pv.h"
"#define NGTCP2_PV_FLAG_PREFERRED_ADDR 0x10U"
"#define NGTCP2_PV_FLAG_PREFERRED_ADDR 0x10U
#define NGTCP2_PV_FLAG_DONT_RETIRE_FALLBACK 0x20U")
    quicchat_replace_once("${conn}"
"  if (pv->dcid.cid.datalen && pv->dcid.seq != conn->dcid.current.seq) {
    rv = conn_retire_active_dcid(conn, &pv->dcid, ts);"
"  if (pv->dcid.cid.datalen && pv->dcid.seq != conn->dcid.current.seq &&
      (!(pv->flags & NGTCP2_PV_FLAG_FALLBACK_PRESENT) ||
       !(pv->flags & NGTCP2_PV_FLAG_DONT_RETIRE_FALLBACK) ||
       pv->dcid.seq != pv->fallback_dcid.seq)) {
    rv = conn_retire_active_dcid(conn, &pv->dcid, ts);")
    quicchat_replace_once("${conn}"
"  if ((pv->flags & NGTCP2_PV_FLAG_FALLBACK_PRESENT) &&
      pv->fallback_dcid.cid.datalen &&
      pv->fallback_dcid.seq != conn->dcid.current.seq &&"
"  if ((pv->flags & NGTCP2_PV_FLAG_FALLBACK_PRESENT) &&
      !(pv->flags & NGTCP2_PV_FLAG_DONT_RETIRE_FALLBACK) &&
      pv->fallback_dcid.cid.datalen &&
      pv->fallback_dcid.seq != conn->dcid.current.seq &&")
    quicchat_replace_once("${conn}"
"    pv->flags &= (uint8_t)~NGTCP2_PV_FLAG_FALLBACK_PRESENT;
  }

  rv = conn_stop_pv(conn, ts);"
"    pv->flags |= NGTCP2_PV_FLAG_DONT_RETIRE_FALLBACK;
  }

  rv = conn_stop_pv(conn, ts);")
    quicchat_replace_once("${conn}"
"      conn->pv->flags &= (uint8_t)~NGTCP2_PV_FLAG_FALLBACK_PRESENT;"
"      conn->pv->flags |= NGTCP2_PV_FLAG_DONT_RETIRE_FALLBACK;")

    # The same where the validation that ends was of the path before the last one, by the connection
    # id that is in use: a client that gets another address soon after its NAT gave it another port.
    quicchat_replace_once("${conn}"
"  if (conn->pv) {
    ngtcp2_log_info(
      &conn->log, NGTCP2_LOG_EVENT_PTV,
      \"path migration is aborted because new migration has started\");"
"  if (conn->pv) {
    if (pv && (pv->flags & NGTCP2_PV_FLAG_FALLBACK_PRESENT) &&
        conn->pv->dcid.seq == pv->fallback_dcid.seq) {
      ngtcp2_pv_set_fallback(conn->pv, &pv->fallback_dcid, pv->fallback_pto);
      conn->pv->flags |= NGTCP2_PV_FLAG_DONT_RETIRE_FALLBACK;
    }

    ngtcp2_log_info(
      &conn->log, NGTCP2_LOG_EVENT_PTV,
      \"path migration is aborted because new migration has started\");")

    # Lost packets with PATH_RESPONSE counted as in flight, and no timer ran for them. Two or three
    # fill a small congestion window, and then nothing was sent any more. Those on another path than
    # the current one are not counted.
    quicchat_replace_once("${conn}"
"          rtb_entry_flags |= NGTCP2_RTB_ENTRY_FLAG_ACK_ELICITING;
          require_padding = require_padding || !conn->server ||"
"          rtb_entry_flags |= NGTCP2_RTB_ENTRY_FLAG_ACK_ELICITING |
                             NGTCP2_RTB_ENTRY_FLAG_PTO_ELICITING;
          require_padding = require_padding || !conn->server ||")

    # A server that had sent three times what came from a new path stopped its timer for lost packets
    # and never began it again, although more came, or it went back to the old path.
    quicchat_replace_once("${conn}"
"  return conn_recv_cpkt(conn, path, pi, pkt, pktlen, ts);"
"  rv = conn_recv_cpkt(conn, path, pi, pkt, pktlen, ts);
  if (rv == 0 && conn->server &&
      conn->cstat.loss_detection_timer == UINT64_MAX) {
    ngtcp2_conn_set_loss_detection_timer(conn, ts);
  }

  return rv;")
    quicchat_replace_once("${conn}"
"    ngtcp2_dcid_copy(&conn->dcid.current, &pv->fallback_dcid);
    conn_reset_congestion_state(conn, ts);
  }

  return conn_stop_pv(conn, ts);"
"    ngtcp2_dcid_copy(&conn->dcid.current, &pv->fallback_dcid);
    conn_reset_congestion_state(conn, ts);
    ngtcp2_conn_set_loss_detection_timer(conn, ts);
  }

  return conn_stop_pv(conn, ts);")

    # A client whose server said HANDSHAKE_DONE in the datagram that ended its handshake, before it
    # could send its own Finished, used what had just been freed: a null pointer.
    quicchat_replace_once("${conn}"
"  if (conn->flags & NGTCP2_CONN_FLAG_HANDSHAKE_CONFIRMED) {
    return 0;
  }

  conn->flags |= NGTCP2_CONN_FLAG_HANDSHAKE_CONFIRMED |
                 NGTCP2_CONN_FLAG_SERVER_ADDR_VERIFIED;"
"  if (conn->state != NGTCP2_CS_POST_HANDSHAKE) {
    return NGTCP2_ERR_PROTO;
  }

  if (conn->flags & NGTCP2_CONN_FLAG_HANDSHAKE_CONFIRMED) {
    return 0;
  }

  conn->flags |= NGTCP2_CONN_FLAG_HANDSHAKE_CONFIRMED |
                 NGTCP2_CONN_FLAG_SERVER_ADDR_VERIFIED;")
endfunction()
