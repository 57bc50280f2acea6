// What a page keeps over its reloads, in IndexedDB: which device it is, what is not sent yet, and
// where it was in each room. Never a password, a ticket or a token. What is in a message's record,
// only the module knows.
//
// One tab at a time has the store of an account: two with one device id and one outbox would send
// everything twice. A Web Lock sees to that, which the browser takes from a tab that dies.

import { words } from './errors.js';

const PREFIX = 'quicchat ';
const VERSION = 1;
const DEVICE = 'device';
const STORES = ['meta', 'unsent', 'places'];
const DEVICE_BYTES = 16;

/** Milliseconds for a tab that is being closed to give its lock back. */
export const LOCK_PATIENCE = 2000;

/** Milliseconds for a browser to open a database. */
const OPEN_PATIENCE = 10_000;

/** Milliseconds after which what the browser did not take is offered to it again. */
const AGAIN_AFTER = 1000;

/**
 * @typedef {{epoch: string, offset: number}} Place
 * @typedef {'unavailable' | 'in_use' | 'full' | 'failed' | 'damaged' | ''} Reason
 * @typedef {{indexedDB?: IDBFactory, locks?: LockManager}} World
 */

/** Why nothing is kept. */
export class Refused extends Error {
  /**
   * @param {Reason} reason
   * @param {string} text for people
   */
  constructor(reason, text) {
    super(text);
    this.reason = reason;
  }
}

/**
 * What the browser has for us; some throw where they are forbidden.
 * @param {World} world
 */
function worldOf(world) {
  try {
    const indexedDB = world.indexedDB ?? globalThis.indexedDB;
    const locks = world.locks ?? globalThis.navigator?.locks;
    if (indexedDB && locks) return { indexedDB, locks };
  } catch {
    // It is the same.
  }
  throw new Refused('unavailable', 'this browser lets the page keep nothing');
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {LockManager} locks
 * @param {string} name
 * @returns {Promise<() => void>} gives it back
 */
function acquire(locks, name) {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), LOCK_PATIENCE);
    const held = locks.request(name, { signal: stop.signal }, () => {
      clearTimeout(timer);
      return new Promise((unlock) => {
        resolve(() => unlock(undefined));
      });
    });
    held.catch((/** @type {unknown} */ error) => {
      clearTimeout(timer);
      reject(stop.signal.aborted
        ? new Refused('in_use', 'another tab keeps the unsent messages of this account')
        : new Refused('unavailable', words(error)));
    });
  });
}

/**
 * @param {IDBFactory} indexedDB
 * @param {string} name
 * @returns {Promise<IDBDatabase>}
 */
function open(indexedDB, name) {
  return new Promise((resolve, reject) => {
    let late = false;
    const fail = (/** @type {string} */ text) => {
      late = true;
      clearTimeout(timer);
      reject(new Refused('unavailable', text));
    };
    const timer = setTimeout(() => fail('the browser does not open its storage'), OPEN_PATIENCE);
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
    };
    request.onerror = () => fail(words(request.error));
    request.onsuccess = () => {
      clearTimeout(timer);
      if (late) request.result.close();
      else resolve(request.result);
    };
  });
}

/**
 * @param {IDBValidKey} key
 * @returns {key is number} of a message
 */
function isNumber(key) {
  return Number.isSafeInteger(key) && Number(key) > 0;
}

/**
 * @param {any} place
 * @returns {place is Place}
 */
function isPlace(place) {
  return /^[0-9]{1,20}$/.test(String(place?.epoch)) && Number.isSafeInteger(place.offset)
    && place.offset >= 0;
}

/** What one account at one server keeps. */
export class Store {
  /**
   * Which device the page is; nothing in a new store.
   * @type {Uint8Array | null}
   */
  device = null;
  /**
   * Messages without an answer, in the order of sending.
   * @type {[number, Uint8Array][]}
   */
  unsent = [];
  /** Records of messages that are no good, and are gone. */
  damaged = 0;

  /** @type {Map<string, Place>} */
  #places = new Map();
  #database;
  #unlock;
  /** @type {(keeps: boolean, reason: Reason, text: string) => void} */
  #onNews;
  /**
   * What is to be written, by store and key; undefined: to be deleted.
   * @type {Map<string, Map<IDBValidKey, any>>}
   */
  #pending = new Map();
  /** Batches are written one after the other. */
  #begun = 0;
  #done = 0;
  /** The batch that has the newest message. */
  #keptBy = 0;
  /** @type {{batch: number, run: () => void}[]} */
  #waiting = [];
  #trouble = false;
  #over = false;
  /** @type {(() => void) | null} */
  #idle = null;

  /**
   * Opens the store of an account, or makes it. Throws Refused.
   * @param {string} server
   * @param {string} account
   * @param {(keeps: boolean, reason: Reason, text: string) => void} onNews tells whether what is
   *   unsent outlives the page from now on
   * @param {World} [world]
   */
  static async open(server, account, onNews, world = {}) {
    const { indexedDB, locks } = worldOf(world);
    const name = PREFIX + server + ' ' + account.toLowerCase();
    const unlock = await acquire(locks, name);
    /** @type {IDBDatabase | undefined} */
    let database;
    try {
      database = await open(indexedDB, name);
      const store = new Store(database, unlock, onNews);
      await store.#load();
      return store;
    } catch (error) {
      database?.close();
      unlock();
      throw error instanceof Refused ? error : new Refused('failed', words(error));
    }
  }

  /**
   * @param {IDBDatabase} database
   * @param {() => void} unlock
   * @param {(keeps: boolean, reason: Reason, text: string) => void} onNews
   */
  constructor(database, unlock, onNews) {
    this.#database = database;
    this.#unlock = unlock;
    this.#onNews = onNews;
    database.onversionchange = () => this.#lose('', 'what was kept was deleted');
    database.onclose = () => this.#lose('failed', 'the browser closed its storage');
  }

  async #load() {
    const transaction = this.#database.transaction(STORES, 'readonly');
    const all = (/** @type {string} */ name) => {
      const store = transaction.objectStore(name);
      return Promise.all([answerOf(store.getAllKeys()), answerOf(store.getAll())]);
    };
    const [device, [numbers, records], [rooms, places]] = await Promise.all([
      answerOf(transaction.objectStore('meta').get(DEVICE)), all('unsent'), all('places')]);
    const known = device instanceof Uint8Array && device.length === DEVICE_BYTES;
    if (known) this.device = device;
    numbers.forEach((number, i) => {
      const record = records[i];
      // Of another device they would not be recognised, and come twice.
      if (known && isNumber(number) && record instanceof Uint8Array) {
        this.unsent.push([number, record]);
      } else this.drop(number);
    });
    rooms.forEach((room, i) => {
      if (typeof room === 'string' && isPlace(places[i])) this.#places.set(room, places[i]);
      else this.#put('places', room, undefined);
    });
  }

  /**
   * A new store is that of this device.
   * @param {Uint8Array} device
   */
  keepDevice(device) {
    this.#put('meta', DEVICE, device);
  }

  /**
   * A message that was asked to be sent.
   * @param {number} number
   * @param {Uint8Array} record
   */
  keep(number, record) {
    this.#put('unsent', number, record);
    this.#keptBy = this.#begun + 1;
  }

  /**
   * It has its answer.
   * @param {number} number
   */
  forget(number) {
    this.#put('unsent', number, undefined);
  }

  /**
   * A record that is damaged.
   * @param {IDBValidKey} number
   */
  drop(number) {
    this.damaged += 1;
    this.#put('unsent', number, undefined);
  }

  /**
   * Where the page was in a room.
   * @param {string} room
   * @returns {Place | undefined}
   */
  place(room) {
    return this.#places.get(room.toLowerCase());
  }

  /**
   * @param {string} room
   * @param {Place | null} place null: it was left
   */
  keepPlace(room, place) {
    const key = room.toLowerCase();
    if (place) this.#places.set(key, place);
    else this.#places.delete(key);
    this.#put('places', key, place ?? undefined);
    this.write();
  }

  /**
   * Runs it when all messages are kept that were asked to be: now, or in the order of the calls.
   * @param {() => void} run
   */
  whenKept(run) {
    const free = this.#trouble || this.#over || this.#keptBy <= this.#done;
    if (free && !this.#waiting.length) run();
    else this.#waiting.push({ batch: this.#keptBy, run });
  }

  /** Writes what there is. */
  write() {
    if (this.#over || this.#trouble || this.#begun > this.#done) return;
    if (this.#pending.size) this.#begin();
    else this.#idle?.();
  }

  /** Resolves when all is written that can be. Nothing more is kept then. */
  async close() {
    /** @type {Promise<void>} */
    const idle = new Promise((resolve) => {
      this.#idle = resolve;
    });
    if (this.#trouble && this.#begun === this.#done) this.#begin(); // the last chance
    else this.write();
    if (!this.#over) await idle;
    this.#end();
  }

  /**
   * @param {string} store
   * @param {IDBValidKey} key
   * @param {any} value
   */
  #put(store, key, value) {
    const changes = this.#pending.get(store) ?? new Map();
    this.#pending.set(store, changes);
    changes.set(key, value);
  }

  async #begin() {
    const batch = ++this.#begun;
    const changes = this.#pending;
    this.#pending = new Map();
    /** @type {any} */
    let problem = null;
    try {
      await this.#commit(changes);
    } catch (error) {
      problem = error ?? new Error('the browser gave no reason');
    }
    this.#done = batch;
    if (this.#over) return;
    if (problem) this.#fail(problem, changes);
    else if (this.#trouble) {
      this.#trouble = false;
      this.#onNews(true, '', 'what is unsent is kept again');
    }
    this.#release();
    this.write();
  }

  /**
   * @param {Map<string, Map<IDBValidKey, any>>} changes
   * @returns {Promise<void>}
   */
  #commit(changes) {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction([...changes.keys()], 'readwrite',
        { durability: 'relaxed' }); // as the state file of native clients: a crash, not a power cut
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      for (const [name, entries] of changes) {
        const store = transaction.objectStore(name);
        for (const [key, value] of entries) {
          if (value === undefined) store.delete(key);
          else store.put(value, key);
        }
      }
    });
  }

  /**
   * The chat goes on meanwhile.
   * @param {any} error
   * @param {Map<string, Map<IDBValidKey, any>>} changes
   */
  #fail(error, changes) {
    for (const [name, entries] of changes) {
      for (const [key, value] of entries) {
        if (!this.#pending.get(name)?.has(key)) this.#put(name, key, value);
      }
    }
    if (!this.#trouble) {
      const full = error.name === 'QuotaExceededError';
      this.#onNews(false, full ? 'full' : 'failed',
        full ? 'the browser has no room for unsent messages' : words(error));
    }
    this.#trouble = true;
    this.#idle?.();
    setTimeout(() => {
      if (!this.#over && this.#begun === this.#done) this.#begin();
    }, AGAIN_AFTER);
  }

  #release() {
    while (this.#waiting.length && (this.#over || this.#trouble
      || this.#waiting[0].batch <= this.#done)) {
      this.#waiting.shift()?.run();
    }
  }

  /**
   * Somebody took the store away.
   * @param {Reason} reason
   * @param {string} text
   */
  #lose(reason, text) {
    if (this.#over) return;
    this.#end();
    this.#onNews(false, reason, text);
  }

  #end() {
    this.#over = true;
    this.#idle?.();
    this.#database.close();
    this.#unlock();
    this.#release();
  }
}

/**
 * Deletes what pages of this origin keep, of all accounts. Pages that are open keep nothing more.
 * @param {World} [world]
 */
export async function forget(world = {}) {
  const { indexedDB } = worldOf(world);
  if (!indexedDB.databases) {
    throw new Refused('unavailable', 'this browser does not say what it has');
  }
  for (const { name } of await indexedDB.databases()) {
    if (name?.startsWith(PREFIX)) await answerOf(indexedDB.deleteDatabase(name));
  }
}
