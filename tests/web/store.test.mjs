// What a page keeps, alone: src/store.js and src/places.js over the storage of fake_browser.mjs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Places } from '../../bindings/web/src/places.js';
import { Reader } from '../../bindings/web/src/reader.js';
import { Store, forget } from '../../bindings/web/src/store.js';
import { Storage, Tab } from './fake_browser.mjs';

const DEVICE = new Uint8Array(16).fill(3);
const bytes = (...values) => Uint8Array.from(values);

/** An open store, with all that it told. */
async function opened(storage, tab = new Tab(storage)) {
  const news = [];
  const waiting = [];
  const store = await Store.open('chat.example', 'Ada', (keeps, reason, text) => {
    news.push({ keeps, reason, text });
    for (const wake of waiting.splice(0)) wake();
  }, tab);
  const told = async (fits) => {
    while (!news.some(fits)) await new Promise((wake) => waiting.push(wake));
  };
  return { store, news, told, tab };
}

const kept = (store) => new Promise((resolve) => { store.whenKept(resolve); });

test('what is kept is there the next time, in its order', async () => {
  const storage = new Storage();
  const first = await opened(storage);
  first.store.keepDevice(DEVICE);
  for (const number of [2, 10, 1]) first.store.keep(number, bytes(number));
  first.store.keepPlace('#Lobby', { epoch: '18446744073709551615', offset: 7 });
  first.store.forget(2);
  await first.store.close();
  const { store, news } = await opened(storage);
  assert.deepEqual(store.device, DEVICE);
  assert.deepEqual(store.unsent, [[1, bytes(1)], [10, bytes(10)]]);
  assert.deepEqual(store.place('#lobby'), { epoch: '18446744073709551615', offset: 7 });
  assert.equal(store.damaged, 0);
  assert.deepEqual(news, []);
  await store.close();
});

test('whatever is written waits for what is kept, in its order', async () => {
  const storage = new Storage();
  const { store } = await opened(storage);
  const order = [];
  let go = () => {};
  storage.beforeCommit = () => new Promise((resolve) => { go = resolve; });
  store.whenKept(() => order.push('nothing was asked'));
  assert.deepEqual(order, ['nothing was asked']);
  const begun = () => new Promise((resolve) => {
    const look = () => (go === idle ? setImmediate(look) : resolve(go));
    look();
  });
  const idle = go;
  store.keep(1, bytes(1));
  store.write();
  store.whenKept(() => order.push('first'));
  store.whenKept(() => order.push('behind it'));
  store.keep(2, bytes(2));
  store.write();
  store.whenKept(() => order.push('second'));
  const first = await begun();
  assert.deepEqual(order, ['nothing was asked']);
  go = idle;
  first();
  const second = await begun();
  assert.deepEqual(order, ['nothing was asked', 'first', 'behind it']);
  second();
  await kept(store);
  assert.deepEqual(order, ['nothing was asked', 'first', 'behind it', 'second']);
  store.forget(1); // what is deleted holds up nothing
  store.write();
  let ran = false;
  store.whenKept(() => { ran = true; });
  assert.equal(ran, true);
  go = idle;
  const third = await begun();
  storage.beforeCommit = async () => {};
  third();
  await store.close();
});

test('a browser that takes no more is tried again, and nothing is forgotten', async () => {
  const storage = new Storage();
  const { store, news, told } = await opened(storage);
  store.keepDevice(DEVICE);
  store.keep(1, bytes(1));
  store.write();
  await kept(store);
  storage.commitError = 'QuotaExceededError';
  store.keep(2, bytes(2));
  store.forget(1);
  store.write();
  await kept(store); // it goes on
  assert.deepEqual(news.map(({ keeps, reason }) => [keeps, reason]), [[false, 'full']]);
  store.keep(3, bytes(3));
  store.write();
  await kept(store);
  assert.equal(news.length, 1); // said once
  assert.deepEqual(storage.values('unsent'), [bytes(1)]);
  storage.commitError = '';
  await told(({ keeps }) => keeps);
  assert.deepEqual(storage.values('unsent'), [bytes(2), bytes(3)]);
  await store.close();
});

test('what the browser did not take does not undo what came after it', async () => {
  const storage = new Storage();
  const { store, told } = await opened(storage);
  storage.commitError = 'QuotaExceededError';
  const begun = new Promise((resolve) => {
    storage.beforeCommit = async () => {
      storage.beforeCommit = async () => {};
      await new Promise((go) => resolve(go));
    };
  });
  for (const number of [1, 2]) store.keep(number, bytes(number));
  store.write();
  const go = await begun;
  store.forget(1);
  go();
  await told(({ keeps }) => !keeps);
  storage.commitError = '';
  await told(({ keeps }) => keeps);
  assert.deepEqual(storage.values('unsent'), [bytes(2)]);
  await store.close();
});

test('the end is a last chance for what the browser did not take', async () => {
  const storage = new Storage();
  const { store, told } = await opened(storage);
  storage.commitError = 'UnknownError';
  store.keep(1, bytes(1));
  store.write();
  await told(({ reason }) => reason === 'failed');
  storage.commitError = '';
  await store.close();
  assert.deepEqual(storage.values('unsent'), [bytes(1)]);
});

test('what is damaged is dropped, and nothing else', async () => {
  const storage = new Storage();
  const first = await opened(storage);
  first.store.keepDevice(DEVICE);
  first.store.keep(1, bytes(1));
  await first.store.close();
  storage.store('unsent').set('two', bytes(2)).set(3, 'three').set(4, null).set(-1, bytes(1)).set(1.5, bytes(1));
  for (const place of [null, 7, {}, { epoch: '1', offset: -1 }, { epoch: 'x', offset: 1 },
    { epoch: '1'.repeat(21), offset: 1 }, { epoch: '1', offset: 1.5 }]) {
    storage.store('places').set(`#${storage.store('places').size}`, place);
  }
  storage.store('places').set('#good', { epoch: '1', offset: 2 }).set(5, { epoch: '1', offset: 2 });
  const { store } = await opened(storage);
  assert.deepEqual(store.unsent, [[1, bytes(1)]]);
  assert.equal(store.damaged, 5);
  assert.equal(store.place('#0'), undefined);
  assert.deepEqual(store.place('#good'), { epoch: '1', offset: 2 });
  await store.close();
  assert.deepEqual(storage.values('unsent'), [bytes(1)]);
  assert.equal(storage.store('places').size, 1);
});

test('without its device the rest is worth nothing: it would come twice', async () => {
  for (const device of [undefined, 'x', new Uint8Array(15)]) {
    const storage = new Storage();
    const first = await opened(storage);
    first.store.keepDevice(DEVICE);
    first.store.keep(1, bytes(1));
    await first.store.close();
    storage.store('meta').set('device', device);
    const { store } = await opened(storage);
    assert.equal(store.device, null);
    assert.deepEqual([store.unsent, store.damaged], [[], 1]);
    await store.close();
    assert.deepEqual(storage.values('unsent'), []);
  }
});

test('one tab at a time has it; one that is killed holds up nobody', async () => {
  const storage = new Storage();
  const first = await opened(storage);
  await assert.rejects(opened(storage), { reason: 'in_use' });
  await Store.open('chat.example', 'bob', () => {}, new Tab(storage)).then((bob) => bob.close());
  const waiting = opened(storage);
  first.tab.kill();
  await (await waiting).store.close();
});

test('a browser that has no storage for us is told from one that has', async () => {
  const storage = new Storage();
  const tab = new Tab(storage);
  storage.openError = 'UnknownError';
  await assert.rejects(opened(storage, tab), { reason: 'unavailable' });
  storage.openError = '';
  await (await opened(storage, tab)).store.close(); // the lock was given back
  const throws = { get indexedDB() { throw new DOMException('no', 'SecurityError'); } };
  await assert.rejects(opened(storage, throws), { reason: 'unavailable' });
  const request = async () => { throw new Error('no'); };
  const none = { indexedDB: tab.indexedDB, locks: { request } };
  await assert.rejects(opened(storage, none), { reason: 'unavailable' });
});

test('what is kept can be deleted, also from under a chat', async () => {
  const storage = new Storage();
  storage.databases.set('another program', { stores: new Map(), connections: new Set() });
  const { store, news } = await opened(storage);
  store.keep(1, bytes(1));
  store.write();
  await kept(store);
  await forget(new Tab(storage));
  assert.deepEqual([...storage.databases.keys()], ['another program']);
  assert.deepEqual(news.map(({ keeps, reason }) => [keeps, reason]), [[false, '']]);
  store.keep(2, bytes(2));
  store.write();
  await kept(store); // nothing waits for it any more
  await store.close();
});

test('a room is where its slowest reader is done', async () => {
  const told = [];
  const places = new Places((moved) => told.push(...moved));
  const [fast, slow] = [new Reader(() => {}), new Reader(() => {})];
  const of = () => [fast, slow];
  const hear = (event) => {
    for (const reader of of()) reader.push(event);
    places.hear(event, of);
  };
  const last = () => {
    places.tell(of);
    return told.at(-1)?.place;
  };
  places.hear({ type: 'joined', room: '#Lobby', epoch: '9', next: 4 }, of);
  assert.deepEqual(last(), { epoch: '9', offset: 3 });
  for (const offset of [4, 5]) hear({ type: 'message', room: '#Lobby', epoch: '9', offset });
  hear({ type: 'message', room: '#other', epoch: '9', offset: 1 }); // was not joined
  assert.deepEqual(last(), { epoch: '9', offset: 3 });
  for (let i = 0; i < 2; ++i) await fast.next();
  fast.next(); // it waits for more
  await slow.next();
  assert.deepEqual(last(), { epoch: '9', offset: 3 }); // it may be at it still
  await slow.next();
  assert.deepEqual(last(), { epoch: '9', offset: 4 });
  await slow.return();
  assert.deepEqual(last(), { epoch: '9', offset: 5 });
  assert.equal(told.every(({ room }) => room === '#lobby'), true);
  hear({ type: 'gap', room: '#Lobby', epoch: '9', first: 6, last: 8, cause: 'retention' });
  await fast.return();
  assert.deepEqual(last(), { epoch: '9', offset: 8 });
  places.hear({ type: 'left', room: '#Lobby' }, of);
  assert.deepEqual(told.at(-1), { room: '#lobby', place: null });
});

test('a gap that nobody has read is not gone past', () => {
  const told = [];
  const places = new Places((moved) => told.push(...moved));
  const reader = new Reader(() => {});
  const of = () => [reader];
  places.hear({ type: 'joined', room: '#r', epoch: '1', next: 4 }, of);
  places.tell(of);
  reader.push({ type: 'message', room: '#r', epoch: '1', offset: 4 });
  places.hear({ type: 'message', room: '#r', epoch: '1', offset: 4 }, of);
  places.hear({ type: 'joined', room: '#r', epoch: '2', next: 3 }, of);
  const gap = { type: 'gap', room: '#r', epoch: '2', first: 1, last: 2, cause: 'new_epoch' };
  reader.push(gap);
  places.hear(gap, of);
  places.tell(of);
  assert.deepEqual(told.map(({ place }) => place), [{ epoch: '1', offset: 3 }]);
});
