// The page's WebTransport object, as the module wants it. Nothing in here knows the protocol.
//
// Three rules, each with a test in tests/web/transport.test.mjs:
//  - the end of a session is told once, by `closed`. Its streams and datagrams end with it and say
//    nothing; only what the peer does to one stream (`error.source === "stream"`) is about that;
//  - a stream is read only while it has credit. What the browser then holds back, its flow control
//    holds back from the server;
//  - streams have their numbers by the order of the calls, as the server counts them.

import { codes, words } from './errors.js';

/** Bytes of a stream that are read before the module gives credit back. */
export const STREAM_WINDOW = 256 * 1024;

/** A handshake that takes longer than this many milliseconds is said to be slow. */
export const SLOW_AFTER = 3000;

/** Datagrams that wait for the browser. They are hints: more are dropped. */
const DATAGRAMS_MAX = 16;

/**
 * What the transport reports, never from within a call of the module.
 * @typedef {object} Sink
 * @property {(certificate: number) => void} connected `certificate`: see TransportOptions.oneHash
 * @property {(stream: number, bytes: Uint8Array, fin: boolean) => void} data
 * @property {(stream: number, code: number) => void} reset
 * @property {(stream: number, bytes: number) => void} sent
 * @property {(bytes: Uint8Array) => void} datagram
 * @property {(code: number, byPeer: boolean, text: string) => void} closed
 * @property {() => void} slow
 */

/**
 * @typedef {object} TransportOptions
 * @property {string} url
 * @property {Uint8Array<ArrayBuffer>[]} hashes SHA-256 of certificates; none: as the
 *   browser trusts
 * @property {boolean} oneHash dial with one of the hashes at a time, so that the certificate is
 *   known; after a failed attempt the next one is tried
 * @property {() => Promise<void>} [prepare] awaited between the handshake and `connected`
 * @property {typeof WebTransport} WebTransport
 * @property {Sink} sink
 */

const NOTHING = new Uint8Array(0);

/** One stream in both directions. */
class Stream {
  /** @type {(() => void)[]} */
  waiting = []; // writes, until there is a writer
  /** @type {WritableStreamDefaultWriter<Uint8Array> | null} */
  writer = null;
  /** @type {ReadableStreamDefaultReader<Uint8Array> | null} */
  reader = null;
  credit = STREAM_WINDOW;
  /** @type {(() => void) | null} */
  wake = null;
  /** @type {number | null} */
  abandoned = null;
  finished = false; // by us
  ended = false; // by the server
}

/** One session, from its dialling to its end. */
class Session {
  /** @type {Map<number, Stream>} */
  #streams = new Map();
  #over = false;
  #ready = false;
  #ours = false; // we closed it
  #datagrams = 0;
  /** @type {WritableStreamDefaultWriter<Uint8Array> | null} */
  #hints = null;
  /** @type {WebTransport | null} */
  #transport = null;

  /**
   * @param {TransportOptions} options
   * @param {number} certificate
   */
  constructor(options, certificate) {
    this.options = options;
    this.sink = options.sink;
    this.certificate = certificate;
    this.failed = false; // before it was ready
    queueMicrotask(() => this.#run());
  }

  async #run() {
    if (this.#over) return;
    const { url, hashes, oneHash, prepare, WebTransport } = this.options;
    const pinned = oneHash ? hashes.slice(this.certificate, this.certificate + 1) : hashes;
    const slow = setTimeout(() => {
      if (!this.#over && !this.#ready) this.sink.slow();
    }, SLOW_AFTER);
    try {
      const transport = new WebTransport(url, {
        congestionControl: 'low-latency',
        ...(pinned.length && {
          serverCertificateHashes: pinned.map((value) => ({ algorithm: 'sha-256', value })),
        }),
      });
      this.#transport = transport;
      transport.closed.then(
        (info) => this.end(info?.closeCode ?? 0, !this.#ours, info?.reason ?? ''),
        (error) => this.#fail(error),
      );
      await transport.ready;
      this.#ready = true;
      clearTimeout(slow);
      if (this.#over) return;
      try {
        await prepare?.();
      } catch (error) {
        if (!this.#over) this.close(codes.closed, '');
        this.end(codes.transportFailed, false, words(error));
        return;
      }
      if (this.#over) return;
      this.sink.connected(this.certificate);
      this.#readDatagrams(transport);
    } catch (error) {
      this.#fail(error); // if `closed` has not said so already
    } finally {
      clearTimeout(slow);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!this.#over && !this.#ready) this.failed = true;
    const code = this.#ready ? codes.transportFailed : codes.handshakeTimeout;
    this.end(code, false, words(error));
  }

  /**
   * @param {number} code
   * @param {boolean} byPeer
   * @param {string} text
   */
  end(code, byPeer, text) {
    if (this.#over) return;
    this.#over = true;
    for (const stream of this.#streams.values()) stream.wake?.();
    this.#streams.clear();
    this.sink.closed(code, byPeer, text);
  }

  /**
   * @param {number} code
   * @param {string} text
   */
  close(code, text) {
    this.failed ||= !this.#ready;
    this.#ours = true;
    try {
      this.#transport?.close({ closeCode: code, reason: text });
    } catch {
      // It is over already.
    }
    queueMicrotask(() => this.end(codes.closed, false, text));
  }

  /** Ends it without a word to anybody: there is another one. */
  forget() {
    this.#over = true;
    this.close(codes.closed, '');
  }

  /** @param {number} id */
  open(id) {
    const transport = this.#transport;
    if (this.#over || !transport) return;
    const stream = new Stream();
    this.#streams.set(id, stream);
    transport.createBidirectionalStream().then(
      ({ readable, writable }) => {
        stream.writer = writable.getWriter();
        stream.writer.closed.catch(() => {}); // `closed` of the session or the reader tells
        stream.reader = readable.getReader();
        for (const write of stream.waiting.splice(0)) write();
        if (stream.abandoned !== null) this.#abandon(stream, stream.abandoned);
        else this.#read(id, stream, stream.reader);
      },
      () => {}, // as the session ends
    );
  }

  /**
   * @param {number} id
   * @param {Stream} stream
   * @param {ReadableStreamDefaultReader<Uint8Array>} reader
   */
  async #read(id, stream, reader) {
    try {
      for (;;) {
        while (stream.credit <= 0 && !this.#over) {
          await new Promise((/** @type {(value?: unknown) => void} */ wake) => {
            stream.wake = wake;
          });
        }
        const { value, done } = await reader.read();
        if (this.#over || stream.abandoned !== null) return;
        stream.credit -= value?.length ?? 0;
        if (done) this.#endHalf(id, stream, 'ended');
        this.sink.data(id, value ?? NOTHING, done);
        if (done) return;
      }
    } catch (/** @type {any} */ error) {
      if (this.#over || stream.abandoned !== null || error?.source !== 'stream') return;
      this.#streams.delete(id);
      this.sink.reset(id, error.streamErrorCode ?? 0);
    }
  }

  /**
   * @param {number} id
   * @param {Uint8Array} bytes
   * @param {boolean} fin
   */
  write(id, bytes, fin) {
    const stream = this.#streams.get(id);
    if (!stream) return;
    const write = () => {
      const writer = /** @type {WritableStreamDefaultWriter<Uint8Array>} */ (stream.writer);
      const sent = () => {
        if (!this.#over) this.sink.sent(id, bytes.length);
      };
      // What a stream does not take any more is not under way either.
      if (bytes.length) writer.write(bytes).then(sent, sent);
      if (fin) writer.close().catch(() => {});
    };
    if (stream.writer) write();
    else stream.waiting.push(write);
    if (fin) this.#endHalf(id, stream, 'finished');
  }

  /**
   * Forgets a stream that is over in both directions.
   * @param {number} id
   * @param {Stream} stream
   * @param {'finished' | 'ended'} half
   */
  #endHalf(id, stream, half) {
    stream[half] = true;
    if (stream.finished && stream.ended) this.#streams.delete(id);
  }

  /**
   * @param {number} id
   * @param {number} code
   */
  reset(id, code) {
    const stream = this.#streams.get(id);
    if (!stream) return;
    this.#streams.delete(id);
    stream.abandoned = code;
    stream.waiting.length = 0;
    stream.wake?.();
    if (stream.writer) this.#abandon(stream, code);
  }

  /**
   * @param {Stream} stream
   * @param {number} code
   */
  #abandon(stream, code) {
    const why = streamError(code);
    stream.writer?.abort(why).catch(() => {});
    stream.reader?.cancel(why).catch(() => {});
  }

  /**
   * @param {number} id
   * @param {number} bytes
   */
  credit(id, bytes) {
    const stream = this.#streams.get(id);
    if (!stream) return;
    stream.credit += bytes;
    stream.wake?.();
    stream.wake = null;
  }

  /** @param {Uint8Array} bytes */
  datagram(bytes) {
    const transport = this.#transport;
    if (this.#over || !transport || this.#datagrams >= DATAGRAMS_MAX) return;
    this.#hints ??= (
      /** @type {any} */ (transport.datagrams).createWritable?.() ?? transport.datagrams.writable
    ).getWriter();
    const taken = () => {
      this.#datagrams -= 1;
    };
    this.#datagrams += 1;
    this.#hints?.write(bytes).then(taken, taken);
  }

  /** @param {WebTransport} transport */
  async #readDatagrams(transport) {
    try {
      const reader = transport.datagrams.readable.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done || this.#over) return;
        this.sink.datagram(value);
      }
    } catch {
      // `closed` tells why.
    }
  }
}

/** @param {number} code */
function streamError(code) {
  const Kind = /** @type {any} */ (globalThis).WebTransportError;
  if (!Kind) return Object.assign(new Error('abandoned'), { streamErrorCode: code });
  const error = new Kind('abandoned', { streamErrorCode: code });
  return error.streamErrorCode === code ? error : new Kind({ streamErrorCode: code });
}

/** One session after another. */
export class Transport {
  /** @type {Session | null} */
  #session = null;
  #certificate = 0;

  /** @param {TransportOptions} options */
  constructor(options) {
    this.#options = options;
  }

  #options;

  dial() {
    if (this.#session?.failed && this.#options.oneHash) {
      this.#certificate = (this.#certificate + 1) % Math.max(this.#options.hashes.length, 1);
    }
    this.#session?.forget();
    this.#session = new Session(this.#options, this.#certificate);
  }

  /** @param {number} stream */
  open(stream) {
    this.#session?.open(stream);
  }

  /**
   * @param {number} stream
   * @param {Uint8Array} bytes
   * @param {boolean} fin
   */
  write(stream, bytes, fin) {
    this.#session?.write(stream, bytes, fin);
  }

  /**
   * @param {number} stream
   * @param {number} code
   */
  reset(stream, code) {
    this.#session?.reset(stream, code);
  }

  /**
   * @param {number} stream
   * @param {number} bytes
   */
  credit(stream, bytes) {
    this.#session?.credit(stream, bytes);
  }

  /** @param {Uint8Array} bytes */
  datagram(bytes) {
    this.#session?.datagram(bytes);
  }

  /**
   * @param {number} code
   * @param {string} text
   */
  close(code, text) {
    this.#session?.close(code, text);
  }
}
