// What `for await` reads from.

/** Events that wait for a reader. */
export const WAITING_MAX = 5000;

/**
 * Events for one reader, in order. A reader that is too slow loses the newest ones: for each room
 * one gap comes in their place, with the cause "slow_reader"; the records are in its history.
 * @implements {AsyncIterableIterator<any>}
 */
export class Reader {
  /** @type {any[]} */
  #waiting = [];
  /** @type {Map<string, any>} */
  #missed = new Map();
  /** @type {((result: IteratorResult<any>) => void)[]} */
  #readers = [];
  #over = false;
  /**
   * What was handed out last. Whoever asks for the next one is done with it.
   * @type {any}
   */
  #current = null;
  #detach;
  #onNext;
  #most;

  /**
   * @param {(reader: Reader) => void} detach
   * @param {() => void} [onNext] somebody is done with an event
   * @param {number} [most] so many wait
   */
  constructor(detach, onNext = () => {}, most = WAITING_MAX) {
    this.#detach = detach;
    this.#onNext = onNext;
    this.#most = most;
  }

  /**
   * The oldest record or gap of a room that nobody is done with.
   * @param {string} room
   */
  oldest(room) {
    const fits = (/** @type {any} */ event) => event?.epoch !== undefined
      && event.room?.toLowerCase() === room && (event.offset ?? event.first) !== undefined;
    if (fits(this.#current)) return this.#current;
    return this.#waiting.find(fits) ?? [...this.#missed.values()].find(fits);
  }

  /** @param {any} event */
  push(event) {
    if (this.#over) return;
    const reader = this.#readers.shift();
    if (reader) {
      this.#current = event;
      reader({ value: event, done: false });
    } else if (this.#waiting.length < this.#most && this.#missed.size === 0) {
      this.#waiting.push(event);
    } else this.#miss(event);
  }

  /** @param {any} event */
  #miss(event) {
    const { room, epoch, offset } = event;
    if (room === undefined || offset === undefined || event.type === 'marker') return;
    const gap = this.#missed.get(room);
    if (gap && gap.epoch === epoch) gap.last = offset;
    else {
      this.#missed.set(room,
        { type: 'gap', room, epoch, first: offset, last: offset, cause: 'slow_reader' });
    }
  }

  #firstMissed() {
    for (const [room, gap] of this.#missed) {
      this.#missed.delete(room);
      return gap;
    }
  }

  end() {
    this.#over = true;
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true });
  }

  /** @returns {Promise<IteratorResult<any>>} */
  async next() {
    this.#current = this.#waiting.shift() ?? this.#firstMissed() ?? null;
    this.#onNext();
    if (this.#current) return { value: this.#current, done: false };
    if (this.#over) return { value: undefined, done: true };
    return new Promise((resolve) => {
      this.#readers.push(resolve);
    });
  }

  /** @returns {Promise<IteratorResult<any>>} */
  async return() {
    this.#detach(this);
    this.#current = null;
    this.#waiting.length = 0;
    this.#missed.clear();
    this.end();
    this.#onNext();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
