// What a browser keeps for an origin, in memory: IndexedDB as far as store.js uses it, and Web
// Locks. Tabs share it, and may be killed: what they had not committed is gone, their locks are
// free. A commit can be held up or fail.

/** One origin's storage. */
export class Storage {
  databases = new Map();
  locks = new Map(); // name: {tab, queue}
  log = []; // what was committed: {name, changes}
  /** Awaited by every commit. */
  beforeCommit = async () => {};
  /** The name of the error that commits and openings end with. */
  commitError = '';
  openError = '';

  /** The values of an object store. */
  values(store, name = [...this.databases.keys()][0]) {
    return [...(this.databases.get(name)?.stores.get(store)?.values() ?? [])];
  }

  /** The object store itself, to put something into. */
  store(store, name = [...this.databases.keys()][0]) {
    return this.databases.get(name).stores.get(store);
  }

  /** Lets `fits` see each commit, and resolves with the first that fits. */
  committed(fits = () => true) {
    const old = this.log.find(fits);
    if (old) return Promise.resolve(old);
    return new Promise((resolve) => {
      this.waiting.push({ fits, resolve });
    });
  }

  waiting = [];

  note(entry) {
    this.log.push(entry);
    this.waiting = this.waiting.filter(({ fits, resolve }) => !fits(entry) || resolve(entry));
  }
}

const later = (call) => setImmediate(call);

class Request {
  result;
  error = null;

  /** @param {Tab} tab */
  constructor(tab) {
    this.tab = tab;
  }

  succeed(result) {
    later(() => {
      if (this.tab.dead) return;
      this.result = result;
      this.onsuccess?.();
    });
  }

  fail(name) {
    later(() => {
      if (this.tab.dead) return;
      this.error = new DOMException(`${name} of the test`, name);
      this.onerror?.();
    });
  }
}

class Transaction {
  error = null;
  #changes = [];

  constructor(database, names) {
    if (!names.length) throw new DOMException('no store', 'InvalidAccessError');
    if (database.closed) throw new DOMException('closed', 'InvalidStateError');
    this.database = database;
    database.transactions = (database.transactions ?? Promise.resolve())
      .then(() => new Promise((done) => { later(() => this.#commit().finally(done)); }));
  }

  objectStore(name) {
    const data = this.database.data.stores.get(name);
    const answer = (value) => {
      const request = new Request(this.database.tab);
      request.succeed(structuredClone(value));
      return request;
    };
    return {
      get: (key) => answer(data.get(key)),
      getAll: () => answer(sorted(data).map(([, value]) => value)),
      getAllKeys: () => answer(sorted(data).map(([key]) => key)),
      put: (value, key) => this.#changes.push([name, key, structuredClone(value)]),
      delete: (key) => this.#changes.push([name, key, undefined]),
    };
  }

  async #commit() {
    const { tab, data } = this.database;
    const { storage } = tab;
    const changes = this.#changes;
    if (changes.length) await storage.beforeCommit(changes);
    if (tab.dead) return;
    const puts = changes.some(([, , value]) => value !== undefined);
    if (storage.commitError && puts) {
      this.error = new DOMException('of the test', storage.commitError);
      this.onabort?.();
      return;
    }
    for (const [name, key, value] of changes) {
      if (value === undefined) data.stores.get(name).delete(key);
      else data.stores.get(name).set(key, value);
    }
    if (changes.length) storage.note({ changes });
    this.oncomplete?.();
  }
}

/** Numbers first, as IndexedDB sorts keys. */
function sorted(data) {
  const rank = (key) => (typeof key === 'number' ? 0 : 1);
  return [...data].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

class Database {
  closed = false;

  constructor(tab, data) {
    this.tab = tab;
    this.data = data;
    data.connections.add(this);
  }

  createObjectStore(name) {
    this.data.stores.set(name, new Map());
  }

  transaction(names) {
    return new Transaction(this, names);
  }

  close() {
    this.closed = true;
    this.data.connections.delete(this);
    this.data.onfree?.();
  }
}

/** A page's view of the storage. */
export class Tab {
  dead = false;
  #mine = new Set();

  /** @param {Storage} storage */
  constructor(storage) {
    this.storage = storage;
    this.indexedDB = {
      open: (name) => this.#open(name),
      deleteDatabase: (name) => this.#delete(name),
      databases: async () => [...storage.databases.keys()].map((name) => ({ name, version: 1 })),
    };
    this.locks = { request: (name, { signal }, hold) => this.#lock(name, signal, hold) };
  }

  #open(name) {
    const request = new Request(this);
    const { storage } = this;
    if (storage.openError) {
      request.fail(storage.openError);
      return request;
    }
    later(() => {
      const old = storage.databases.get(name);
      const data = old ?? { stores: new Map(), connections: new Set() };
      storage.databases.set(name, data);
      request.result = new Database(this, data);
      if (!old) request.onupgradeneeded?.();
      request.succeed(request.result);
    });
    return request;
  }

  #delete(name) {
    const request = new Request(this);
    const data = this.storage.databases.get(name);
    data.onfree = () => {
      if (data.connections.size) return;
      this.storage.databases.delete(name);
      request.succeed(undefined);
    };
    later(() => {
      for (const connection of [...data.connections]) connection.onversionchange?.();
      data.onfree();
    });
    return request;
  }

  async #lock(name, signal, hold) {
    const { locks } = this.storage;
    const lock = locks.get(name) ?? { held: false, queue: [] };
    locks.set(name, lock);
    if (lock.held) {
      await new Promise((resolve, reject) => {
        lock.queue.push(resolve);
        signal.addEventListener('abort', () => {
          lock.queue = lock.queue.filter((waiter) => waiter !== resolve);
          reject(signal.reason);
        });
      });
    }
    lock.held = true;
    let free = () => {};
    const freed = new Promise((resolve) => { free = resolve; });
    this.#mine.add(free);
    await Promise.race([hold({ name }), freed]);
    this.#mine.delete(free);
    lock.held = false;
    lock.queue.shift()?.();
  }

  /** As when the browser ends a tab in the middle of anything. */
  kill() {
    this.dead = true;
    for (const { connections } of this.storage.databases.values()) {
      for (const connection of connections) {
        if (connection.tab === this) connections.delete(connection);
      }
    }
    for (const free of this.#mine) free();
  }
}
