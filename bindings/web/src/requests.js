// Arguments of requests, as the module takes them. What a program got wrong is a TypeError.

/** What a record of a room does; wire/act.hpp has the numbers. */
export const Act = Object.freeze({
  message: 0,
  edit: 1,
  deletion: 2,
  reaction: 3,
  unreaction: 4,
  topic: 5,
  role: 6,
  access: 7,
});

/** What somebody is in a room, in the order of power. */
export const Role = Object.freeze({
  NONE: 0,
  BANNED: 1,
  MUTED: 2,
  MEMBER: 3,
  MODERATOR: 4,
  OWNER: 5,
});

/** Who may come into a room. */
export const Access = Object.freeze({ EVERYBODY: 0, INVITATION: 1, ARCHIVED: 2 });

/**
 * @param {unknown} value
 * @param {string} what
 * @returns {string}
 */
export function text(value, what) {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`);
  // TextEncoder would replace it silently.
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)) {
    throw new TypeError(`${what} has half of a character`);
  }
  return value;
}

/**
 * @param {unknown} value
 * @param {string} what
 * @returns {number}
 */
export function whole(value, what) {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`${what} must be a whole number`);
  }
  return value;
}

/**
 * A record, or its offset.
 * @param {any} value
 * @param {string} what
 */
export function offsetOf(value, what = 'the message') {
  return whole(typeof value === 'object' && value !== null ? value.offset : value, what);
}

/** @param {any} attributes */
export function json(attributes) {
  if (attributes === undefined) return '{}';
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw new TypeError('attributes must be an object');
  }
  return JSON.stringify(attributes);
}

/**
 * The arguments of an act other than a plain message.
 * @param {string} room
 * @param {number} kind
 * @param {{text?: string, attributes?: string, target?: number, subject?: string, value?: number,
 *   until?: number}} more
 * @returns {(string | number)[]}
 */
export function act(room, kind, more) {
  const { text = '', attributes = '{}', target = 0, subject = '', value = 0, until = 0 } = more;
  return [room, text, attributes, kind, target, subject, value, until];
}

/**
 * SHA-256 of a certificate: 32 bytes, or a text of them in base64 or hexadecimal digits.
 * @param {string | Uint8Array | ArrayBuffer} hash
 */
export function certificateHash(hash) {
  let bytes;
  if (typeof hash !== 'string') bytes = new Uint8Array(hash);
  else if (/^[0-9a-f]{64}$/i.test(hash)) {
    bytes = Uint8Array.from(hash.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  } else bytes = Uint8Array.from(atob(hash), (c) => c.charCodeAt(0));
  if (bytes.length !== 32) throw new TypeError('a certificate hash has 32 bytes');
  return bytes;
}
