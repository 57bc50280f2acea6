// The chat page in Firefox, by WebDriver BiDi: `sh tests/firefox.sh` runs it.
//   node firefox.mjs PYTHON FIREFOX

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [python, executablePath] = process.argv.slice(2);
const root = join(import.meta.dirname, '..', '..');
const require = createRequire(join(root, 'build', 'web-tools', 'package.json'));
const { default: puppeteer } = await import(require.resolve('puppeteer-core'));

const scale = Number(process.env.QUICCHAT_TEST_TIMEOUT_SCALE || 1);
const timeout = 120_000 * scale;
const folder = mkdtempSync(join(tmpdir(), 'quicchat-firefox-'));
const passwords = { ada: 'correct horse', bob: 'battery staple' };

/** The configuration, with these changes. */
function configure(changes) {
  writeFileSync(join(folder, 'config.json'), JSON.stringify({
    host: '127.0.0.1', port: 0, certfile: 'server.crt', keyfile: 'server.key',
    durability: 'process',
    auth: {
      iterations: 100_000,
      users: Object.entries(passwords).map(([username, password]) => ({ username, password })),
    },
    ...changes,
  }), { mode: 0o600 });
}

const quicchat = (...words) => ['-m', 'quicchat', ...words, '--config',
  join(folder, 'config.json')];

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

async function until(what, found) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await found();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await pause(50);
  }
}

let port = 0;
let starts = 0;

/** `quicchat serve --web`; the same port when it is started again. */
async function serve() {
  const log = join(folder, `serve-${++starts}.log`);
  const output = openSync(log, 'w');
  const child = spawn(python, quicchat('serve', '--port', String(port), '--web',
    join(root, 'build', 'web')), { stdio: ['ignore', output, output], cwd: folder });
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  const found = await until('the server listens', () => {
    assert.equal(child.exitCode, null, readFileSync(log, 'utf8'));
    return readFileSync(log, 'utf8').match(/the chat page is at (\S+)[^]*listening on .*:(\d+) /);
  });
  port = Number(found[2]);
  return { url: found[1], end: (signal) => { child.kill(signal); return ended; } };
}

/** Carries datagrams between clients and a server, unless it is cut. */
async function relay(to) {
  const ends = new Map(); // by client
  const front = createSocket('udp4');
  const made = { isCut: false, port: 0, close: () => {} };
  front.on('message', (data, from) => {
    if (made.isCut) return;
    const client = `${from.address}:${from.port}`;
    if (!ends.has(client)) {
      const end = createSocket('udp4');
      end.on('message', (back) => made.isCut || front.send(back, from.port, from.address));
      ends.set(client, end);
    }
    ends.get(client).send(data, to, '127.0.0.1');
  });
  await new Promise((resolve) => { front.bind(0, '127.0.0.1', resolve); });
  made.port = front.address().port;
  made.close = () => [front, ...ends.values()].forEach((socket) => socket.close());
  return made;
}

/** Serves what the server's page has, but says that the chat is at another port. */
async function leadTo(other) {
  const front = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url, server.url));
    let body = Buffer.from(await answer.arrayBuffer());
    if (request.url === '/quicchat.json') {
      body = Buffer.from(String(body).replace(`:${port}/`, `:${other}/`));
    }
    // Not the policy: it names the server's port.
    response.writeHead(answer.status, { 'Content-Type': answer.headers.get('Content-Type') });
    response.end(body);
  });
  await new Promise((resolve) => { front.listen(0, '127.0.0.1', resolve); });
  return { url: `http://127.0.0.1:${front.address().port}/`, close: () => front.close() };
}

const texts = (page) => page.$$eval('article .text', (all) => all.map((e) => e.textContent));
const shows = (page, text) => until(`${text} is shown`,
  async () => (await texts(page)).some((shown) => shown.includes(text)));

async function open(browser, url, user) {
  const page = await (await browser.createBrowserContext()).newPage();
  page.setDefaultTimeout(timeout);
  await page.goto(url);
  await page.type('#login [name=user]', user);
  await page.type('#login [name=password]', passwords[user]);
  await until(`${user} logs in`, async () => {
    await page.click('#login button');
    await page.waitForSelector('#member-list li, #login-error:not(:empty)');
    return page.$('#member-list li');
  });
  return page;
}

async function say(page, text) {
  await page.type('#say textarea', text);
  await page.keyboard.press('Enter');
}

configure({});
const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true,
  timeout });
let server = await serve();
try {
  console.log(`${await browser.version()}, ${server.url}`);
  const ada = await open(browser, server.url, 'ada');
  const bob = await open(browser, server.url, 'bob');
  await say(ada, 'hello from ada');
  await shows(bob, 'hello from ada');
  await say(bob, 'hello from bob');
  await shows(ada, 'hello from bob');
  console.log('ok: two pages chat');

  const file = join(folder, 'from_page.bin');
  writeFileSync(file, Buffer.alloc(300_000, 7));
  await (await ada.$('#file')).uploadFile(file);
  await shows(bob, 'from_page.bin');
  console.log('ok: a file is sent');

  await say(bob, '<img src=x onerror="document.title=1">');
  await shows(ada, '<img src=x');
  assert.equal(await ada.$('#log img'), null);
  console.log('ok: what others write is text');

  await server.end('SIGKILL');
  await say(ada, 'meanwhile');
  server = await serve();
  await shows(bob, 'meanwhile');
  await shows(ada, 'meanwhile');
  await say(bob, 'afterwards');
  await shows(ada, 'afterwards');
  for (const page of [ada, bob]) {
    const shown = await texts(page);
    assert.equal(shown.filter((text) => text === 'meanwhile').length, 1, shown);
    assert.deepEqual(shown.filter((text) => /^hello|while$|wards$/.test(text)),
      ['hello from ada', 'hello from bob', 'meanwhile', 'afterwards']);
  }
  console.log('ok: a server that is killed and started again loses nothing');

  await ada.close();
  await bob.waitForSelector('#member-list .away');
  console.log('ok: a page that is closed is gone');
  await bob.close();

  await server.end('SIGTERM');
  configure({
    limits: { idle_timeout: 8 * scale },
    web: { origins: ['*'], passwords: true,
      tickets: { keys: 'ticket.keys', audience: 'chat.example' } },
  });
  execFileSync(python, quicchat('ticket', '--new-key'), { cwd: folder });
  server = await serve();

  const network = await relay(port);
  const front = await leadTo(network.port);
  try {
    const away = await open(browser, front.url, 'ada');
    const here = await open(browser, server.url, 'bob');
    await say(away, 'before the cut');
    await shows(here, 'before the cut');
    network.isCut = true;
    await say(away, 'into the cut');
    await say(here, 'missed by the other');
    await away.waitForSelector('#banner:not([hidden])');
    await say(away, 'while it is cut');
    network.isCut = false;
    await shows(here, 'while it is cut');
    await shows(away, 'missed by the other');
    await until('both show the same', async () => {
      const [one, two] = [await texts(away), await texts(here)];
      return one.length === two.length && one.every((text, at) => text === two[at]);
    });
    const shown = await texts(here);
    for (const text of ['before the cut', 'into the cut', 'missed by the other',
      'while it is cut']) {
      assert.equal(shown.filter((one) => one === text).length, 1, shown);
    }
    await away.close();
    await here.close();
    console.log('ok: a page comes back after its network was cut, and nothing is lost');
  } finally {
    network.close();
    front.close();
  }

  const ticket = execFileSync(python, quicchat('ticket', 'carol', '--expires', '300',
    '--origin', server.url.slice(0, -1)), { cwd: folder, encoding: 'utf8' }).trim();
  const show = async () => {
    const page = await (await browser.createBrowserContext()).newPage();
    page.setDefaultTimeout(timeout);
    await page.goto(`${server.url}#ticket=${ticket}`);
    // It is good for another attempt if the server did not answer in four seconds.
    return until('an answer to a ticket', async () => {
      await page.waitForSelector('#member-list li, #again:not([hidden]), #login-error:not(:empty)');
      if (await page.$('#again:not([hidden])')) return void await page.click('#again');
      return page;
    });
  };
  const carol = await show();
  assert.equal(await carol.$eval('#state', (e) => e.textContent), 'online as carol');
  assert.ok(!carol.url().includes('ticket'), carol.url());
  const again = await show();
  assert.match(await again.$eval('#login-error', (e) => e.textContent),
    /does not take this ticket/);
  console.log('ok: a ticket logs in, once');
} finally {
  await browser.close();
  await server.end('SIGTERM');
  rmSync(folder, { recursive: true });
}
