// What can go wrong, by the protocol's names (PROTOCOL.md §8).

/**
 * A request that was refused, or a connection that is over.
 */
export class QuicChatError extends Error {
  /**
   * @param {string} code the protocol's name of the error, as "forbidden"
   * @param {string} text for people
   * @param {{number?: number, byPeer?: boolean, retryAfter?: number}} [more]
   */
  constructor(code, text, { number = 0, byPeer = false, retryAfter = 0 } = {}) {
    super(text || code.replaceAll('_', ' '));
    this.name = 'QuicChatError';
    /** The protocol's name of the error. */
    this.code = code;
    /** Its number. */
    this.number = number;
    /** True if the server said so. */
    this.byPeer = byPeer;
    /** Milliseconds after which the same may succeed; 0: nobody said. */
    this.retryAfter = retryAfter;
  }
}

/**
 * Of whatever was thrown.
 * @param {unknown} error
 */
export function words(error) {
  return error instanceof Error ? error.message : String(error ?? '');
}

/** Numbers of errors that the transport reports. */
export const codes = Object.freeze({
  closed: 0,
  handshakeTimeout: 26,
  transportFailed: 27,
});
