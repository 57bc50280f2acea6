// The page's side: promises and async iterables. What they stand for happens in a Worker.

import { QuicChatError } from './errors.js';
import { Places } from './places.js';
import { Reader } from './reader.js';
import {
  Access, Act, Role, act, certificateHash, json, offsetOf, text, whole,
} from './requests.js';

export { Access, Role };

const RECORDS = new Set(['message', 'edited', 'deleted', 'reaction', 'topic', 'role', 'access',
  'created']);

/** What comes with requests only, and is no news. */
const ANSWERS = new Set(['acked', 'refused', 'history', 'search', 'rooms']);

/** Records that wait for the first reader of a room, if nobody reads all events. */
const EARLY_MAX = 1000;

/** A file that is fetched, if nobody says otherwise. */
const FILE_BYTES_MAX = 100 * 1024 * 1024;

/** Certificates that a page knows: the present one, the next, and some to spare. */
const HASHES_MAX = 4;

/**
 * What a request waits for.
 * @typedef {object} Waiter
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {((done: number, size: number) => void) | undefined} [onProgress]
 */

/**
 * @param {any} event as the module tells it
 * @returns {any} as the page is told it
 */
function polished(event) {
  if (typeof event.time === 'number') event.time = new Date(event.time);
  if (event.type === 'role' && typeof event.until === 'number') {
    event.until = event.until ? new Date(event.until) : null;
  }
  if (typeof event.attributes === 'string') event.attributes = attributesOf(event.attributes);
  if (event.replyTo === 0) event.replyTo = null;
  if (Array.isArray(event.records)) {
    event.records = event.records
      .map(polished)
      .filter((/** @type {any} */ record) => RECORDS.has(record.type));
  }
  delete event.request;
  return event;
}

/**
 * What a peer sent beside a message.
 * @param {string} source
 */
function attributesOf(source) {
  try {
    const value = JSON.parse(source);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** @param {any} e */
function errorOf(e) {
  return new QuicChatError(e.error, e.text, {
    number: e.code,
    byPeer: e.byPeer ?? e.type === 'refused',
    retryAfter: e.retryAfter ?? 0,
  });
}

/** One connection that comes back by itself. Made by {@link connect}. */
export class Chat {
  /** @type {'connecting' | 'online' | 'reconnecting' | 'offline'} */
  #state = 'connecting';
  #user = '';
  #tickets = 0;
  /** @type {Map<number, Waiter>} */
  #asked = new Map(); // by ticket, until the module has taken it
  /** @type {Map<number, Waiter>} */
  #pending = new Map(); // by the module's number of the request
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  /** @type {Set<Reader>} */
  #readers = new Set();
  /** @type {Map<string, Set<Reader>>} */
  #roomReaders = new Map();
  /** @type {(() => Promise<string>) | undefined} */
  #ticket;
  /** @type {Map<string, Reader>} */
  #early = new Map(); // until a room has a reader
  #worker;
  #stop;
  #onState;
  /** @type {any} */
  #limits = null;
  #keeps = false;
  /** @type {Map<number, any>} */
  #restored = new Map(); // by the module's number of the request
  #places;
  /** @type {(value: any) => void} */
  #begun = () => {};
  /** @type {(error: Error) => void} */
  #notBegun = () => {};
  /** @type {(value: any) => void} */
  #ended = () => {};

  /**
   * @param {any} worker
   * @param {() => void} stop
   * @param {any} options
   */
  constructor(worker, stop, options) {
    this.#worker = worker;
    this.#stop = stop;
    this.#onState = options.onState;
    this.#ticket = options.login.ticket;
    this.#places = options.store
      ? new Places((places) => this.tellWorker({ do: 'places', places })) : null;
    /** Resolves with this chat when it is logged in. */
    this.begun = new Promise((resolve, reject) => {
      this.#begun = resolve;
      this.#notBegun = reject;
    });
    this.begun.catch(() => {}); // whoever waits for it is told
    /** Resolves with the reason when the chat is over; never rejects. */
    this.closed = /** @type {Promise<QuicChatError>} */ (new Promise((resolve) => {
      this.#ended = resolve;
    }));
    worker.onmessage = (/** @type {{data: any}} */ { data }) => this.#hear(data);
    worker.onerror = (/** @type {any} */ event) => {
      event.preventDefault?.();
      this.#end({ error: 'internal_error', code: 23, text: event.message || 'the worker failed' });
    };
  }

  /** @type {'connecting' | 'online' | 'reconnecting' | 'offline'} */
  get state() {
    return this.#state;
  }

  /** Our own name, as the server spells it. */
  get user() {
    return this.#user;
  }

  /** What the server takes: `messageBytesMax`, `attributesBytesMax`, `roomsMax`. */
  get limits() {
    return this.#limits;
  }

  /** What is unsent outlives the page, as `store` asked for. */
  get keeps() {
    return this.#keeps;
  }

  /** Messages of an earlier page without an answer. They are sent once their room is joined. */
  get restored() {
    return [...this.#restored.values()];
  }

  // Rooms.

  /**
   * Joins a room. `last`: so many records of before come first. `after`: a record that was seen;
   * all that followed it comes, or a gap says what does not. With neither, and a store, a room
   * goes on where the page before this one was.
   * @param {string} name
   * @param {{last?: number, after?: {epoch: string, offset: number}}} [position]
   * @returns {Promise<Room>}
   */
  async join(name, { last, after } = {}) {
    const there = this.#rooms.get(text(name, 'the room').toLowerCase());
    if (there) return there;
    if (after && !/^[0-9]{1,20}$/.test(after.epoch)) throw new TypeError('that is no epoch');
    const joined = after
      ? this.#ask('join_after', name, after.epoch, offsetOf(after))
      : this.#wait({
        do: 'call', name: 'join', args: [name, whole(last ?? 0, 'last')], goOn: last === undefined,
      }).answer;
    return this.#rooms.get((await joined).room) ?? this.room(name);
  }

  /**
   * A room that was joined.
   * @param {string} name
   * @returns {Room}
   */
  room(name) {
    const room = this.#rooms.get(name.toLowerCase());
    if (!room) throw new QuicChatError('not_in_room', `${name} was not joined`);
    return room;
  }

  /**
   * Makes a room, with us as its owner. Join it then.
   * @param {string} name
   * @param {{access?: number, topic?: string}} [how]
   */
  async createRoom(name, { access = Access.EVERYBODY, topic = '' } = {}) {
    return this.#ask('create_room', text(name, 'the room'), whole(access, 'access'),
      text(topic, 'the topic'));
  }

  /** The rooms that we may see, with what we have not read in them. */
  async rooms() {
    const rooms = [];
    for (let after = '', complete = false; !complete; ) {
      const page = await this.#ask('rooms', after);
      rooms.push(...page.rooms);
      complete = page.complete || page.rooms.length === 0;
      after = rooms.at(-1)?.room ?? '';
    }
    return rooms;
  }

  /**
   * Sends a message to one person.
   * @param {string} user
   * @param {string} message
   * @param {{attributes?: object}} [more]
   */
  async tell(user, message, { attributes } = {}) {
    return this.#ask('tell', text(user, 'the user'), text(message, 'the message'),
      json(attributes));
  }

  /**
   * What our account wants to be called; empty: by its user name.
   * @param {string} name
   */
  async setDisplayName(name) {
    await this.#ask('set_display_name', text(name, 'the name'));
  }

  /**
   * Records of a room, joined or not, or of what was written with `@name`: before a record, after
   * one, or the newest.
   * @param {string} room
   * @param {{before?: any, after?: any, limit?: number}} [where]
   */
  async history(room, { before, after, limit = 50 } = {}) {
    whole(limit, 'limit');
    if (after !== undefined) {
      return this.#ask('history', text(room, 'the room'), offsetOf(after) + 1, 0, limit);
    }
    const offset = before === undefined ? -1 : offsetOf(before);
    return this.#ask('history', text(room, 'the room'), offset, limit, 0);
  }

  /**
   * Messages and files that have all of the words, the newest first. Go on with `before: next`
   * while that is not null.
   * @param {string} room
   * @param {string} words
   * @param {{before?: any, limit?: number}} [where]
   */
  async search(room, words, { before, limit = 50 } = {}) {
    const page = await this.#ask('search', text(room, 'the room'), text(words, 'the words'),
      before === undefined ? -1 : offsetOf(before), whole(limit, 'limit'));
    return { ...page, next: page.next || null };
  }

  /**
   * Who belongs to a room or is in it.
   * @param {string} room
   */
  async members(room) {
    const people = [];
    for (let after = '', complete = false; !complete; ) {
      const page = await this.#ask('members', text(room, 'the room'), after);
      people.push(...page.people);
      complete = page.complete || page.people.length === 0;
      after = people.at(-1)?.user ?? '';
    }
    return people;
  }

  // Files.

  /**
   * @param {string} room
   * @param {Blob} blob
   * @param {{name?: string, attributes?: object, replyTo?: any, signal?: AbortSignal,
   *   onProgress?: (done: number, size: number) => void}} [how]
   */
  async sendFile(room, blob, how = {}) {
    const { attributes, replyTo, signal, onProgress } = how;
    const name = how.name ?? /** @type {any} */ (blob).name ?? 'file';
    return this.#transfer(signal, onProgress, {
      do: 'sendFile',
      room: text(room, 'the room'),
      name: text(name, 'the name'),
      blob,
      attributes: json(attributes),
      replyTo: replyTo === undefined ? 0 : offsetOf(replyTo),
    });
  }

  /**
   * @param {string} room
   * @param {any} message
   * @param {{maxBytes?: number, signal?: AbortSignal,
   *   onProgress?: (done: number, size: number) => void}} [how]
   * @returns {Promise<File>}
   */
  async readFile(room, message, { maxBytes = FILE_BYTES_MAX, signal, onProgress } = {}) {
    const { blob, name } = await this.#transfer(signal, onProgress, {
      do: 'fetchFile',
      room: text(room, 'the room'),
      offset: offsetOf(message),
      most: whole(maxBytes, 'maxBytes'),
    });
    // No type: what it is, its sender says, and a browser may run it.
    return typeof File === 'undefined' ? Object.assign(blob, { name }) : new File([blob], name);
  }

  // The end.

  /** Ends the chat. What was not answered yet is rejected. */
  async close() {
    this.#places?.tell(this.#readersOf);
    if (this.#state !== 'offline') this.#worker.postMessage({ do: 'close' });
    await this.closed;
  }

  /** All events, from now on. */
  events() {
    const reader = new Reader((r) => this.#readers.delete(r), this.#onNext);
    if (this.#state === 'offline') reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  [Symbol.asyncIterator]() {
    return this.events();
  }

  // For Room.

  /** @param {string} name */
  eventsOf(name) {
    const key = name.toLowerCase();
    const readers = this.#roomReaders.get(key) ?? new Set();
    this.#roomReaders.set(key, readers);
    const early = this.#early.get(key);
    this.#early.delete(key);
    const reader = early ?? new Reader((r) => readers.delete(r), this.#onNext);
    if (this.#state === 'offline') reader.end();
    else readers.add(reader);
    return reader;
  }

  /**
   * What came before a room has a reader waits for the first one.
   * @param {string} key
   */
  #beginEarly(key) {
    if (this.#readers.size || this.#roomReaders.get(key)?.size) return;
    const detach = (/** @type {Reader} */ r) => this.#roomReaders.get(key)?.delete(r);
    this.#early.set(key, new Reader(detach, this.#onNext, EARLY_MAX));
  }

  #onNext = () => this.#places?.touch(this.#readersOf);

  #readersOf = (/** @type {string} */ key) => [
    ...this.#readers, ...(this.#roomReaders.get(key) ?? []),
    ...(this.#early.has(key) ? [/** @type {Reader} */ (this.#early.get(key))] : []),
  ];

  /** @param {(string | number)[]} args */
  publish(args) {
    return this.#ask('publish', ...args);
  }

  /** @param {any} message */
  tellWorker(message) {
    if (this.#state !== 'offline') this.#worker.postMessage(message);
  }

  /**
   * @param {string} name
   * @param {...(string | number)} args
   * @returns {Promise<any>}
   */
  #ask(name, ...args) {
    return this.#wait({ do: 'call', name, args }).answer;
  }

  /**
   * @param {any} message
   * @param {Waiter['onProgress']} [onProgress]
   */
  #wait(message, onProgress) {
    const ticket = ++this.#tickets;
    const answer = new Promise((resolve, reject) => {
      if (this.#state === 'offline') {
        reject(new QuicChatError('not_ready', 'the chat is over'));
        return;
      }
      this.#asked.set(ticket, { resolve, reject, onProgress });
      this.#worker.postMessage({ ...message, ticket });
    });
    return { ticket, answer };
  }

  /**
   * @param {AbortSignal | undefined} signal
   * @param {Waiter['onProgress']} onProgress
   * @param {any} message
   */
  async #transfer(signal, onProgress, message) {
    signal?.throwIfAborted();
    const { ticket, answer } = this.#wait(message, onProgress);
    const cancel = () => this.#worker.postMessage({ do: 'cancel', ticket });
    signal?.addEventListener('abort', cancel, { once: true });
    this.#transfers.set(ticket, onProgress);
    try {
      return await answer;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      this.#transfers.delete(ticket);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** @type {Map<number, Waiter['onProgress']>} */
  #transfers = new Map();

  /** @param {any} message */
  #hear(message) {
    if (message.events) {
      for (const event of message.events) this.#event(event);
      if (!message.free) this.#worker.postMessage({ do: 'taken', count: message.events.length });
    } else if (message.ticket !== undefined) this.#taken(message);
    else if (message.progress !== undefined) {
      this.#transfers.get(message.progress)?.(message.done, message.size);
    } else if (message.answer !== undefined) {
      const waiter = this.#pending.get(message.answer);
      this.#pending.delete(message.answer);
      if (message.file) waiter?.resolve(message.file);
      else waiter?.reject(errorOf(message));
    } else if (message.wants === 'ticket') this.#giveTicket();
  }

  async #giveTicket() {
    try {
      const jwt = await this.#ticket?.();
      this.#worker.postMessage({ do: 'ticket', jwt: text(jwt, 'the ticket') });
    } catch (error) {
      this.#worker.postMessage({ do: 'ticket', error: `no ticket: ${error}` });
    }
  }

  /** @param {any} message */
  #taken(message) {
    const waiter = this.#asked.get(message.ticket);
    if (!waiter) return;
    this.#asked.delete(message.ticket);
    if (message.request === undefined) waiter.reject(errorOf(message));
    else this.#pending.set(message.request, waiter);
  }

  /** @param {any} event */
  #event(event) {
    switch (event.type) {
      case 'online':
        this.#user = event.user;
        this.#limits = event;
        this.#go('online', event);
        this.#begun(this);
        break;
      case 'reconnecting':
        event.error = errorOf(event.reason);
        this.#go(this.#state === 'connecting' ? 'connecting' : 'reconnecting', event);
        break;
      case 'slow':
        this.#onState?.(event);
        break;
      case 'storage':
        this.#keeps = event.keeps;
        this.#onState?.(event);
        break;
      case 'restored': {
        const { id, room, recipient, text: said } = event;
        this.#restored.set(event.request, { id, room, recipient, text: said });
        return;
      }
      case 'offline':
        this.#end(event.reason);
        return;
      case 'joined': {
        const key = event.room.toLowerCase();
        const room = this.#rooms.get(key);
        if (room) room.take(event);
        else {
          this.#rooms.set(key, new Room(this, event));
          this.#beginEarly(key);
        }
        break;
      }
      case 'left':
        this.#rooms.get(event.room.toLowerCase())?.take(event);
        this.#rooms.delete(event.room.toLowerCase());
        this.#early.delete(event.room.toLowerCase());
        break;
      case 'topic':
      case 'role':
      case 'access':
        this.#rooms.get(event.room.toLowerCase())?.take(event, this.#user);
        break;
    }
    const asked = event.type === 'members' && event.request !== 0;
    const old = ANSWERS.has(event.type) && this.#restored.get(event.request);
    if (old) this.#answerRestored(old, event);
    this.#answer(event);
    if (!asked && !ANSWERS.has(event.type)) this.#tell(event);
    this.#places?.hear(event, this.#readersOf);
  }

  /**
   * @param {any} old a message of an earlier page
   * @param {any} event
   */
  #answerRestored(old, event) {
    this.#restored.delete(event.request);
    const { epoch, offset } = event;
    if (event.type === 'refused') this.#tell({ ...old, type: 'notSent', error: errorOf(event) });
    else this.#tell({ ...old, type: 'sent', epoch, offset });
  }

  /**
   * Whoever asked for it.
   * @param {any} event
   */
  #answer(event) {
    const { request } = event;
    if (polished(event).type === 'left') this.#left(event);
    if (!request) return;
    const waiter = this.#pending.get(request);
    this.#pending.delete(request);
    if (event.type === 'refused') waiter?.reject(errorOf(event));
    else if (event.type === 'joined') {
      waiter?.resolve({ room: event.room.toLowerCase() });
    } else waiter?.resolve(event);
  }

  /** @param {any} event */
  #left(event) {
    for (const reader of this.#roomReaders.get(event.room.toLowerCase()) ?? []) {
      reader.push(event);
      reader.end();
    }
    this.#roomReaders.delete(event.room.toLowerCase());
  }

  /** @param {any} event */
  #tell(event) {
    for (const reader of this.#readers) reader.push(event);
    if (typeof event.room !== 'string') return;
    const key = event.room.toLowerCase();
    for (const reader of this.#roomReaders.get(key) ?? []) reader.push(event);
    if (RECORDS.has(event.type) || event.type === 'gap') this.#early.get(key)?.push(event);
  }

  /**
   * @param {'connecting' | 'online' | 'reconnecting' | 'offline'} state
   * @param {any} event
   */
  #go(state, event) {
    this.#state = state;
    this.#onState?.(event);
  }

  /** @param {any} reason */
  #end(reason) {
    if (this.#state === 'offline') return;
    const error = errorOf(reason);
    this.#go('offline', { type: 'offline', error });
    this.#notBegun(error);
    for (const waiters of [this.#asked, this.#pending]) {
      for (const waiter of waiters.values()) waiter.reject(error);
      waiters.clear();
    }
    for (const reader of this.#readers) {
      reader.push({ type: 'offline', error });
      reader.end();
    }
    for (const readers of this.#roomReaders.values()) for (const reader of readers) reader.end();
    this.#ended(error);
    this.#stop();
  }
}

/** A room that was joined. Made by {@link Chat.join}. */
export class Room {
  #chat;
  #joined;

  /**
   * @param {Chat} chat
   * @param {any} joined
   */
  constructor(chat, joined) {
    this.#chat = chat;
    this.#joined = joined;
  }

  get name() {
    return this.#joined.room;
  }
  get topic() {
    return this.#joined.topic;
  }
  /** Our own, see {@link Role}. */
  get role() {
    return this.#joined.role;
  }
  get access() {
    return this.#joined.access;
  }
  /** The offset up to which we had read when we joined. */
  get marker() {
    return this.#joined.marker;
  }

  /**
   * @param {any} event
   * @param {string} [user]
   */
  take(event, user = '') {
    if (event.type === 'joined') this.#joined = event;
    if (event.type === 'topic') this.#joined.topic = event.topic;
    if (event.type === 'access') this.#joined.access = event.access;
    if (event.type === 'role' && event.user.toLowerCase() === user.toLowerCase()) {
      this.#joined.role = event.role;
    }
  }

  /** What happens here, from now on. Its end is that we left. */
  events() {
    return this.#chat.eventsOf(this.name);
  }

  [Symbol.asyncIterator]() {
    return this.events();
  }

  /**
   * Sends a message. Resolves when it is stored.
   * @param {string} message
   * @param {{attributes?: object, replyTo?: any}} [more]
   */
  async send(message, { attributes, replyTo } = {}) {
    return this.#do(Act.message, {
      text: text(message, 'the message'),
      attributes: json(attributes),
      target: replyTo === undefined || replyTo === null ? 0 : offsetOf(replyTo),
    });
  }

  /**
   * @param {any} message
   * @param {string} words
   */
  async reply(message, words) {
    return this.send(words, { replyTo: message });
  }

  /**
   * @param {any} message
   * @param {string} words
   * @param {{attributes?: object}} [more]
   */
  async edit(message, words, { attributes } = {}) {
    return this.#do(Act.edit, {
      target: offsetOf(message),
      text: text(words, 'the message'),
      attributes: json(attributes),
    });
  }

  /**
   * @param {any} message
   * @param {string} [reason]
   */
  async delete(message, reason = '') {
    return this.#do(Act.deletion, { target: offsetOf(message), text: text(reason, 'the reason') });
  }

  /**
   * @param {any} message
   * @param {string} emoji
   */
  async react(message, emoji) {
    return this.#do(Act.reaction, { target: offsetOf(message), text: text(emoji, 'the reaction') });
  }

  /**
   * @param {any} message
   * @param {string} emoji
   */
  async unreact(message, emoji) {
    return this.#do(Act.unreaction,
      { target: offsetOf(message), text: text(emoji, 'the reaction') });
  }

  /** @param {string} topic */
  async setTopic(topic) {
    return this.#do(Act.topic, { text: text(topic, 'the topic') });
  }

  /**
   * @param {string} user
   * @param {number} role
   * @param {{until?: Date | null, reason?: string}} [more]
   */
  async setRole(user, role, { until = null, reason = '' } = {}) {
    return this.#do(Act.role, {
      subject: text(user, 'the user'),
      value: whole(role, 'the role'),
      until: until ? until.getTime() : 0,
      text: text(reason, 'the reason'),
    });
  }

  /** @param {number} access */
  async setAccess(access) {
    return this.#do(Act.access, { value: whole(access, 'access') });
  }

  /**
   * @param {Blob} blob
   * @param {Parameters<Chat['sendFile']>[2]} [how]
   */
  async sendFile(blob, how) {
    return this.#chat.sendFile(this.name, blob, how);
  }

  /**
   * @param {any} message
   * @param {Parameters<Chat['readFile']>[2]} [how]
   */
  async readFile(message, how) {
    return this.#chat.readFile(this.name, message, how);
  }

  /** @param {Parameters<Chat['history']>[1]} [where] */
  async history(where) {
    return this.#chat.history(this.name, where);
  }

  /**
   * @param {string} words
   * @param {Parameters<Chat['search']>[2]} [where]
   */
  async search(words, where) {
    return this.#chat.search(this.name, words, where);
  }

  async members() {
    return this.#chat.members(this.name);
  }

  /**
   * Says that we have read up to a message. `shared`: to the members as well.
   * @param {any} message
   * @param {{shared?: boolean}} [how]
   */
  markRead(message, { shared = false } = {}) {
    this.#chat.tellWorker({
      do: 'tell',
      name: 'mark_read',
      args: [this.name, offsetOf(message), Number(shared)],
    });
  }

  /** Says that we are typing. A hint: call it at each key. */
  typing() {
    this.#chat.tellWorker({ do: 'typing', room: this.name });
  }

  /** Leaves the room. */
  leave() {
    this.#chat.tellWorker({ do: 'tell', name: 'leave', args: [this.name] });
  }

  /**
   * @param {number} kind
   * @param {Parameters<typeof act>[2]} more
   */
  #do(kind, more) {
    return this.#chat.publish(act(this.name, kind, more));
  }
}

/**
 * @param {string | URL} url
 * @param {any} options
 */
function startOf(url, options) {
  const { login, hashes = [], agent = {} } = options;
  if (new URL(url).protocol !== 'https:') throw new TypeError('the URL must begin with https:');
  if (![undefined, true, false].includes(options.store)) {
    throw new TypeError('store must be true or false');
  }
  const tickets = typeof login?.ticket === 'function';
  if (!tickets && (typeof login?.user !== 'string' || typeof login?.password !== 'string')) {
    throw new TypeError('login must be {ticket} or {user, password}');
  }
  const pinned = hashes.map(certificateHash);
  if (pinned.length > HASHES_MAX) throw new TypeError(`at most ${HASHES_MAX} hashes`);
  if (!tickets && pinned.length === 0) {
    throw new TypeError('a login by password needs the hash of the certificate; see README.md');
  }
  return {
    do: 'start',
    url: String(url),
    hashes: pinned,
    tickets,
    user: login.user,
    password: login.password,
    store: options.store === true,
    agent: json({ program: 'quicchat in a page', ...agent }),
    wasm: options.wasm ?? new URL('quicchat.wasm', import.meta.url).href,
  };
}

/**
 * Connects and logs in. Resolves when that is done; comes back by itself from then on.
 * @param {string | URL} url as `https://chat.example:12345/quicchat`
 * @param {any} options
 * @returns {Promise<Chat>}
 */
export async function connect(url, options) {
  const start = startOf(url, options);
  options.signal?.throwIfAborted();
  const worker = options.worker
    ?? new Worker(new URL('worker.js', import.meta.url), { type: 'module', name: 'quicchat' });
  // The Worker says nothing after its last word.
  const chat = new Chat(worker, () => (worker.terminate ?? worker.close)?.call(worker), options);
  const abort = () => chat.close();
  options.signal?.addEventListener('abort', abort, { once: true });
  worker.postMessage(start);
  try {
    return await chat.begun;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}
