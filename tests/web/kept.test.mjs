// What a page keeps over its reloads, against the real server: tabs that are killed, storage that
// fails, records that are damaged, tabs beside each other.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { forget } from '../../bindings/web/src/index.js';
import { enter, next, ticketFor, world } from './clients.mjs';
import { Storage, Tab } from './fake_browser.mjs';

/** A tab of a browser, whose page keeps what it may. */
async function open(t, of, storage, more = {}) {
  const tab = new Tab(storage);
  const news = [];
  const mine = new Set(of.sessions.keys());
  const chat = await enter(t, of, 'ada', {
    store: true,
    browser: { indexedDB: tab.indexedDB, locks: tab.locks },
    ...more,
    onState: (event) => event.type === 'storage' && news.push(event),
  });
  const [id] = [...of.sessions.keys()].filter((session) => !mine.has(session));
  /** Nothing of it is left but what it had kept, and what it had sent. */
  const kill = () => {
    chat.killed = true;
    tab.kill();
    chat.worker.engine.handle({ do: 'close' });
    chat.worker.terminate();
  };
  return Object.assign(chat, { tab, news, kill, session: () => of.sessions.get(id) });
}

const toldBy = (chat) => chat.news.map(({ keeps, reason }) => [keeps, reason]);
const textsOf = (page) => page.records.filter((r) => r.type === 'message').map((r) => r.text);
const holds = (bytes, text) => Buffer.from(bytes).includes(text);

/** Everything that a browser has on its disk. */
function everything(storage) {
  const dump = (value) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
    if (value instanceof Map) return [...value].map(dump).join('\n');
    return typeof value === 'object' && value ? Object.values(value).map(dump).join('\n')
      : String(value);
  };
  return [...storage.databases].map(([name, { stores }]) => name + dump(stores)).join('\n');
}

test('a message is kept before it is sent, and forgotten when it is stored', async (t) => {
  const of = world();
  const storage = new Storage();
  const ada = await open(t, of, storage);
  assert.equal(ada.keeps, true);
  assert.deepEqual(toldBy(ada), [[true, '']]);
  const order = [];
  const give = of.give.bind(of);
  of.give = (call, ...values) => {
    if (values.some((v) => v instanceof Uint8Array && holds(v, 'precious'))) order.push('sent');
    give(call, ...values);
  };
  storage.beforeCommit = async (changes) => {
    for (let i = 0; i < 100; ++i) await new Promise(setImmediate); // a slow disk
    const isIn = ([, , value]) => value instanceof Uint8Array && holds(value, 'precious');
    if (changes.some(isIn)) order.push('kept');
  };
  const room = await ada.join('#lobby');
  await Promise.all([
    room.send('precious 1'), room.send('precious 2'), ada.tell('bob', 'precious 3'),
  ]);
  assert.equal(order[0], 'kept');
  assert.equal(order.includes('sent'), true);
  order.length = 0;
  await room.edit(1, 'precious 4');
  assert.deepEqual(order, ['kept', 'sent']);
  await ada.close(); // as its last word: the Worker ends then
  assert.deepEqual(storage.values('unsent'), []);
});

test('what waited when a connection was lost is not written to the next one', async (t) => {
  const of = world();
  const storage = new Storage();
  const ada = await open(t, of, storage);
  const events = ada.events();
  const room = await ada.join('#lobby');
  let release = () => {};
  const begun = new Promise((resolve) => {
    storage.beforeCommit = () => new Promise((free) => {
      release = () => { storage.beforeCommit = async () => {}; free(); };
      resolve();
    });
  });
  const sent = room.send('once');
  await begun;
  const joined = ada.join('#tea'); // a stream of its own
  const session = ada.session();
  await new Promise(setImmediate);
  session.breaks('Connection lost.');
  await next(events, 'reconnecting');
  while (![...of.sessions.keys()].some((id) => id > session.id)) await new Promise(setImmediate);
  release();
  assert.equal((await sent).offset, 1);
  assert.equal((await joined).name, '#tea');
  const { value } = await events.next();
  assert.equal(value.type, 'online');
  assert.deepEqual(textsOf(await room.history()), ['once']);
});

test('what was not sent when its tab died is sent by the next one, once', async (t) => {
  const of = world();
  const storage = new Storage();
  const bob = await enter(t, of, 'bob');
  const heard = (await bob.join('#lobby')).events();
  const ada = await open(t, of, storage);
  const room = await ada.join('#lobby');
  ada.session().breaks('Connection lost.');
  of.reachable = false;
  for (const text of ['one', 'two']) room.send(text).catch(() => {});
  ada.tell('bob', 'three').catch(() => {});
  await storage.committed(() => storage.values('unsent').length === 3);
  ada.kill();
  of.reachable = true;
  const again = await open(t, of, storage);
  const events = again.events();
  const before = again.restored; // what is for bob may have gone already
  assert.deepEqual(before.map((m) => [m.room, m.recipient, m.text]).slice(0, 2),
    [['#lobby', '', 'one'], ['#lobby', '', 'two']]);
  const ids = before.map((m) => m.id);
  await again.join('#lobby');
  for (const text of ['one', 'two']) {
    const message = await next(heard, 'message');
    assert.equal(message.text, text);
    assert.equal(ids.includes(message.id), true);
  }
  while (again.restored.length) await next(events, 'sent');
  assert.deepEqual(textsOf(await bob.history('#lobby')), ['one', 'two']);
  assert.deepEqual(textsOf(await bob.history('@ada')), ['three']);
  await again.close();
  assert.deepEqual(storage.values('unsent'), []);
});

test('what the server had stored is recognised: same id, same device', async (t) => {
  const of = world();
  const storage = new Storage();
  const bob = await enter(t, of, 'bob');
  const there = await bob.join('#lobby');
  const heard = there.events();
  const ada = await open(t, of, storage);
  const room = await ada.join('#lobby');
  ada.session().arrives = () => {}; // the Ack is lost
  room.send('once').catch(() => {});
  const { id } = await next(heard, 'message');
  ada.kill();
  const again = await open(t, of, storage);
  const events = again.events();
  await again.join('#lobby');
  const sent = await next(events, 'sent');
  assert.deepEqual([sent.id, sent.offset, sent.text], [id, 1, 'once']);
  await there.send('the end');
  assert.equal((await next(heard, 'message')).text, 'the end');
  assert.deepEqual(textsOf(await bob.history('#lobby')), ['once', 'the end']);
});

test('a room goes on where its readers were, and nothing is left out', async (t) => {
  const of = world();
  const storage = new Storage();
  const bob = await enter(t, of, 'bob');
  const there = await bob.join('#lobby');
  const ada = await open(t, of, storage);
  const heard = (await ada.join('#lobby')).events();
  for (const text of ['one', 'two', 'three']) await there.send(text);
  for (const text of ['one', 'two']) assert.equal((await next(heard, 'message')).text, text);
  // It may be at "two" still, and has "three" in memory only.
  await storage.committed(() => storage.values('places')[0]?.offset === 1);
  ada.kill();
  for (const text of ['four', 'five']) await there.send(text);
  const again = await open(t, of, storage);
  const texts = [];
  for await (const event of await again.join('#lobby')) {
    assert.notEqual(event.type, 'gap');
    if (event.type === 'message' && texts.push(event.text) === 4) break;
  }
  assert.deepEqual(texts, ['two', 'three', 'four', 'five']);
  again.room('#lobby').leave();
  await storage.committed(() => storage.values('places').length === 0);
});

test('what came to a room before it had a reader comes again', async (t) => {
  const of = world();
  const storage = new Storage();
  const bob = await enter(t, of, 'bob');
  const [lobby, tea] = [await bob.join('#lobby'), await bob.join('#tea')];
  const ada = await open(t, of, storage);
  await ada.join('#lobby');
  const heard = (await ada.join('#tea')).events();
  await lobby.send('one');
  await tea.send('two');
  await next(heard, 'message'); // so "one" is here as well
  await ada.close();
  const again = await open(t, of, storage);
  const events = (await again.join('#lobby')).events();
  await lobby.send('three');
  assert.equal((await next(events, 'message')).text, 'one');
});

test('where records are gone, a room that goes on has a gap', async (t) => {
  const of = world();
  const storage = new Storage();
  const ada = await open(t, of, storage);
  await (await ada.join('#lobby')).send('one');
  await storage.committed(() => storage.values('places').length === 1);
  ada.kill();
  of.kill(); // all rooms are lost
  of.start();
  const again = await open(t, of, storage);
  const gap = await next((await again.join('#lobby')).events(), 'gap');
  assert.equal(gap.cause, 'new_epoch');
});

test('the chat goes on where nothing can be kept', async (t) => {
  const of = world();
  const storage = new Storage();
  storage.openError = 'UnknownError';
  const broken = new Tab(storage);
  const forbidden = { get indexedDB() { throw new DOMException('no', 'SecurityError'); } };
  for (const browser of [{}, forbidden, { indexedDB: broken.indexedDB, locks: broken.locks }]) {
    const ada = await open(t, of, new Storage(), { browser });
    assert.equal(ada.keeps, false);
    assert.deepEqual(toldBy(ada), [[false, 'unavailable']]);
    await (await ada.join('#lobby')).send('all the same');
    await ada.close();
  }
});

test('nothing is stored unless it is asked for', async (t) => {
  const of = world();
  const storage = new Storage();
  const ada = await open(t, of, storage, { store: false });
  await (await ada.join('#lobby')).send('one');
  assert.deepEqual([ada.keeps, ada.news.length, storage.databases.size], [false, 0, 0]);
  await assert.rejects(enter(t, of, 'ada', { store: 'yes' }), TypeError);
});

test('a browser that is full is told of, and the chat goes on', async (t) => {
  const of = world();
  const storage = new Storage();
  const ada = await open(t, of, storage);
  const events = ada.events();
  const room = await ada.join('#lobby');
  await room.send('one');
  storage.commitError = 'QuotaExceededError';
  await room.send('two');
  const full = await next(events, 'storage');
  assert.deepEqual([full.keeps, full.reason, ada.keeps], [false, 'full', false]);
  await room.send('three');
  storage.commitError = '';
  assert.equal((await next(events, 'storage')).keeps, true);
  assert.equal(ada.keeps, true);
  await ada.close();
  assert.deepEqual(storage.values('unsent'), []);
});

/** A store with three unsent messages, by a tab that died. */
async function left(t, of, storage) {
  const ada = await open(t, of, storage);
  const room = await ada.join('#lobby');
  ada.session().breaks('Connection lost.');
  of.reachable = false;
  for (const text of ['one', 'two', 'three']) room.send(text).catch(() => {});
  await storage.committed(() => storage.values('unsent').length === 3);
  ada.kill();
  of.reachable = true;
}

test('records that are damaged are dropped, and the good ones sent', async (t) => {
  const of = world();
  const storage = new Storage();
  await left(t, of, storage);
  const unsent = storage.store('unsent');
  const [good, second] = [...unsent.values()];
  unsent.set([...unsent.keys()][1], second.slice(0, -1)); // the last field is cut off
  unsent.set(100, good); // the same once more
  const another = (change) => {
    const record = Buffer.from(good);
    crypto.getRandomValues(record.subarray(9, 25)); // its id
    return Uint8Array.from(change(record));
  };
  unsent.set(101, another((record) => [...record, 0])); // more than all
  unsent.set(102, another((record) => record.fill(2, 0, 1))); // of a later version
  unsent.set(103, another((record) => record.fill('\n', 3, 4))); // no name of a room
  unsent.set(104, new Uint8Array(0));
  unsent.set(105, 'text').set('key', good).set(-1, good).set(2 ** 60, good);
  const again = await open(t, of, storage);
  assert.deepEqual(toldBy(again), [[true, 'damaged']]);
  assert.match(again.news[0].text, /^10 kept messages/);
  assert.deepEqual(again.restored.map((m) => m.text), ['one', 'three']);
  const events = again.events();
  await again.join('#lobby');
  while (again.restored.length) await next(events, 'sent');
  assert.deepEqual(textsOf(await again.history('#lobby')), ['one', 'three']);
  await again.close();
  assert.deepEqual(storage.values('unsent'), []);
});

test('what is new does not take the place of what is old', async (t) => {
  const of = world();
  const storage = new Storage();
  await left(t, of, storage);
  const again = await open(t, of, storage);
  again.session().breaks('Connection lost.');
  again.tell('bob', 'four').catch(() => {});
  const isFour = ([, , value]) => value instanceof Uint8Array && holds(value, 'four');
  await storage.committed(({ changes }) => changes.some(isFour));
  assert.equal(storage.values('unsent').filter((record) => holds(record, '#lobby')).length, 3);
});

test('whatever is in a record, the chat goes on', async (t) => {
  const of = world();
  const storage = new Storage();
  await left(t, of, storage);
  const [good] = storage.values('unsent');
  const unsent = storage.store('unsent');
  const draw = random(Number(process.env.QUICCHAT_SEED ?? 1));
  for (let number = 1; number <= 400; ++number) {
    const record = Uint8Array.from(good);
    for (let flips = 1 + draw(3); flips > 0; --flips) record[draw(record.length)] ^= 1 << draw(8);
    unsent.set(number, number % 4 ? record : record.slice(0, draw(record.length)));
  }
  const again = await open(t, of, storage);
  const events = again.events();
  await again.join('#lobby');
  // Some are good messages still: to other rooms, of other words. What the server does not take,
  // it refuses.
  await (await again.join('#tea')).send('still here');
  assert.equal(again.state, 'online');
  assert.equal(again.news[0].reason, 'damaged');
  const ours = () => again.restored.some(({ room }) => ['#lobby', '#tea'].includes(room));
  while (ours()) {
    const { value } = await events.next();
    assert.equal(['reconnecting', 'offline'].includes(value.type), false);
  }
});

/** Numbers below a bound, the same for the same seed. */
function random(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

test('a second tab has no part in the store, and is another device', async (t) => {
  const of = world();
  const storage = new Storage();
  const heard = [];
  const give = of.give.bind(of);
  of.give = (call, ...values) => {
    heard.push(...values.filter((value) => value instanceof Uint8Array));
    give(call, ...values);
  };
  const said = (device) => heard.filter((bytes) => holds(bytes, Buffer.from(device))).length;
  await left(t, of, storage);
  const [device] = storage.values('meta');
  assert.equal(said(device), 1);
  const first = await open(t, of, storage);
  assert.equal(said(device), 2);
  const second = await open(t, of, storage);
  assert.deepEqual(toldBy(second), [[false, 'in_use']]);
  assert.equal(said(device), 2);
  assert.deepEqual(second.restored, []);
  await (await second.join('#lobby')).send('of the second');
  assert.deepEqual(textsOf(await second.history('#lobby')), ['of the second']);
  const events = first.events();
  await first.join('#lobby');
  while (first.restored.length) await next(events, 'sent');
  assert.deepEqual(textsOf(await second.history('#lobby')),
    ['of the second', 'one', 'two', 'three']);
  await first.close();
  const third = await open(t, of, storage);
  assert.deepEqual([third.keeps, said(device)], [true, 3]);
});

test('what is refused at last is told, and not tried again', async (t) => {
  const of = world();
  const storage = new Storage();
  const ada = await open(t, of, storage);
  const room = await ada.join('#lobby');
  ada.session().breaks('Connection lost.');
  of.reachable = false;
  room.edit(99, 'of nothing').catch(() => {});
  await storage.committed(() => storage.values('unsent').length === 1);
  ada.kill();
  of.reachable = true;
  const again = await open(t, of, storage);
  const events = again.events();
  await again.join('#lobby');
  const refused = await next(events, 'notSent');
  assert.deepEqual([refused.text, refused.error.code], ['of nothing', 'no_such_message']);
  await again.close();
  assert.deepEqual(storage.values('unsent'), []);
});

test('what is kept is no secret, and can be deleted at any time', async (t) => {
  const of = world();
  const storage = new Storage();
  await left(t, of, storage);
  assert.match(everything(storage), /one/);
  assert.doesNotMatch(everything(storage), /ada-secret/);
  const ada = await open(t, of, storage);
  const events = ada.events();
  await forget(new Tab(storage));
  assert.equal((await next(events, 'storage')).keeps, false);
  assert.equal(storage.databases.size, 0);
  const room = await ada.join('#lobby'); // what was in memory is sent
  await room.send('four');
  assert.deepEqual(textsOf(await room.history()), ['one', 'two', 'three', 'four']);
});

test('tickets say whose messages are kept, and no other account sends them', async (t) => {
  const of = world();
  const storage = new Storage();
  const tickets = [];
  const giving = (user) => ({
    login: { ticket: async () => tickets[tickets.push(ticketFor(user)) - 1] },
  });
  const carol = await open(t, of, storage, giving('Carol'));
  assert.equal(tickets.length, 1);
  const room = await carol.join('#lobby');
  carol.session().breaks('Connection lost.');
  of.reachable = false;
  room.send('of carol').catch(() => {});
  await storage.committed(() => storage.values('unsent').length === 1);
  carol.kill();
  of.reachable = true;
  for (const ticket of tickets) {
    assert.equal(everything(storage).includes(ticket.split('.')[2]), false);
  }
  const dave = await open(t, of, storage, giving('dave'));
  assert.deepEqual(dave.restored, []);
  await dave.close();
  let who = 'carol';
  const changing = { login: { ticket: async () => ticketFor(who) } };
  const again = await open(t, of, storage, changing);
  assert.equal(again.restored.length, 1);
  who = 'dave';
  const states = [];
  const events = again.events();
  again.session().breaks('Connection lost.');
  for (let i = 0; i < 2; ++i) states.push((await next(events, 'reconnecting')).error.message);
  assert.match(states[1], /another account/);
  who = 'carol';
  await again.join('#lobby');
  while (again.restored.length) await next(events, 'sent');
  assert.deepEqual((await again.history('#lobby')).records.map((r) => r.sender), ['carol']);
});
