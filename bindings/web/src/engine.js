// What lives in the Worker: the module, its transport and its clock. The page's side of it is
// chat.js; the two speak by messages.

import { Core, compile, toHex } from './core.js';
import { codes, words } from './errors.js';
import { Transport } from './transport.js';

/** Events that the page has not taken. With more the module reads nothing from the server. */
export const UNTAKEN_MAX = 1000;

/** Bytes of a file that are hashed at once. */
const PIECE = 256 * 1024;

/** Pieces of a file that is fetched; so many become one Blob, which may go to the browser's disk. */
const PIECES_MAX = 128;

/**
 * A file on its way.
 * @typedef {object} Transfer
 * @property {number} ticket
 * @property {Blob} [blob] that is being sent
 * @property {Blob[]} [parts] that were fetched
 * @property {Uint8Array<ArrayBuffer>[]} [pieces]
 * @property {number} done
 * @property {number} size
 * @property {number} most
 * @property {ReturnType<Core['hash']>} [hash]
 * @property {any} [head]
 */

/**
 * @typedef {object} Start
 * @property {string} url
 * @property {Uint8Array<ArrayBuffer>[]} hashes
 * @property {string} [user]
 * @property {string} [password]
 * @property {boolean} tickets log in by tickets, which are asked for
 * @property {string} agent
 * @property {string | BufferSource | WebAssembly.Module} wasm
 */

export class Engine {
  /** @type {Core | null} */
  #core = null;
  /** @type {Transport | null} */
  #transport = null;
  /** @type {any[]} */
  #events = [];
  #untaken = 0;
  #starved = false;
  #soon = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Map<number, Transfer>} */
  #transfers = new Map(); // by request
  /** @type {Set<number>} */
  #cancelled = new Set(); // tickets, before there is a request
  /** @type {{resolve: (jwt: string) => void, reject: (error: Error) => void} | null} */
  #asked = null;
  #over = false;

  /**
   * @param {(message: any, transfer?: Transferable[]) => void} post
   * @param {{WebTransport?: typeof WebTransport, setTimeout?: Function}} [world] in tests
   */
  constructor(post, world = {}) {
    this.#post = post;
    this.#world = world;
  }

  #post;
  #world;

  /**
   * Takes a message of the page.
   * @param {any} message
   */
  async handle(message) {
    try {
      await this.#take(message);
    } catch (error) {
      this.#fatal(error);
    }
  }

  /** @param {any} message */
  async #take(message) {
    switch (message.do) {
      case 'start':
        return this.#start(message);
      case 'call':
        return this.#request(message.ticket, message.name, message.args);
      case 'tell': // what has no answer
        if (this.#core && !this.#over) this.#core.call(message.name, ...message.args);
        return this.#wake();
      case 'typing':
        if (this.#core && !this.#over) {
          this.#core.call('typing', message.room, performance.now());
        }
        return this.#wake();
      case 'taken':
        this.#untaken -= message.count;
        if (this.#starved) this.#wake();
        return;
      case 'sendFile':
        return this.#sendFile(message);
      case 'fetchFile':
        return this.#fetchFile(message);
      case 'cancel':
        return this.#cancel(message.ticket);
      case 'ticket':
        if (message.error !== undefined) this.#asked?.reject(new Error(message.error));
        else this.#asked?.resolve(message.jwt);
        this.#asked = null;
        return;
      case 'close':
        if (this.#core && !this.#over) this.#core.call('close');
        else this.#end({ error: 'closed', code: 0, text: 'closed before it began' });
        return this.#wake();
    }
  }

  /** @param {Start} options */
  async #start(options) {
    const { url, hashes, user, password, tickets, agent, wasm } = options;
    const module = await compile(wasm);
    if (this.#over) return;
    const later = (/** @type {() => void} */ call) => {
      call();
      this.#wake();
    };
    const core = new Core(module, {
      dial: () => this.#transport?.dial(),
      open: (stream) => this.#transport?.open(stream),
      write: (stream, bytes, fin) => this.#transport?.write(stream, bytes, fin),
      reset: (stream, code) => this.#transport?.reset(stream, code),
      credit: (stream, bytes) => this.#transport?.credit(stream, bytes),
      datagram: (bytes) => this.#transport?.datagram(bytes),
      close: (code, text) => this.#transport?.close(code, text),
      event: (event) => this.#event(event),
      chunk: (request, offset, bytes) => this.#chunk(request, bytes),
    });
    this.#transport = new Transport({
      url,
      hashes,
      oneHash: !tickets,
      prepare: tickets ? () => this.#giveTicket(core) : undefined,
      WebTransport: this.#world.WebTransport ?? globalThis.WebTransport,
      sink: {
        connected: (certificate) => later(() => core.call('on_connected', certificate)),
        data: (stream, bytes, fin) =>
          later(() => core.call('on_data', stream, bytes, Number(fin))),
        reset: (stream, code) => later(() => core.call('on_reset', stream, code)),
        sent: (stream, bytes) => later(() => core.call('on_sent', stream, bytes)),
        datagram: (bytes) => later(() => core.call('on_datagram', bytes)),
        closed: (code, byPeer, text) =>
          later(() => core.call('on_closed', code, Number(byPeer), text)),
        slow: () => this.#post({ events: [{ type: 'slow' }], free: true }),
      },
    });
    const pinned = new Uint8Array(32 * hashes.length);
    hashes.forEach((hash, i) => pinned.set(hash, 32 * i));
    const { hostname, port } = new URL(url); // a host as browsers write it, so as it is hashed
    const error = tickets
      ? core.call('create_with_tickets', pinned, hostname, Number(port || 443), agent)
      : core.call('create_with_password', user ?? '', password ?? '', pinned, agent);
    if (error !== 0) {
      this.#end(core.describeError(error));
      return;
    }
    this.#core = core;
    core.call('connect', performance.now(), Date.now());
    this.#wake();
  }

  /**
   * Asks the page for a ticket and gives it to the login.
   * @param {Core} core
   */
  async #giveTicket(core) {
    this.#asked?.reject(new Error('another ticket was asked for'));
    const jwt = await new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#post({ wants: 'ticket' });
    });
    const error = core.call('set_ticket', jwt);
    if (error !== 0) throw new Error('what the page got is no ticket');
  }

  /** Gives the module a turn, once for all that happens now. */
  #wake() {
    if (this.#soon || this.#over) return;
    this.#soon = true;
    queueMicrotask(() => {
      this.#soon = false;
      try {
        this.#turn();
      } catch (error) {
        this.#fatal(error);
      }
    });
  }

  #turn() {
    const core = this.#core;
    if (!core || this.#over) return;
    clearTimeout(this.#timer);
    const most = Math.max(UNTAKEN_MAX - this.#untaken, 0);
    const told = core.call('process', performance.now(), Date.now(), most);
    this.#starved = told >= most;
    if (this.#events.length) {
      this.#untaken += this.#events.length;
      this.#post({ events: this.#events });
      this.#events = [];
    }
    if (this.#over) return;
    if (this.#starved && this.#untaken < UNTAKEN_MAX) this.#wake();
    const due = core.call('next_deadline');
    if (due >= 0) {
      const delay = Math.min(Math.max(due - performance.now(), 1), 2 ** 31 - 1);
      this.#timer = setTimeout(() => this.#wake(), delay);
    }
  }

  /** @param {any} event */
  #event(event) {
    switch (event.type) {
      case 'fileWanted':
        this.#give(event).catch((error) => this.#fail(event.request, error));
        return;
      case 'fileBegun':
        return this.#begin(event);
      case 'fileFetched':
        return this.#complete(event);
      case 'acked':
      case 'refused': {
        const transfer = this.#transfers.get(event.request);
        if (transfer) this.#transfers.delete(event.request);
        break;
      }
      case 'offline':
        this.#over = true;
        clearTimeout(this.#timer);
        break;
    }
    this.#events.push(event);
  }

  /**
   * A fault of the Worker's own.
   * @param {unknown} error
   */
  #fatal(error) {
    this.#end({ error: 'internal_error', code: 23, text: words(error) });
  }

  /**
   * That was all, without the module.
   * @param {{error: string, code: number, text: string}} reason
   */
  #end(reason) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#transport?.close(codes.closed, '');
    const event = { type: 'offline', reason: { ...reason, byPeer: false } };
    this.#post({ events: [event], free: true });
  }

  /**
   * @param {number} ticket
   * @param {string} name
   * @param {(string | number | Uint8Array)[]} args
   */
  #request(ticket, name, args) {
    if (!this.#core || this.#over) {
      this.#post({ ticket, error: 'not_ready' });
      return 0;
    }
    const request = this.#core.call(name, ...args);
    this.#wake();
    if (request < 0) this.#post({ ticket, ...this.#core.describeError(-request) });
    else this.#post({ ticket, request });
    return request;
  }

  // Files.

  /** @param {{ticket: number, room: string, name: string, blob: Blob, attributes: string,
   *   replyTo: number}} message */
  async #sendFile({ ticket, room, name, blob, attributes, replyTo }) {
    const hash = this.#core?.hash();
    if (!hash) return this.#post({ ticket, error: 'not_ready' });
    try {
      for (let at = 0; at < blob.size && !this.#cancelled.has(ticket); at += PIECE) {
        hash.update(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()));
      }
    } catch (error) {
      hash.finish();
      this.#post({ ticket, error: 'file_mismatch', text: `the file cannot be read: ${error}` });
      return;
    }
    const digest = hash.finish();
    if (this.#cancelled.delete(ticket)) return;
    const request = this.#request(ticket, 'send_file',
      [room, name, blob.size, digest, attributes, replyTo]);
    if (request <= 0) return;
    this.#transfers.set(request, { ticket, blob, done: 0, size: blob.size, most: blob.size });
  }

  /** @param {{request: number, offset: number, bytesMax: number}} wanted */
  async #give({ request, offset, bytesMax }) {
    const transfer = this.#transfers.get(request);
    if (!transfer?.blob) return;
    const piece = transfer.blob.slice(offset, offset + bytesMax);
    const bytes = new Uint8Array(await piece.arrayBuffer());
    if (this.#over || !this.#transfers.has(request)) return;
    this.#core?.call('give_file', request, offset, bytes);
    this.#progress(transfer, offset + bytes.length);
    this.#wake();
  }

  /** @param {{ticket: number, room: string, offset: number, most: number}} message */
  #fetchFile({ ticket, room, offset, most }) {
    const request = this.#request(ticket, 'fetch_file', [room, offset]);
    if (request <= 0) return;
    const hash = this.#core?.hash();
    this.#transfers.set(request,
      { ticket, parts: [], pieces: [], done: 0, size: 0, most, hash });
  }

  /** @param {any} event */
  #begin(event) {
    const transfer = this.#transfers.get(event.request);
    if (!transfer) return;
    transfer.head = event;
    transfer.size = event.size;
    if (event.size > transfer.most) {
      this.#fail(event.request, new Error(`the file has ${event.size} bytes`), 'file_too_large');
    }
  }

  /**
   * @param {number} request
   * @param {Uint8Array} bytes
   */
  #chunk(request, bytes) {
    const transfer = this.#transfers.get(request);
    if (!transfer?.pieces || !transfer.parts) return;
    if (transfer.done + bytes.length > transfer.size) {
      this.#fail(request, new Error('more bytes came than the file has'), 'file_mismatch');
      return;
    }
    // Not now: no import may call the module.
    transfer.pieces.push(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    queueMicrotask(() => transfer.hash?.update(bytes));
    this.#progress(transfer, transfer.done + bytes.length);
    if (transfer.pieces.length >= PIECES_MAX) {
      transfer.parts.push(new Blob(transfer.pieces.splice(0)));
    }
  }

  /** @param {{request: number}} event */
  #complete({ request }) {
    queueMicrotask(() => {
      const transfer = this.#transfers.get(request);
      if (!transfer?.hash || !transfer.parts) return;
      const digest = toHex(transfer.hash.finish());
      transfer.hash = undefined;
      if (transfer.done !== transfer.size || digest !== transfer.head?.sha256) {
        this.#fail(request, new Error('the file is not the one that was announced'),
          'file_mismatch');
        return;
      }
      this.#transfers.delete(request);
      const blob = new Blob([...transfer.parts, ...(transfer.pieces ?? [])]);
      this.#post({ answer: request, file: { blob, name: transfer.head.name } });
    });
  }

  /**
   * @param {Transfer} transfer
   * @param {number} done
   */
  #progress(transfer, done) {
    transfer.done = done;
    this.#post({ progress: transfer.ticket, done, size: transfer.size });
  }

  /**
   * Ends a transfer, and says so.
   * @param {number} request
   * @param {unknown} error
   * @param {string} [code]
   */
  #fail(request, error, code = 'file_mismatch') {
    const transfer = this.#transfers.get(request);
    if (!transfer) return;
    this.#transfers.delete(request);
    queueMicrotask(() => {
      transfer.hash?.finish();
      if (!this.#over) this.#core?.call('cancel_file', request);
      this.#wake();
    });
    this.#post({ answer: request, error: code, text: words(error) });
  }

  /** @param {number} ticket */
  #cancel(ticket) {
    for (const [request, transfer] of this.#transfers) {
      if (transfer.ticket === ticket) return this.#fail(request, new Error('cancelled'), 'closed');
    }
    this.#cancelled.add(ticket);
    this.#post({ ticket, error: 'closed', text: 'cancelled' });
  }
}
