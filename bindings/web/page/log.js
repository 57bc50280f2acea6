// What a room shows, made of its records. Nothing in here knows the screen.
//
// Records come in any order and several times: as they happen, and as pages of history, where a
// message is as it is now. So edits and deletions count only as they happen; reactions always.

/** Messages that a room keeps; older ones are in its history. */
export const MESSAGES_MAX = 2000;

export class RoomLog {
  constructor() {
    this.clear('');
  }

  /** The room's log has begun anew, or nothing is known yet. */
  clear(epoch) {
    this.epoch = epoch;
    this.messages = new Map(); // by offset
    this.reactions = new Map(); // by the message's offset: by who and what, the newest
    this.order = []; // offsets of messages and notices
    this.reachesStart = false;
    this.last = 0; // of all records
  }

  /**
   * Takes a record. Answers the offset of the message that is to be drawn (anew), or null.
   * @param {boolean} live it happens now; not: it is from history
   */
  take(record, live) {
    if (record.epoch !== this.epoch) {
      if (!live && this.epoch !== '') return null; // of a log that is gone
      this.clear(record.epoch);
    }
    this.last = Math.max(this.last, record.offset);
    const of = this.messages.get(record.target);
    switch (record.type) {
      case 'message':
        return this.#add(record);
      case 'edited':
        if (!live || !of || of.deleted) return null;
        Object.assign(of, { text: record.text, attributes: record.attributes, edited: true });
        return record.target;
      case 'deleted':
        if (!live || !of) return null;
        Object.assign(of, { text: '', deleted: true, deletedBy: record.sender, file: undefined });
        return record.target;
      case 'reaction': {
        const all = this.reactions.get(record.target) ?? new Map();
        this.reactions.set(record.target, all);
        const key = `${record.sender}\0${record.text}`;
        if ((all.get(key)?.offset ?? 0) >= record.offset) return null;
        all.set(key, record);
        return of ? record.target : null;
      }
      default: // a topic, a role, and so on
        return this.#add(record);
    }
  }

  #add(record) {
    const known = this.messages.has(record.offset);
    this.messages.set(record.offset, record);
    if (!known) {
      let at = this.order.length;
      while (at > 0 && this.order[at - 1] > record.offset) at -= 1;
      this.order.splice(at, 0, record.offset);
    }
    return record.offset;
  }

  /** Forgets the oldest messages above the limit; their offsets. */
  trim() {
    const gone = this.order.splice(0, Math.max(this.order.length - MESSAGES_MAX, 0));
    for (const offset of gone) {
      this.messages.delete(offset);
      this.reactions.delete(offset);
    }
    if (gone.length) this.reachesStart = false;
    return gone;
  }

  /** The reactions to a message that hold: a text, and who. */
  reactionsTo(offset) {
    const texts = new Map();
    for (const record of this.reactions.get(offset)?.values() ?? []) {
      if (record.removed) continue;
      texts.set(record.text, [...(texts.get(record.text) ?? []), record.sender]);
    }
    return texts;
  }

  /** The newest message of a sender that can be edited, or null. */
  lastOf(sender) {
    for (let i = this.order.length - 1; i >= 0; --i) {
      const message = this.messages.get(this.order[i]);
      const fits = message.type === 'message' && message.sender === sender;
      if (fits && !message.deleted && !message.file) return message;
    }
    return null;
  }
}

/** The names that a text mentions (PROTOCOL.md §3.5), in lower case, with their places. */
export function mentionsIn(text) {
  const found = [];
  for (const match of text.matchAll(/(?<![A-Za-z0-9_.-])@([A-Za-z0-9_.-]+)/g)) {
    const name = match[1].replace(/[.-]+$/, '');
    if (name.length >= 1 && name.length <= 32) {
      found.push({ name: name.toLowerCase(), at: match.index, end: match.index + 1 + name.length });
    }
  }
  return found;
}

/** Controls that turn the direction of what follows, beyond the text that they stand in. */
export function withoutBidi(text) {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}
