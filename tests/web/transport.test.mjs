// The glue between the module and WebTransport, against an object that does what the test says.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SLOW_AFTER, STREAM_WINDOW, Transport } from '../../bindings/web/src/transport.js';

const soon = () => new Promise((resolve) => setImmediate(resolve));

/** A WebTransport object that only records, and the test's hands on it. */
class Scripted {
  static all = [];

  constructor(url, options) {
    Object.assign(this, { url, options, streams: [], hints: [], closes: [] });
    this.ready = new Promise((up, down) => Object.assign(this, { up, down }));
    this.closed = new Promise((over, lost) => Object.assign(this, { over, lost }));
    this.ready.catch(() => {});
    this.datagrams = {
      readable: new ReadableStream({ start: (c) => { this.hint = c; } }),
      writable: new WritableStream({ write: (bytes) => { this.hints.push(bytes); } }),
    };
    Scripted.all.push(this);
  }

  async createBidirectionalStream() {
    const stream = { written: [], taken: [], pulls: 0, ended: '', cancelled: false };
    this.streams.push(stream);
    return {
      readable: new ReadableStream({
        start: (c) => { stream.in = c; },
        pull: () => { stream.pulls += 1; },
        cancel: (why) => { stream.cancelled = why; },
      }, { highWaterMark: 0 }),
      writable: new WritableStream({
        write: (bytes, c) => {
          stream.written.push([...bytes]);
          stream.fail = (error) => c.error(error);
          return new Promise((resolve, reject) => stream.taken.push({ resolve, reject }));
        },
        close: () => { stream.ended = 'fin'; },
        abort: () => { stream.ended = 'reset'; },
      }),
    };
  }

  close(info) {
    this.closes.push(info);
    this.over({ closeCode: info.closeCode, reason: info.reason });
  }
}

/** A transport, its object once it dialled, and what it reported. */
async function dialled(options = {}) {
  Scripted.all = [];
  const told = [];
  const tell = (name) => (...values) => told.push([name, ...values]);
  const names = ['connected', 'data', 'reset', 'sent', 'datagram', 'closed', 'slow'];
  const sink = Object.fromEntries(names.map((name) => [name, tell(name)]));
  const transport = new Transport({
    url: 'https://chat.example/quicchat', hashes: [], oneHash: false, WebTransport: Scripted, sink,
    ...options,
  });
  transport.dial();
  assert.deepEqual(Scripted.all, [], 'nothing happens within the call');
  await soon();
  return { transport, told, of: Scripted.all[0] };
}

async function online(options) {
  const all = await dialled(options);
  all.of.up();
  await soon();
  assert.deepEqual(all.told.splice(0), [['connected', 0]]);
  return all;
}

test('a session that the server closes is told once, with its code and its reason', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  await soon();
  const gone = Object.assign(new Error('gone'), { source: 'session' });
  of.streams[0].in.error(gone); // a browser errors the streams first
  of.hint.error(gone);
  of.over({ closeCode: 17, reason: 'wrong user name or password' });
  await soon();
  assert.deepEqual(told, [['closed', 17, true, 'wrong user name or password']]);
});

test('streams and datagrams that end before the session say nothing', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  await soon();
  of.streams[0].in.error(Object.assign(new Error('gone'), { source: 'session' }));
  of.hint.close();
  await soon();
  assert.deepEqual(told, []);
  of.lost(new Error('Connection lost.'));
  await soon();
  assert.deepEqual(told, [['closed', 27, false, 'Connection lost.']]);
});

test('a stream that the peer reset is told with its code', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  await soon();
  of.streams[0].in.error(
    Object.assign(new Error('reset'), { source: 'stream', streamErrorCode: 21 }));
  await soon();
  assert.deepEqual(told, [['reset', 0, 21]]);
});

test('a handshake that fails is told once', async () => {
  const { told, of } = await dialled();
  const error = new Error('Opening handshake failed.');
  of.down(error);
  of.lost(error);
  await soon();
  assert.deepEqual(told, [['closed', 26, false, 'Opening handshake failed.']]);
});

test('an address that WebTransport does not take is a failed handshake', async () => {
  class Refuses {
    constructor() {
      throw new SyntaxError('no such URL');
    }
  }
  const { told } = await dialled({ WebTransport: Refuses });
  assert.deepEqual(told, [['closed', 26, false, 'no such URL']]);
});

test('our own close sends code and reason, and is told once', async () => {
  const { transport, told, of } = await online();
  transport.close(0, 'bye');
  assert.deepEqual(told, [], 'not from within the call');
  await soon();
  assert.deepEqual(of.closes, [{ closeCode: 0, reason: 'bye' }]);
  assert.deepEqual(told, [['closed', 0, false, 'bye']]);
});

test('what belongs to an earlier session is not told', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  await soon();
  transport.dial();
  await soon();
  Scripted.all[1].up();
  await soon();
  of.streams[0].in.error(Object.assign(new Error('late'), { source: 'stream' }));
  of.lost(new Error('late'));
  await soon();
  assert.deepEqual(told, [['connected', 0]]);
});

test('a stream is read only while it has credit', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  await soon();
  const [stream] = of.streams;
  stream.in.enqueue(new Uint8Array(STREAM_WINDOW - 1));
  await soon();
  stream.in.enqueue(new Uint8Array(1000));
  await soon();
  assert.equal(told.length, 2, 'one byte of credit was left');
  stream.in.enqueue(new Uint8Array(1));
  await soon();
  assert.equal(told.length, 2, 'none was left');
  const { pulls } = stream;
  transport.credit(0, 2000);
  await soon();
  assert.equal(told.length, 3);
  assert.equal(stream.pulls, pulls + 1, 'and then the browser is asked for more');
  assert.deepEqual(told[2].slice(0, 2), ['data', 0]);
});

test('the end of a stream comes with its last bytes or after them', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  await soon();
  of.streams[0].in.enqueue(new Uint8Array([1, 2]));
  of.streams[0].in.close();
  await soon();
  assert.deepEqual(told.map(([name, id, bytes, fin]) => [name, id, [...bytes], fin]),
    [['data', 0, [1, 2], false], ['data', 0, [], true]]);
});

test('the backlog falls when the browser takes bytes, in order', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  transport.write(0, new Uint8Array([1]), false); // before there is a stream
  transport.write(0, new Uint8Array([2, 3]), true);
  await soon();
  const [stream] = of.streams;
  assert.deepEqual(stream.written, [[1]]);
  assert.deepEqual(told, []);
  stream.taken[0].resolve();
  await soon();
  assert.deepEqual(told, [['sent', 0, 1]]);
  assert.deepEqual(stream.written, [[1], [2, 3]]);
  assert.equal(stream.ended, '', 'the end waits for what was written');
  stream.taken[1].resolve();
  await soon();
  assert.equal(stream.ended, 'fin');
});

test('what a stopped stream does not take is no backlog', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  transport.write(0, new Uint8Array([1]), false);
  await soon();
  of.streams[0].taken[0].reject(Object.assign(new Error('stopped'), { source: 'stream' }));
  await soon();
  assert.deepEqual(told, [['sent', 0, 1]]);
});

test('a stream that was reset before it was open is reset when it is', async () => {
  const { transport, told, of } = await online();
  transport.open(0);
  transport.write(0, new Uint8Array([1]), false);
  transport.reset(0, 0);
  await soon();
  assert.deepEqual(of.streams[0].written, []);
  assert.equal(of.streams[0].ended, 'reset');
  assert.notEqual(of.streams[0].cancelled, false);
  assert.deepEqual(told, []);
});

test('datagrams go both ways, and too many are dropped', async () => {
  const { transport, told, of } = await online();
  of.hint.enqueue(new Uint8Array([9]));
  await soon();
  assert.deepEqual(told, [['datagram', new Uint8Array([9])]]);
  for (let i = 0; i < 100; ++i) transport.datagram(new Uint8Array([i]));
  await soon();
  assert.ok(of.hints.length >= 1 && of.hints.length < 100, `${of.hints.length} went out`);
});

test('with one hash at a time the next one is tried after a failed handshake', async () => {
  const hashes = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const { transport, told, of } = await dialled({ hashes, oneHash: true });
  const pinned = (session) => session.options.serverCertificateHashes.map(({ value }) => value[0]);
  assert.deepEqual(pinned(of), [1]);
  of.down(new Error('no'));
  of.lost(new Error('no'));
  await soon();
  transport.dial();
  await soon();
  assert.deepEqual(pinned(Scripted.all[1]), [2]);
  Scripted.all[1].up();
  await soon();
  assert.deepEqual(told.at(-1), ['connected', 1]);
  Scripted.all[1].lost(new Error('lost')); // it was the right one
  await soon();
  transport.dial();
  await soon();
  assert.deepEqual(pinned(Scripted.all[2]), [2]);
});

test('otherwise all hashes are given at once', async () => {
  const hashes = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const { of } = await dialled({ hashes });
  assert.deepEqual(of.options.serverCertificateHashes, hashes.map((value) =>
    ({ algorithm: 'sha-256', value })));
});

test('a ticket is there before the session is told, and without one it ends', async () => {
  let give;
  const prepare = () => new Promise((resolve, reject) => { give = { resolve, reject }; });
  const { transport, told, of } = await dialled({ prepare });
  of.up();
  await soon();
  assert.deepEqual(told, []);
  give.resolve();
  await soon();
  assert.deepEqual(told.splice(0), [['connected', 0]]);
  transport.dial();
  await soon();
  Scripted.all[1].up();
  await soon();
  give.reject(new Error('the site is down'));
  await soon();
  assert.deepEqual(told, [['closed', 27, false, 'the site is down']]);
  assert.equal(Scripted.all[1].closes.length, 1);
});

test('a handshake that takes long is said to be slow, once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { told, of } = await dialled();
  t.mock.timers.tick(SLOW_AFTER);
  await soon();
  assert.deepEqual(told, [['slow']]);
  of.up();
  t.mock.timers.tick(SLOW_AFTER);
  await soon();
  assert.deepEqual(told.map(([name]) => name), ['slow', 'connected']);
});
