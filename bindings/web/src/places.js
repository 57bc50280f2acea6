// Where a page is in its rooms: behind what all of its readers are done with.

/** Milliseconds after which a place is told. What was read since the last time comes again. */
const TOLD_AFTER = 200;

/**
 * @typedef {import('./store.js').Place} Place
 * @typedef {(room: string) => import('./reader.js').Reader[]} ReadersOf by the name in lower case
 */

export class Places {
  /**
   * Behind the newest that the readers were given.
   * @type {Map<string, Place>}
   */
  #newest = new Map();
  /** @type {Map<string, string>} */
  #told = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #keep;

  /** @param {(places: {room: string, place: Place | null}[]) => void} keep null: it was left */
  constructor(keep) {
    this.#keep = keep;
  }

  /**
   * An event that the readers were given.
   * @param {any} event
   * @param {ReadersOf} readersOf
   */
  hear(event, readersOf) {
    if (typeof event.room !== 'string') return;
    const room = event.room.toLowerCase();
    const { epoch } = event;
    if (event.type === 'left') {
      this.#newest.delete(room);
      this.#told.delete(room);
      this.#keep([{ room, place: null }]);
      return;
    }
    if (event.type === 'joined') this.#newest.set(room, { epoch, offset: event.next - 1 });
    // After a log was set back the room goes on where `joined` says.
    else if (event.type === 'gap' && event.cause !== 'rolled_back') {
      this.#newest.set(room, { epoch, offset: event.last });
    } else if (epoch !== undefined && event.offset !== undefined && this.#newest.has(room)) {
      this.#newest.set(room, { epoch, offset: event.offset });
    } else return;
    this.touch(readersOf);
  }

  /**
   * Somebody has read on.
   * @param {ReadersOf} readersOf
   */
  touch(readersOf) {
    this.#timer ??= setTimeout(() => this.tell(readersOf), TOLD_AFTER);
  }

  /**
   * Says where all rooms are that have moved.
   * @param {ReadersOf} readersOf
   */
  tell(readersOf) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const moved = [];
    for (const [room, newest] of this.#newest) {
      const place = placeOf(newest, readersOf(room).map((reader) => reader.oldest(room)));
      const said = place && `${place.epoch}:${place.offset}`;
      if (!place || !said || this.#told.get(room) === said) continue;
      this.#told.set(room, said);
      moved.push({ room, place });
    }
    if (moved.length) this.#keep(moved);
  }
}

/**
 * @param {Place} newest
 * @param {any[]} unread the oldest of each reader; undefined: it is done with all
 * @returns {Place | null} null: it stays where it is
 */
function placeOf(newest, unread) {
  let { offset } = newest;
  for (const event of unread) {
    if (!event) continue;
    if (event.epoch !== newest.epoch) return null;
    offset = Math.min(offset, (event.offset ?? event.first) - 1);
  }
  return { epoch: newest.epoch, offset };
}
