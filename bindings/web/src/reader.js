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
  #detach;

  /** @param {(reader: Reader) => void} detach */
  constructor(detach) {
    this.#detach = detach;
  }

  /** @param {any} event */
  push(event) {
    if (this.#over) return;
    const reader = this.#readers.shift();
    if (reader) reader({ value: event, done: false });
    else if (this.#waiting.length < WAITING_MAX && this.#missed.size === 0) {
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

  end() {
    this.#over = true;
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true });
  }

  /** @returns {Promise<IteratorResult<any>>} */
  async next() {
    if (this.#waiting.length) return { value: this.#waiting.shift(), done: false };
    for (const [room, gap] of this.#missed) {
      this.#missed.delete(room);
      return { value: gap, done: false };
    }
    if (this.#over) return { value: undefined, done: true };
    return new Promise((resolve) => {
      this.#readers.push(resolve);
    });
  }

  /** @returns {Promise<IteratorResult<any>>} */
  async return() {
    this.#detach(this);
    this.#waiting.length = 0;
    this.#missed.clear();
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
