// Clients of the real server, for tests: the page's package, with an Engine in place of its Worker.

import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';

import { Engine } from '../../bindings/web/src/engine.js';
import { connect } from '../../bindings/web/src/index.js';
import { HASH, World } from './served.mjs';

const { QUICCHAT_WEB = 'build/web', QUICCHAT_SERVED = 'build/web-test/served.wasm' } = process.env;
const wasm = new WebAssembly.Module(readFileSync(`${QUICCHAT_WEB}/quicchat/quicchat.wasm`));
const worlds = [];
after(() => worlds.forEach((world) => world.stop()));

export function world() {
  const made = new World(QUICCHAT_SERVED);
  worlds.push(made);
  return made;
}

/**
 * An engine in this thread, in place of a Worker: messages are copied as between threads.
 * `browser`: what the page has beside the network.
 */
function workerOf(of, browser) {
  const { port1, port2 } = new MessageChannel();
  const has = Object.defineProperties({ WebTransport: of.WebTransport },
    Object.getOwnPropertyDescriptors(browser ?? {}));
  const engine = new Engine((message, transfer) => port2.postMessage(message, transfer), has);
  port2.onmessage = ({ data }) => engine.handle(data);
  port2.unref(); // a chat that never began has no end either
  return Object.assign(port1, {
    engine, terminate: () => { port1.close(); port2.close(); },
  });
}

export async function enter(t, of, user, { browser, ...more } = {}) {
  const worker = workerOf(of, browser);
  const chat = await connect('https://chat.example/quicchat', {
    login: { user, password: `${user}-secret` }, hashes: [HASH], wasm, worker, ...more,
  });
  t.after(() => chat.killed || chat.close());
  return Object.assign(chat, { worker, killed: false });
}

/** The next event of a kind. */
export async function next(events, type, fits = () => true) {
  for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }) {
    if (event.type === type && fits(event)) return event;
  }
  throw new Error(`no ${type} came`);
}

/** An ordinary HS256 JWT, as a site's back end makes it with any library. */
export function ticketFor(user, more = {}) {
  const base64url = (value) => Buffer.from(value).toString('base64url');
  const seconds = Math.floor(Date.now() / 1000);
  const body = { sub: user, aud: 'chat.example', exp: seconds + 60, iat: seconds + 1,
    jti: randomUUID(), ...more };
  const head = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(body))}`;
  const key = '0123456789abcdef0123456789abcdef';
  return `${head}.${createHmac('sha256', key).update(head).digest('base64url')}`;
}
