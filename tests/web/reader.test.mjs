// What `for await` reads from.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Reader, WAITING_MAX } from '../../bindings/web/src/reader.js';
import { certificateHash, json, offsetOf, text } from '../../bindings/web/src/requests.js';

const message = (offset, room = '#a') => ({ type: 'message', room, epoch: '1', offset });

async function rest(reader) {
  const events = [];
  reader.end();
  for await (const event of reader) events.push(event);
  return events;
}

test('a reader gets what came before and after it asked, in order', async () => {
  const reader = new Reader(() => {});
  reader.push(message(1));
  const first = await reader.next();
  const asked = [reader.next(), reader.next()];
  reader.push(message(2));
  reader.push(message(3));
  const offsets = [first, ...await Promise.all(asked)].map(({ value }) => value.offset);
  assert.deepEqual(offsets, [1, 2, 3]);
  assert.deepEqual(await rest(reader), []);
});

test('a reader that is too slow gets one gap for each room, with what it missed', async () => {
  const reader = new Reader(() => {});
  for (let i = 1; i <= WAITING_MAX; ++i) reader.push(message(i));
  reader.push(message(WAITING_MAX + 1));
  reader.push(message(WAITING_MAX + 2));
  reader.push(message(7, '#b'));
  reader.push({ type: 'typing', room: '#b', user: 'bob', typing: true }); // only a hint
  const { value } = await reader.next();
  assert.equal(value.offset, 1);
  reader.push(message(WAITING_MAX + 3)); // there is room, but the gap comes first
  const events = await rest(reader);
  assert.equal(events.length, WAITING_MAX - 1 + 2);
  assert.deepEqual(events.slice(-2).map(({ type, room, first, last, cause }) =>
    ({ type, room, first, last, cause })), [
    { type: 'gap', room: '#a', first: WAITING_MAX + 1, last: WAITING_MAX + 3,
      cause: 'slow_reader' },
    { type: 'gap', room: '#b', first: 7, last: 7, cause: 'slow_reader' },
  ]);
});

test('a reader that is left is detached', async () => {
  let left = null;
  const reader = new Reader((r) => { left = r; });
  reader.push(message(1));
  for await (const event of reader) if (event) break;
  assert.equal(left, reader);
  assert.equal((await reader.next()).done, true);
});

test('what a program got wrong is a TypeError', () => {
  for (const wrong of [
    () => text(1, 'x'), () => text('\ud800', 'x'), () => offsetOf('1'), () => offsetOf(-1),
    () => offsetOf(1.5), () => json([]), () => json(null), () => certificateHash('AAAA'),
  ]) assert.throws(wrong, TypeError);
  assert.equal(text('\u{1f600}', 'x'), '\u{1f600}');
  assert.equal(offsetOf({ offset: 3 }), 3);
});

test('a certificate hash is bytes, base64 or hexadecimal digits', () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  const hex = Buffer.from(bytes).toString('hex');
  for (const form of [bytes, bytes.buffer, hex, hex.toUpperCase(),
    Buffer.from(bytes).toString('base64')]) assert.deepEqual(certificateHash(form), bytes);
});
