// A WebTransport object whose other end is the real server, as WebAssembly. It can lose a session,
// and the server can be killed and started again.

import { readFileSync } from 'node:fs';

const decoder = new TextDecoder();

export const HASH = new Uint8Array(32).fill(7);

/** The server, and the network to it. */
export class World {
  /** @param {string} path of the server's module */
  constructor(path) {
    this.module = new WebAssembly.Module(readFileSync(path));
    this.sessions = new Map();
    this.dials = [];
    this.next = 1;
    this.reachable = true;
    this.start();
    const world = this;
    /** What the page takes for WebTransport. */
    this.WebTransport = class extends Session {
      constructor(url, options) {
        super(world, url, options);
      }
    };
  }

  start() {
    const life = {};
    this.life = life;
    const bytes = (at, size) => new Uint8Array(this.x.memory.buffer).slice(at, at + size);
    const session = (id) => (life === this.life ? this.sessions.get(id) : undefined);
    const served = {
      random: (at, size) => crypto.getRandomValues(new Uint8Array(this.x.memory.buffer, at, size)),
      write: (id, stream, at, size, fin) =>
        session(id)?.arrives(stream, bytes(at, size), fin !== 0),
      reset: (id, stream, code) => session(id)?.resets(stream, code),
      credit: (id, stream, size) => session(id)?.credited(stream, size),
      datagram: (id, at, size) => session(id)?.hints(bytes(at, size)),
      close: (id, code, at, size) =>
        session(id)?.ends({ closeCode: code, reason: decoder.decode(bytes(at, size)) }),
    };
    const imports = { served };
    for (const { module, name } of WebAssembly.Module.imports(this.module)) {
      if (module !== 'served') (imports[module] ??= {})[name] = () => 52;
    }
    this.x = new WebAssembly.Instance(this.module, imports).exports;
    this.x._initialize?.();
    this.x.start(Date.now());
  }

  /** As `kill -9`: nobody is told, and all that was in memory is gone. */
  kill() {
    this.life = null;
    clearTimeout(this.timer);
    for (const session of [...this.sessions.values()]) session.breaks('Connection lost.');
  }

  shutdown() {
    this.x.shutdown(performance.now(), Date.now());
    this.wake();
  }

  stop() {
    this.life = null;
    clearTimeout(this.timer);
  }

  give(call, ...values) {
    if (!this.life) return;
    const args = [];
    const taken = [];
    for (const value of values) {
      if (typeof value === 'number') args.push(value);
      else {
        const at = this.x.allocate(value.length || 1);
        new Uint8Array(this.x.memory.buffer).set(value, at);
        taken.push(at);
        args.push(at, value.length);
      }
    }
    this.x[call](...args);
    for (const at of taken) this.x.release(at, 0);
    this.wake();
  }

  wake() {
    if (this.soon) return;
    this.soon = true;
    setImmediate(() => {
      this.soon = false;
      if (!this.life) return;
      clearTimeout(this.timer);
      const due = this.x.process(performance.now(), Date.now());
      if (due >= 0) {
        this.timer = setTimeout(() => this.wake(), Math.max(due - performance.now(), 1));
        this.timer.unref?.();
      }
    });
  }
}

class Session {
  constructor(world, url, options) {
    this.world = world;
    this.options = options;
    this.id = world.next++;
    this.streams = new Map();
    this.opened = 0;
    world.dials.push({ url, options });
    this.ready = new Promise((up, down) => Object.assign(this, { up, down }));
    this.closed = new Promise((over, lost) => Object.assign(this, { over, lost }));
    this.ready.catch(() => {});
    this.closed.catch(() => {});
    this.datagrams = {
      readable: new ReadableStream({ start: (c) => { this.hint = c; } }),
      writable: new WritableStream({ write: (b) => world.give('datagram_in', this.id, b) }),
    };
    setImmediate(() => {
      const pinned = options.serverCertificateHashes?.some(({ value }) => value[0] === HASH[0]);
      if (!world.life || !world.reachable || !pinned) {
        this.breaks('Opening handshake failed.');
        return;
      }
      world.sessions.set(this.id, this);
      world.give('begin', this.id);
      this.up();
    });
  }

  async createBidirectionalStream() {
    const { world } = this;
    const id = 4 * this.opened++;
    const stream = { credit: 256 * 1024, wake: null, waiting: [], arrived: null, page: null };
    this.streams.set(id, stream);
    const readable = new ReadableStream({
      start: (page) => { stream.page = page; },
      pull: async (page) => { // only when the page reads
        while (!stream.waiting.length) await new Promise((r) => { stream.arrived = r; });
        const { bytes, fin } = stream.waiting.shift();
        if (bytes.length) page.enqueue(bytes);
        if (fin) page.close();
        if (bytes.length) world.give('sent', this.id, id, bytes.length);
      },
      cancel: () => world.give('reset_by_peer', this.id, id, 0),
    }, { highWaterMark: 0 });
    const writable = new WritableStream({
      write: async (bytes) => {
        while (stream.credit < 0) await new Promise((r) => { stream.wake = r; });
        stream.credit -= bytes.length;
        if (this.streams.has(id)) world.give('data', this.id, id, bytes, 0);
      },
      close: () => world.give('data', this.id, id, new Uint8Array(0), 1),
      abort: () => world.give('reset_by_peer', this.id, id, 0),
    });
    return { readable, writable };
  }

  arrives(id, bytes, fin) {
    const stream = this.streams.get(id);
    if (!stream || (!bytes.length && !fin)) return;
    stream.waiting.push({ bytes, fin });
    stream.arrived?.();
  }

  resets(id, code) {
    const stream = this.streams.get(id);
    this.streams.delete(id);
    const error = { source: 'stream', streamErrorCode: code };
    stream?.page.error(Object.assign(new Error('reset'), error));
  }

  credited(id, size) {
    const stream = this.streams.get(id);
    if (!stream) return;
    stream.credit += size;
    stream.wake?.();
  }

  hints(bytes) {
    this.hint.enqueue(bytes);
  }

  ends(info) {
    this.world.sessions.delete(this.id);
    this.tear(Object.assign(new Error('session'), { source: 'session' }));
    this.over(info);
  }

  breaks(text) {
    this.world.sessions.delete(this.id);
    const error = Object.assign(new Error(text), { source: 'session' });
    this.down(error);
    this.tear(error);
    this.lost(error);
  }

  /** The session's end ends its streams. */
  tear(error) {
    for (const stream of this.streams.values()) {
      try {
        stream.page.error(error);
      } catch {
        // It has ended.
      }
    }
    this.streams.clear();
    try {
      this.hint.error(error);
    } catch {
      // It has ended.
    }
  }

  close(info = {}) {
    if (!this.world.sessions.delete(this.id)) {
      this.down(new Error('closed'));
    }
    this.world.give('end', this.id);
    this.tear(Object.assign(new Error('closed'), { source: 'session' }));
    this.over({ closeCode: info.closeCode ?? 0, reason: info.reason ?? '' });
  }
}
