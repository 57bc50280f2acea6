// What lives in the Worker: the module, its transport and its clock. The page's side of it is
// chat.js; the two speak by messages.

import { Core, compile, toHex } from './core.js';
import { codes, words } from './errors.js';
import { Refused, Store } from './store.js';
import { Transport } from './transport.js';

/** Events that the page has not taken. With more the module reads nothing from the server. */
export const UNTAKEN_MAX = 1000;

/**
 * Whose login a ticket is (PROTOCOL.md §5.10); empty if that cannot be seen.
 * @param {string} jwt
 */
function accountIn(jwt) {
  try {
    const body = atob(jwt.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return String(JSON.parse(body).sub ?? '').toLowerCase();
  } catch {
    return '';
  }
}

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
 * @property {boolean} store keep what is unsent, see store.js
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
  /** @type {Store | null} */
  #store = null;
  /**
   * With a store: what the module wrote in this turn.
   * @type {(() => void)[]}
   */
  #written = [];
  #dials = 0;
  /**
   * A ticket that says who we are, for the first login.
   * @type {string | null}
   */
  #firstTicket = null;
  /** Whose tickets are good, if it matters. */
  #account = '';

  /**
   * @param {(message: any, transfer?: Transferable[]) => void} post
   * @param {{WebTransport?: typeof WebTransport, indexedDB?: IDBFactory, locks?: LockManager}}
   *   [world] in tests
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
        return this.#call(message);
      case 'places':
        for (const { room, place } of message.places) this.#store?.keepPlace(room, place);
        return;
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
    const store = options.store ? await this.#open(options) : null;
    if (this.#over) return void store?.close();
    const later = (/** @type {() => void} */ call) => {
      call();
      this.#wake();
    };
    const core = new Core(module, {
      dial: () => {
        this.#dials += 1;
        this.#transport?.dial();
      },
      open: (stream) => this.#write((transport) => transport.open(stream)),
      write: (stream, bytes, fin) =>
        this.#write((transport) => transport.write(stream, bytes, fin)),
      reset: (stream, code) => this.#write((transport) => transport.reset(stream, code)),
      credit: (stream, bytes) => this.#transport?.credit(stream, bytes),
      datagram: (bytes) => this.#transport?.datagram(bytes),
      close: (code, text) => this.#transport?.close(code, text),
      event: (event) => this.#event(event),
      chunk: (request, offset, bytes) => this.#chunk(request, bytes),
      keep: (number, record) => this.#store?.keep(number, record),
      forget: (number) => this.#store?.forget(number),
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
    const device = store?.device ?? new Uint8Array(0);
    const error = tickets
      ? core.call('create_with_tickets', pinned, hostname, Number(port || 443), agent, device)
      : core.call('create_with_password', user ?? '', password ?? '', pinned, agent, device);
    if (error !== 0) {
      await store?.close();
      this.#end(core.describeError(error));
      return;
    }
    this.#core = core;
    if (store) this.#restore(core, store);
    core.call('connect', performance.now(), Date.now());
    this.#wake();
  }

  /**
   * Asks the page for a ticket and gives it to the login.
   * @param {Core} core
   */
  async #giveTicket(core) {
    const jwt = this.#firstTicket ?? await this.#askTicket();
    this.#firstTicket = null;
    const error = core.call('set_ticket', jwt);
    if (error !== 0) throw new Error('what the page got is no ticket');
    // What one account has written, another one must not say.
    if (this.#store && accountIn(jwt) !== this.#account) {
      throw new Error('the ticket is for another account');
    }
  }

  /** @returns {Promise<string>} */
  #askTicket() {
    this.#asked?.reject(new Error('another ticket was asked for'));
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#post({ wants: 'ticket' });
    });
  }

  // What is kept.

  /**
   * @param {Start} options
   * @returns {Promise<Store | null>} null if it is refused, which the page is told
   */
  async #open({ url, user, tickets }) {
    try {
      if (tickets) {
        // One that cannot be had is a matter of the login.
        this.#firstTicket = await this.#askTicket().catch(() => null);
        this.#account = accountIn(this.#firstTicket ?? '');
      } else this.#account = String(user).toLowerCase();
      if (!this.#account) throw new Refused('unavailable', 'nobody said whose messages to keep');
      return await Store.open(new URL(url).host, this.#account,
        (keeps, reason, text) => this.#news(keeps, reason, text), this.#world);
    } catch (error) {
      if (error instanceof Refused) this.#news(false, error.reason, error.message);
      else this.#news(false, 'failed', words(error));
      return null;
    }
  }

  /**
   * @param {Core} core
   * @param {Store} store
   */
  #restore(core, store) {
    this.#store = store;
    if (!store.device) store.keepDevice(core.device());
    for (const [number, record] of store.unsent.splice(0)) {
      if (core.call('restore', number, record) < 0) store.drop(number);
    }
    core.call('report_unsent');
    store.write();
    this.#news(true, store.damaged ? 'damaged' : '',
      store.damaged ? `${store.damaged} kept messages were damaged, and are lost` : '');
  }

  /**
   * Whether what is unsent outlives the page.
   * @param {boolean} keeps
   * @param {string} reason
   * @param {string} text
   */
  #news(keeps, reason, text) {
    if (this.#over) return;
    this.#post({ events: [{ type: 'storage', keeps, reason, text }], free: true });
  }

  /**
   * Nothing is on its way that is not kept: with a store it waits for that.
   * @param {(transport: Transport) => void} write
   */
  #write(write) {
    const transport = /** @type {Transport} */ (this.#transport);
    if (!this.#store) return write(transport);
    const dials = this.#dials; // streams of another connection have the same numbers
    this.#written.push(() => {
      if (dials === this.#dials) write(transport);
    });
  }

  /** At the end of a turn. */
  #keep() {
    const store = this.#store;
    if (!store) return;
    this.#core?.call('poll_unsent');
    store.write();
    const written = this.#written.splice(0);
    if (written.length) store.whenKept(() => written.forEach((write) => write()));
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
    this.#keep();
    if (this.#over) {
      this.#leave();
      return;
    }
    this.#tell();
    if (this.#starved && this.#untaken < UNTAKEN_MAX) this.#wake();
    const due = core.call('next_deadline');
    if (due >= 0) {
      const delay = Math.min(Math.max(due - performance.now(), 1), 2 ** 31 - 1);
      this.#timer = setTimeout(() => this.#wake(), delay);
    }
  }

  #tell() {
    if (!this.#events.length) return;
    this.#untaken += this.#events.length;
    this.#post({ events: this.#events });
    this.#events = [];
  }

  /** Our last word, after which the page ends the Worker. */
  async #leave() {
    await this.#store?.close();
    this.#tell();
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
  async #end(reason) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#transport?.close(codes.closed, '');
    const event = { type: 'offline', reason: { ...reason, byPeer: false } };
    await this.#store?.close();
    this.#post({ events: [event], free: true });
  }

  /** @param {{ticket: number, name: string, args: (string | number)[], goOn?: boolean}} message */
  #call({ ticket, name, args, goOn }) {
    const [room] = args;
    const place = goOn && this.#store?.place(String(room));
    if (place) return this.#request(ticket, 'join_after', [room, place.epoch, place.offset]);
    return this.#request(ticket, name, args);
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
