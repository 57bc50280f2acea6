// The chat page in Firefox, by WebDriver BiDi: `sh tests/firefox.sh` runs it.
//   node firefox.mjs PYTHON FIREFOX

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [python, executablePath] = process.argv.slice(2);
const root = join(import.meta.dirname, '..', '..');
const require = createRequire(join(root, 'build', 'web-tools', 'package.json'));
const { default: puppeteer } = await import(require.resolve('puppeteer-core'));

const timeout = 120_000 * Number(process.env.QUICCHAT_TEST_TIMEOUT_SCALE || 1);
const folder = mkdtempSync(join(tmpdir(), 'quicchat-firefox-'));
const passwords = { ada: 'correct horse', bob: 'battery staple' };
writeFileSync(join(folder, 'config.json'), JSON.stringify({
  host: '127.0.0.1', port: 0, certfile: 'server.crt', keyfile: 'server.key', durability: 'process',
  auth: {
    iterations: 100_000,
    users: Object.entries(passwords).map(([username, password]) => ({ username, password })),
  },
}), { mode: 0o600 });

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
  const child = spawn(python, ['-m', 'quicchat', 'serve', '--config', join(folder, 'config.json'),
    '--port', String(port), '--web', join(root, 'build', 'web')],
  { stdio: ['ignore', output, output], cwd: folder });
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  const found = await until('the server listens', () => {
    assert.equal(child.exitCode, null, readFileSync(log, 'utf8'));
    return readFileSync(log, 'utf8').match(/the chat page is at (\S+)[^]*listening on .*:(\d+) /);
  });
  port = Number(found[2]);
  return { url: found[1], end: (signal) => { child.kill(signal); return ended; } };
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
} finally {
  await browser.close();
  await server.end('SIGTERM');
  rmSync(folder, { recursive: true });
}
