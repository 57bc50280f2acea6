// What the page makes of a room's records.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MESSAGES_MAX, RoomLog, mentionsIn, withoutBidi } from '../../bindings/web/page/log.js';

const record = (type, offset, more = {}) =>
  ({ type, room: '#a', epoch: '1', offset, sender: 'ada', text: '', ...more });
const message = (offset, text = `m${offset}`, more = {}) =>
  record('message', offset, { text, ...more });

test('messages stand in the order of their offsets, each once', () => {
  const log = new RoomLog();
  for (const offset of [5, 3, 5, 4, 9, 1]) log.take(message(offset), false);
  assert.deepEqual(log.order, [1, 3, 4, 5, 9]);
  assert.equal(log.last, 9);
});

test('an edit and a deletion count as they happen', () => {
  const log = new RoomLog();
  log.take(message(1, 'one'), true);
  assert.equal(log.take(record('edited', 2, { target: 1, text: 'two' }), true), 1);
  assert.deepEqual([log.messages.get(1).text, log.messages.get(1).edited], ['two', true]);
  assert.equal(log.take(record('deleted', 3, { target: 1 }), true), 1);
  assert.deepEqual([log.messages.get(1).text, log.messages.get(1).deleted], ['', true]);
  assert.equal(log.take(record('edited', 4, { target: 1, text: 'back' }), true), null);
  assert.equal(log.messages.get(1).text, '');
});

test('history has messages as they are now, so its edits change nothing', () => {
  const log = new RoomLog();
  log.take(message(1, 'newest', { edited: true }), false);
  assert.equal(log.take(record('edited', 2, { target: 1, text: 'older' }), false), null);
  assert.equal(log.messages.get(1).text, 'newest');
});

test('reactions count in any order, the newest of each person and text', () => {
  const log = new RoomLog();
  const react = (offset, sender, removed) =>
    log.take(record('reaction', offset, { target: 1, text: '+', sender, removed }), false);
  react(4, 'bob', true);
  react(3, 'bob', false); // was taken back later
  react(5, 'eve', false);
  log.take(message(1), false); // comes last, from an older page
  assert.deepEqual([...log.reactionsTo(1)], [['+', ['eve']]]);
  react(6, 'bob', false);
  assert.deepEqual([...log.reactionsTo(1)], [['+', ['bob', 'eve']]]);
});

test('a log that was begun anew is shown anew, and old pages of it are not', () => {
  const log = new RoomLog();
  log.take(message(7), true);
  log.take({ ...message(1, 'new'), epoch: '2' }, true);
  assert.equal(log.take(message(6), false), null);
  assert.deepEqual([...log.messages.values()].map((m) => m.text), ['new']);
});

test('a room keeps so many messages, and knows that there are older ones', () => {
  const log = new RoomLog();
  log.reachesStart = true;
  for (let i = 1; i <= MESSAGES_MAX + 2; ++i) log.take(message(i), true);
  assert.deepEqual(log.trim(), [1, 2]);
  assert.equal(log.order.length, MESSAGES_MAX);
  assert.equal(log.reachesStart, false);
});

test('our last message is the one that can be edited', () => {
  const log = new RoomLog();
  log.take(message(1), true);
  log.take(message(2, 'a.bin', { file: { size: 1 } }), true);
  log.take(message(3, 'x', { sender: 'bob' }), true);
  assert.equal(log.lastOf('ada').offset, 1);
  assert.equal(log.lastOf('eve'), null);
});

test('mentions are names, and not addresses', () => {
  const names = (text) => mentionsIn(text).map(({ name, at, end }) => [name, text.slice(at, end)]);
  assert.deepEqual(names('@Ada, mail x@y.z or @bob.'), [['ada', '@Ada'], ['bob', '@bob']]);
  assert.deepEqual(names('@ @. @-'), []);
});

test('what turns the direction of a text is taken out', () => {
  assert.equal(withoutBidi('a\u202eb\u2066c\u200fd'), 'abcd');
});
