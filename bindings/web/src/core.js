// The WebAssembly module, with texts and bytes for arguments. See ../cpp/page_client.cpp.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * What the module calls; see ../cpp/imports.hpp. None may call back into the module.
 * @typedef {object} Host
 * @property {() => void} dial
 * @property {(stream: number) => void} open
 * @property {(stream: number, bytes: Uint8Array, fin: boolean) => void} write
 * @property {(stream: number, code: number) => void} reset
 * @property {(stream: number, bytes: number) => void} credit
 * @property {(bytes: Uint8Array) => void} datagram
 * @property {(code: number, text: string) => void} close
 * @property {(event: any) => void} event
 * @property {(request: number, offset: number, bytes: Uint8Array) => void} chunk
 * @property {(number: number, record: Uint8Array) => void} keep
 * @property {(number: number) => void} forget
 */

export class Core {
  /** @type {any} */
  #exports;

  /**
   * @param {WebAssembly.Module} module
   * @param {Host} host
   */
  constructor(module, host) {
    const copy = (/** @type {number} */ at, /** @type {number} */ size) =>
      new Uint8Array(this.#exports.memory.buffer).slice(at, at + size);
    const text = (/** @type {number} */ at, /** @type {number} */ size) =>
      decoder.decode(copy(at, size));
    /** @type {Record<string, Function>} */
    const ours = {
      random: (/** @type {number} */ at, /** @type {number} */ size) => {
        crypto.getRandomValues(new Uint8Array(this.#exports.memory.buffer, at, size));
      },
      dial: host.dial,
      open: host.open,
      write: (/** @type {number} */ stream, /** @type {number} */ at, /** @type {number} */ size,
        /** @type {number} */ fin) => host.write(stream, copy(at, size), fin !== 0),
      reset: host.reset,
      credit: host.credit,
      datagram: (/** @type {number} */ at, /** @type {number} */ size) =>
        host.datagram(copy(at, size)),
      close: (/** @type {number} */ code, /** @type {number} */ at, /** @type {number} */ size) =>
        host.close(code, text(at, size)),
      event: (/** @type {number} */ at, /** @type {number} */ size) =>
        host.event(JSON.parse(text(at, size))),
      chunk: (/** @type {number} */ request, /** @type {number} */ offset,
        /** @type {number} */ at, /** @type {number} */ size) =>
        host.chunk(request, offset, copy(at, size)),
      keep: (/** @type {number} */ number, /** @type {number} */ at, /** @type {number} */ size) =>
        host.keep(number, copy(at, size)),
      forget: host.forget,
    };
    /** @type {Record<string, Record<string, any>>} */
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      // The C library asks for files, which it never uses: there are none.
      const answer = from === 'quicchat' ? ours[name] : () => 52; // ENOSYS
      if (!answer) throw new Error(`the module wants ${from}.${name}: it is of another version`);
      (imports[from] ??= {})[name] = answer;
    }
    this.#exports = new WebAssembly.Instance(module, imports).exports;
    this.#exports._initialize?.();
  }

  /**
   * Calls an export. A text or bytes become their place and size in the module's memory.
   * @param {string} name
   * @param {...(number | string | Uint8Array)} values
   * @returns {number}
   */
  call(name, ...values) {
    /** @type {number[]} */
    const args = [];
    /** @type {[number, number][]} */
    const taken = [];
    for (const value of values) {
      if (typeof value === 'number') {
        args.push(value);
        continue;
      }
      const bytes = typeof value === 'string' ? encoder.encode(value) : value;
      const at = this.#exports.allocate(bytes.length || 1);
      if (at === 0) throw new RangeError('the module has no memory left');
      taken.push([at, bytes.length]);
      new Uint8Array(this.#exports.memory.buffer).set(bytes, at);
      args.push(at, bytes.length);
    }
    try {
      return this.#exports[name](...args);
    } finally {
      for (const [at, size] of taken) this.#exports.release(at, size);
    }
  }

  /** Which device the client is: 16 bytes. */
  device() {
    return this.#bytes(16, (at) => this.#exports.device(at));
  }

  /**
   * @param {number} size
   * @param {(at: number) => void} fill
   */
  #bytes(size, fill) {
    const at = this.#exports.allocate(size);
    fill(at);
    const bytes = new Uint8Array(this.#exports.memory.buffer).slice(at, at + size);
    this.#exports.release(at, size);
    return bytes;
  }

  /**
   * What there is to say of an error.
   * @param {number} number
   * @returns {{error: string, code: number, text: string}}
   */
  describeError(number) {
    const at = this.#exports.describe_error(number);
    const memory = new Uint8Array(this.#exports.memory.buffer);
    return JSON.parse(decoder.decode(memory.slice(at, memory.indexOf(0, at))));
  }

  /**
   * The SHA-256 of what comes in pieces.
   * @returns {{update: (bytes: Uint8Array) => void, finish: () => Uint8Array}}
   */
  hash() {
    const hash = this.#exports.hash_begin();
    return {
      update: (bytes) => {
        this.call('hash_update', hash, bytes);
      },
      finish: () => this.#bytes(32, (at) => this.#exports.hash_finish(hash, at)),
    };
  }
}

/**
 * Fetches and compiles the module.
 * @param {string | URL | BufferSource | WebAssembly.Module} source
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source !== 'string' && !(source instanceof URL)) return WebAssembly.compile(source);
  const response = await fetch(source);
  if (!response.ok) throw new Error(`${source}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** @param {Uint8Array} bytes */
export function toHex(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
