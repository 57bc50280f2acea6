// The page's client against the real server: both are WebAssembly, and the network is served.mjs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Role, connect } from '../../bindings/web/src/index.js';
import { enter, next, ticketFor, world } from './clients.mjs';

test('two people chat', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const bob = await enter(t, of, 'bob');
  assert.equal(ada.user, 'ada');
  assert.equal(ada.state, 'online');
  const here = await ada.join('#lobby');
  const there = await bob.join('#lobby');
  const heard = there.events();
  const receipt = await here.send('hello, "bob" \u{1f600}\\', { attributes: { mood: [1, 'a'] } });
  assert.equal(receipt.offset, 1);
  assert.ok(receipt.time instanceof Date);
  const message = await next(heard, 'message');
  assert.equal(message.text, 'hello, "bob" \u{1f600}\\');
  assert.equal(message.sender, 'ada');
  assert.equal(message.id, receipt.id);
  assert.deepEqual(message.attributes, { mood: [1, 'a'] });
  assert.equal(message.replyTo, null);
});

test('messages are answered, edited, deleted and reacted to', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const room = await ada.join('#lobby');
  const heard = room.events();
  const first = await room.send('one');
  const answer = await room.reply(first, 'two');
  await room.edit(answer, 'two, rather');
  await room.react(first, '\u{1f44d}');
  await room.unreact(first, '\u{1f44d}');
  await room.delete(first, 'never mind');
  assert.equal((await next(heard, 'message')).text, 'one');
  assert.equal((await next(heard, 'message')).replyTo, first.offset);
  const edited = await next(heard, 'edited');
  assert.deepEqual([edited.target, edited.text], [answer.offset, 'two, rather']);
  assert.deepEqual(['removed', 'text'].map((k) => edited[k] ?? null), [null, 'two, rather']);
  assert.equal((await next(heard, 'reaction')).removed, false);
  assert.equal((await next(heard, 'reaction')).removed, true);
  const deleted = await next(heard, 'deleted');
  assert.deepEqual([deleted.target, deleted.reason], [first.offset, 'never mind']);
  const page = await room.history({ limit: 100 });
  const now = page.records.filter((record) => record.type === 'message');
  assert.deepEqual(now.map((m) => [m.text, m.edited, m.deleted]),
    [['', false, true], ['two, rather', true, false]]);
});

test('history comes in pages, and is searched', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const room = await ada.join('#lobby');
  await Promise.all(Array.from({ length: 30 }, (_, i) => room.send(`apple ${i}`)));
  await room.send('a pear');
  const newest = await room.history({ limit: 10 });
  assert.deepEqual(newest.records.map((r) => r.offset), [22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
  assert.equal(newest.reachesStart, false);
  const older = await room.history({ before: newest.records[0], limit: 100 });
  assert.equal(older.records.length, 21);
  assert.equal(older.reachesStart, true);
  const after = await room.history({ after: 29, limit: 100 });
  assert.deepEqual(after.records.map((r) => r.text), ['apple 29', 'a pear']);
  const found = await room.search('pear');
  assert.deepEqual(found.records.map((r) => r.text), ['a pear']);
  assert.equal(found.next, null);
});

test('a file goes up and comes down whole, with progress', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const bob = await enter(t, of, 'bob');
  const here = await ada.join('#lobby');
  const there = await bob.join('#lobby');
  const heard = there.events();
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const content = new Blob(Array.from({ length: 20 }, () => bytes)); // more than all windows
  const up = [];
  const onProgress = (done, size) => up.push([done, size]);
  await here.sendFile(content, { name: 'tea.bin', onProgress });
  assert.deepEqual(up.at(-1), [content.size, content.size]);
  const message = await next(heard, 'message');
  assert.equal(message.text, 'tea.bin');
  assert.equal(message.file.size, content.size);
  const down = [];
  const file = await there.readFile(message, { onProgress: (done) => down.push(done) });
  assert.equal(file.name, 'tea.bin');
  assert.equal(file.type, '');
  assert.deepEqual(new Uint8Array(await file.arrayBuffer()),
    new Uint8Array(await content.arrayBuffer()));
  assert.equal(down.at(-1), content.size);
  await assert.rejects(there.readFile(message, { maxBytes: 1000 }), { code: 'file_too_large' });
  const stop = new AbortController();
  const reading = there.readFile(message, { signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(reading, { name: 'AbortError' });
});

test('what is refused says why, and the chat lives on', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  await assert.rejects(ada.join('#nowhere'), { code: 'no_such_room', byPeer: true });
  await assert.rejects(ada.join('no name'), { code: 'invalid_name', byPeer: false });
  const room = await ada.join('#lobby');
  await assert.rejects(room.send('x'.repeat(40_000)), { code: 'message_too_long' });
  await assert.rejects(room.send('\u0007'), { code: 'invalid_text' });
  await assert.rejects(room.edit(99, 'x'), { code: 'no_such_message' });
  await assert.rejects(room.send('half \ud83d'), TypeError);
  await assert.rejects(ada.tell('nobody', 'x'), { code: 'no_such_user' });
  assert.equal((await room.send('still here')).offset, 1);
});

test('a wrong password ends it, with the reason', async (t) => {
  const of = world();
  const states = [];
  await assert.rejects(
    enter(t, of, 'ada', {
      login: { user: 'ada', password: 'guess' }, onState: (event) => states.push(event.type),
    }), { code: 'login_failed', byPeer: true });
  assert.deepEqual(states, ['offline']);
});

test('a ticket logs in, and each connection wants another one', async (t) => {
  const of = world();
  const tickets = [];
  const login = { ticket: async () => tickets[tickets.push(ticketFor('carol')) - 1] };
  const carol = await enter(t, of, 'carol', { login });
  assert.equal(carol.user, 'carol');
  const room = await carol.join('#lobby');
  for (const session of of.sessions.values()) session.breaks('Connection lost.');
  await room.send('there again');
  assert.equal(tickets.length, 2);
});

test('a ticket that is refused is asked for again, once', async (t) => {
  const of = world();
  let asked = 0;
  const old = async () => (++asked === 1 ? ticketFor('carol', { exp: 1 }) : ticketFor('carol'));
  assert.equal((await enter(t, of, 'carol', { login: { ticket: old } })).state, 'online');
  asked = 0;
  const other = async () => (++asked, ticketFor('carol', { aud: 'other.example' }));
  await assert.rejects(enter(t, of, 'carol', { login: { ticket: other } }),
    { code: 'ticket_refused' });
  assert.equal(asked, 2);
});

test('without a ticket there is no login', async (t) => {
  const of = world();
  const none = async () => { throw new Error('not logged in here'); };
  await assert.rejects(enter(t, of, 'carol', { login: { ticket: none } }),
    { code: 'transport_failed', message: /not logged in here/ });
  await assert.rejects(enter(t, of, 'carol', { login: { ticket: async () => 'x' } }),
    { code: 'transport_failed' });
});

test('a password needs a pinned certificate, and the URL https', async (t) => {
  const of = world();
  await assert.rejects(enter(t, of, 'ada', { hashes: [] }), TypeError);
  await assert.rejects(connect('http://chat.example', { login: { ticket: async () => '' } }),
    TypeError);
  assert.equal(of.dials.length, 0);
});

test('a lost connection comes back: unsent messages are sent once, in order', async (t) => {
  const of = world();
  const states = [];
  const ada = await enter(t, of, 'ada', { onState: (event) => states.push(event.type) });
  const bob = await enter(t, of, 'bob');
  const here = await ada.join('#lobby');
  const there = await bob.join('#lobby');
  const heard = there.events();
  await here.send('one');
  [...of.sessions.values()].find((s) => s.id === 1).breaks('Connection lost.');
  await Promise.all([here.send('two'), here.send('three')]);
  for (const text of ['one', 'two', 'three']) {
    assert.equal((await next(heard, 'message')).text, text);
  }
  assert.deepEqual(states, ['online', 'reconnecting', 'online']);
  assert.equal(ada.state, 'online');
  assert.deepEqual((await here.history()).records.map((r) => r.text), ['one', 'two', 'three']);
});

test('a server that was killed and lost its rooms leaves a gap that is seen', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const room = await ada.join('#lobby');
  const heard = room.events();
  await room.send('one');
  of.kill();
  const sent = room.send('two');
  of.start();
  await sent;
  const gap = await next(heard, 'gap');
  assert.equal(gap.cause, 'new_epoch');
  assert.equal((await next(heard, 'message')).text, 'two');
});

test('a server that cannot be reached at first is an error, and later one that is tried again',
  async (t) => {
    const of = world();
    of.reachable = false;
    await assert.rejects(enter(t, of, 'ada'), { code: 'handshake_timeout', byPeer: false });
    of.reachable = true;
    const states = [];
    const ada = await enter(t, of, 'ada', {
      onState: (event) => {
        states.push(event);
        of.reachable = event.attempt !== 1;
      },
    });
    const room = await ada.join('#lobby');
    for (const session of of.sessions.values()) session.breaks('Connection lost.');
    await room.send('there again');
    assert.deepEqual(states.map(({ type, attempt }) => [type, attempt ?? 0]),
      [['online', 0], ['reconnecting', 1], ['reconnecting', 2], ['online', 0]]);
    assert.deepEqual(states.map(({ error }) => error?.code),
      [undefined, 'transport_failed', 'handshake_timeout', undefined]);
  });

test('who closes is told so, and what waited is rejected', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const room = await ada.join('#lobby');
  const reading = room.events().next();
  for (const session of of.sessions.values()) session.arrives = () => {};
  const sent = room.send('one');
  sent.catch(() => {});
  await ada.close();
  await assert.rejects(sent, { code: 'closed' });
  assert.equal((await reading).done, true);
  assert.equal((await ada.closed).code, 'closed');
  assert.equal(ada.state, 'offline');
  await assert.rejects(room.send('x'), { code: 'not_ready' });
});

test('a server that shuts down says so', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const all = ada.events();
  of.shutdown();
  const going = await next(all, 'goingAway');
  assert.equal(going.error, 'server_shutdown');
});

test('a connection may be given up before it is there', async (t) => {
  const of = world();
  of.reachable = false;
  const stop = new AbortController();
  const connecting = enter(t, of, 'ada', { signal: stop.signal, onState: () => stop.abort() });
  await assert.rejects(connecting, { name: 'AbortError' });
});

test('people come, go, type, read and are called something', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const here = await ada.join('#lobby');
  const heard = here.events();
  const all = ada.events(); // names are not about a room
  const bob = await enter(t, of, 'bob');
  const there = await bob.join('#lobby');
  assert.equal((await next(heard, 'presence')).user, 'bob');
  there.typing();
  assert.deepEqual((await next(heard, 'typing')).user, 'bob');
  const { offset } = await here.send('read this');
  there.markRead(offset, { shared: true });
  assert.deepEqual((await next(heard, 'marker')).offset, offset);
  await bob.setDisplayName('Robert');
  assert.equal((await next(all, 'profile')).displayName, 'Robert');
  const people = await here.members();
  assert.deepEqual(people.map((p) => [p.user, p.role, p.present, p.displayName]),
    [['ada', Role.MEMBER, true, ''], ['bob', Role.MEMBER, true, 'Robert']]);
  const rooms = await ada.rooms();
  assert.deepEqual(rooms.map((r) => r.room), ['#lobby', '#tea']);
  there.leave();
  assert.equal((await next(heard, 'presence')).present, false);
});

test('rooms are made, and their owner sees to order', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const eve = await enter(t, of, 'eve');
  await ada.createRoom('#garden', { topic: 'roses' });
  const garden = await ada.join('#garden');
  assert.equal(garden.topic, 'roses');
  assert.equal(garden.role, Role.OWNER);
  const there = await eve.join('#garden', { last: 10 });
  const heard = there.events();
  await garden.setTopic('tulips');
  assert.equal((await next(heard, 'topic')).topic, 'tulips');
  assert.equal(there.topic, 'tulips');
  await garden.setRole('eve', Role.MUTED, { reason: 'loud' });
  assert.equal((await next(heard, 'role')).reason, 'loud');
  await assert.rejects(there.send('x'), { code: 'forbidden' });
});

test('private messages go to one person', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const bob = await enter(t, of, 'bob');
  const heard = bob.events();
  await ada.tell('bob', 'psst');
  const message = await next(heard, 'private');
  assert.deepEqual([message.sender, message.recipient, message.text], ['ada', 'bob', 'psst']);
  assert.deepEqual((await bob.history('@ada')).records.map((r) => r.text), ['psst']);
});

test('what comes right after a join waits for the first reader', async (t) => {
  const of = world();
  const ada = await enter(t, of, 'ada');
  const bob = await enter(t, of, 'bob');
  const here = await ada.join('#lobby');
  for (const text of ['one', 'two', 'three']) await here.send(text);
  const texts = [];
  for await (const event of await bob.join('#lobby', { last: 2 })) {
    if (event.type === 'message' && texts.push(event.text) === 2) break;
  }
  assert.deepEqual(texts, ['two', 'three']);
});
