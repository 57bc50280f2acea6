// The chat page: what happens in the chat, on the screen, and the other way round.

import { connect, forget } from './quicchat/index.js';
import { byName, bytes, drawMember, drawRecord, el } from './draw.js';
import { MESSAGES_MAX, RoomLog, mentionsIn } from './log.js';

const $ = (id) => document.getElementById(id);

const MEMBER = 3;
const BANNED = 1;
const MODERATOR = 4;
const OWNER = 5;
const PAGE = 50;
const ROOMS_MAX = 50; // that are followed
const UNREAD_MAX = 100; // 100 stands for more

/** @type {import('./quicchat/index.js').Chat | null} */
let chat = null;
/** What is shown of each room, by its name in lower case; `@name` are messages with one person. */
const panes = new Map();
let pane = null; // the one on the screen
const names = new Map(); // what people want to be called
let doing = null; // what the next message is: {name: 'reply' | 'edit', message}
let again = null; // logs in once more with a ticket that is not spent
let farewell = ''; // why we ended the chat ourselves

// --- The connection ---

function banner(text) {
  $('banner').textContent = text;
  $('banner').hidden = !text;
}

function onState(event) {
  if (event.type === 'slow') {
    banner('The server has not answered yet. If this goes on, your network blocks UDP, by which '
      + 'this chat goes: try another network.');
  } else if (event.type === 'online') {
    banner('');
    $('state').textContent = `online as ${event.user}`;
  } else if (event.type === 'reconnecting') {
    const seconds = Math.ceil(event.delay / 1000);
    const why = event.error.message.replace(/\.$/, '');
    banner(`The connection was lost: ${why}. Trying again in ${seconds} s.`);
    $('state').textContent = 'reconnecting';
  } else if (event.type === 'offline') {
    banner('');
    $('state').textContent = 'offline';
  } else if (event.type === 'storage') {
    const kept = event.keeps ? 'Unsent messages are kept on this computer.'
      : 'Unsent messages are not kept.';
    const why = event.text && ` ${event.text[0].toUpperCase()}${event.text.slice(1)}.`;
    $('kept').textContent = kept + why;
  }
}

const UNREACHED = 'The server cannot be reached. It may be down, or your network blocks UDP, by '
  + 'which this chat goes: try another network.';
const SPENT = 'A ticket is good for one login: open the chat from its site once more.';
const EXPLAINED = {
  handshake_timeout: UNREACHED,
  login_failed: 'Wrong user name or password.',
  ticket_refused: `The server does not take this ticket. ${SPENT}`,
};

/** What `quicchat.json` says: where the server is, what to pin, and perhaps where tickets are. */
async function ask() {
  const response = await fetch('quicchat.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`quicchat.json: ${response.status} ${response.statusText}`);
  return response.json();
}

/**
 * Logs in; `login` is as `connect` takes it.
 * @param {any} login
 * @param {any} [where] what `ask` said, if that is known
 * @param {AbortSignal} [signal] gives up before we are online
 */
async function logIn(login, where, signal) {
  const buttons = $('entrance').querySelectorAll('button');
  for (const button of buttons) button.disabled = true;
  $('login-error').textContent = '';
  $('again').hidden = true;
  farewell = '';
  try {
    if (typeof WebTransport === 'undefined') {
      throw new Error('This browser has no WebTransport, or the page was not loaded by HTTPS.');
    }
    const { url, hashes } = where ?? await ask();
    $('kept').textContent = '';
    chat = await connect(url, { login, hashes, onState, signal, store: $('remember').checked });
    $('login').reset();
    await enter();
  } catch (error) {
    // It may have been let in, and failed at what comes after that.
    chat?.close();
    leave();
    $('login-error').textContent = farewell || (EXPLAINED[error.code] ?? error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

/**
 * The ticket in an address such as `/#ticket=eyJ…&room=%23tea`, by which a site leads here. It is
 * taken out of the address at once: nobody finds it in a history or on a shared screen.
 */
function ticketInAddress() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const ticket = fields.get('ticket');
  if (ticket === null) return null;
  const room = fields.get('room');
  const hash = room ? `#${encodeURIComponent(room)}` : '';
  history.replaceState(null, '', location.pathname + location.search + hash);
  return ticket;
}

/** One login. It may be tried until the server has seen the ticket. */
async function logInOnce(ticket) {
  let left = ticket;
  const giveUp = new AbortController();
  const login = {
    ticket: async () => {
      if (!left) {
        farewell = chat ? `The connection was lost. ${SPENT}` : EXPLAINED.ticket_refused;
        setTimeout(() => (chat ? chat.close() : giveUp.abort()));
        throw new Error(SPENT);
      }
      const taken = left;
      left = '';
      return taken;
    },
  };
  await logIn(login, undefined, giveUp.signal);
  const said = $('login-error').textContent;
  if (said === UNREACHED) left = ticket; // with a store it was asked for before the handshake
  if (!left && said && !said.includes(SPENT)) {
    $('login-error').textContent = `${said.replace(/\.$/, '')}. ${SPENT}`;
  }
  again = left ? () => logInOnce(left) : null;
  $('again').hidden = !again;
}

/** Logs in by tickets of the site that the page is on, one for each connection. */
async function logInAtSite(where) {
  const at = new URL(where.tickets, location.href);
  const login = {
    ticket: async () => {
      if (at.origin !== location.origin) throw new Error('tickets must be of this site');
      const response = await fetch(at, { method: 'POST', cache: 'no-store' });
      if (!response.ok) throw new Error(`no ticket: ${response.status} ${response.statusText}`);
      return (await response.text()).trim();
    },
  };
  await logIn(login, where);
  again = () => logInAtSite(where);
  $('again').hidden = chat !== null;
}

async function arrive() {
  const ticket = ticketInAddress();
  if (ticket !== null) {
    if (chat === null) await logInOnce(ticket);
    return;
  }
  const where = await ask().catch(() => null); // the form says what is wrong
  if (chat !== null || !where) return;
  $('login').hidden = where.passwords === false || Boolean(where.tickets);
  if (where.tickets) await logInAtSite(where);
  else if ($('login').hidden) $('login-error').textContent = 'Log in at the site of this chat.';
}

async function enter() {
  follow();
  $('entrance').hidden = true;
  $('chat').hidden = false;
  for (const room of await chat.rooms()) {
    const made = paneOf(room.room);
    Object.assign(made, { unread: room.unread, mentions: room.mentions, topic: room.topic });
  }
  const open = decodeURIComponent(location.hash.slice(1));
  const first = panes.has(open.toLowerCase()) ? open : [...panes.values()][0]?.name;
  drawRooms();
  if (first) await show(first);
  for (const { room } of chat.restored) if (room) await joined(paneOf(room)).catch(problem);
  let followed = 0;
  for (const { name } of await chat.rooms()
    .then((rooms) => rooms.filter((r) => r.role >= MEMBER).map((r) => ({ name: r.room })))) {
    if (++followed > ROOMS_MAX) break;
    await joined(paneOf(name)).catch(() => {}); // it may have gone
  }
}

/** Back to the entrance. */
function leave() {
  chat = null;
  panes.clear();
  pane = null;
  banner('');
  $('chat').hidden = true;
  $('entrance').hidden = false;
  document.title = 'quicchat';
}

async function follow() {
  const mine = chat;
  for await (const event of mine.events()) if (chat === mine) heard(event);
  const error = await mine.closed;
  if (chat !== mine) return;
  leave();
  const ours = error.code === 'closed' && !error.byPeer;
  $('login-error').textContent = farewell || (ours ? '' : error.message);
  $('again').hidden = !again;
}

// --- What happens ---

const RECORDS = new Set(['message', 'edited', 'deleted', 'reaction', 'topic', 'role', 'access',
  'created']);

function heard(event) {
  if (event.type === 'profile') {
    names.set(event.user.toLowerCase(), event.displayName);
    if (pane) refreshMembers(pane);
    return;
  }
  if (event.type === 'notSent') {
    problem(`“${event.text.slice(0, 80)}” was not sent: ${event.error.message}`);
    return;
  }
  if (event.type === 'private') {
    const other = same(event.sender, chat.user) ? event.recipient : event.sender;
    const of = paneOf(`@${other}`);
    record(of, { ...event, type: 'message', room: of.name, edited: false, deleted: false });
    return;
  }
  const of = panes.get(event.room?.toLowerCase());
  if (!of) return;
  if (RECORDS.has(event.type)) record(of, event);
  else if (event.type === 'gap') gap(of, event);
  else if (event.type === 'presence') {
    if (event.displayName) names.set(event.user.toLowerCase(), event.displayName);
    of.people = null;
    if (of === pane) refreshMembers(of);
  } else if (event.type === 'members') of.people = null;
  else if (event.type === 'typing') typing(of, event);
  else if (event.type === 'marker' && same(event.user, chat.user)) {
    if (event.offset >= of.log.last) readAll(of);
  } else if (event.type === 'left') {
    of.joined = null;
    notice(of, `You are out of this room: ${event.text}`);
  }
}

function record(of, event) {
  const redraw = of.log.take(event, true);
  const news = event.type === 'message' && !same(event.sender, chat.user);
  of.typing.delete(event.sender?.toLowerCase());
  if (event.type === 'topic') of.topic = event.topic;
  if (event.type === 'role') of.people = null;
  if (of === pane) {
    const down = isDown();
    for (const offset of down ? of.log.trim() : []) elementOf(offset)?.remove();
    if (redraw !== null) draw(of, redraw);
    if (down) toEnd();
    if (event.type === 'topic') $('topic').textContent = event.topic;
    if (event.type === 'role') refreshMembers(of);
    drawTyping();
  } else of.log.trim();
  if (!news) return;
  if (of === pane && isDown() && document.visibilityState === 'visible') read();
  else {
    of.unread = Math.min(of.unread + 1, UNREAD_MAX);
    if (mentionsIn(event.text).some(({ name }) => name === chat.user.toLowerCase())) {
      of.mentions += 1;
    }
    drawRooms();
  }
}

function gap(of, event) {
  if (event.cause !== 'slow_reader') {
    of.log.clear('');
    if (of === pane) redraw(of);
  }
  notice(of, event.cause === 'new_epoch'
    ? 'The server has lost what was written here before.'
    : 'Some messages are missing here.');
  if (event.cause === 'slow_reader') refill(of);
}

/** What the page was too slow for is in the room's history. */
async function refill(of) {
  const page = await chat.history(of.name, { limit: PAGE }).catch(() => null);
  if (!page) return;
  of.log.clear('');
  takePage(of, page);
}

function notice(of, text) {
  if (of !== pane) return;
  const down = isDown();
  $('log').append(el('p', { className: 'notice' }, text));
  if (down) toEnd();
}

function typing(of, { user, typing: now }) {
  if (now) of.typing.add(user.toLowerCase());
  else of.typing.delete(user.toLowerCase());
  if (of === pane) drawTyping();
}

function same(a, b) {
  return a.toLowerCase() === b.toLowerCase();
}

// --- Rooms ---

function paneOf(name) {
  const key = name.toLowerCase();
  let found = panes.get(key);
  if (!found) {
    found = { name, log: new RoomLog(), joined: null, people: null, unread: 0, mentions: 0,
      topic: '', typing: new Set(), draft: '', loading: false, filled: false };
    panes.set(key, found);
  }
  return found;
}

const isDirect = (of) => of.name.startsWith('@');

/** The room, joined once. */
function joined(of) {
  // History has what was before.
  of.joined ??= chat.join(of.name, { last: 0 }).then((room) => {
    of.topic = room.topic;
    return room;
  }, (error) => {
    of.joined = null;
    throw error;
  });
  return of.joined;
}

async function show(name) {
  if (pane) pane.draft = $('say').text.value;
  pane = paneOf(name);
  const mine = pane;
  cancel();
  $('say').text.value = mine.draft;
  $('room-name').textContent = mine.name;
  $('topic').textContent = mine.topic;
  $('found').hidden = true;
  $('problem').textContent = '';
  closeMenus();
  location.hash = encodeURIComponent(mine.name);
  redraw(mine);
  drawRooms();
  drawTyping();
  $('say').text.focus();
  try {
    if (!isDirect(mine)) await joined(mine);
    if (mine === pane) $('topic').textContent = mine.topic;
    if (!mine.filled) {
      mine.filled = true;
      await older(mine);
      if (mine === pane) toEnd();
    }
    if (mine === pane) {
      read();
      await refreshMembers(mine);
    }
  } catch (error) {
    problem(error);
  }
}

async function older(of) {
  if (of.loading || of.log.reachesStart || of.log.order.length >= MESSAGES_MAX) return;
  of.loading = true;
  try {
    const [first] = of.log.order;
    takePage(of, await chat.history(of.name, { before: first, limit: PAGE }));
  } finally {
    of.loading = false;
  }
}

function takePage(of, page) {
  for (const item of page.records) of.log.take(item, false);
  if (page.reachesStart) of.log.reachesStart = true;
  if (of !== pane) return;
  const from = $('log').scrollHeight - $('log').scrollTop;
  redraw(of);
  $('log').scrollTop = $('log').scrollHeight - from; // what is read stays where it is
}

function read() {
  const { last } = pane.log;
  const room = pane;
  if (last && !isDirect(room)) {
    room.joined?.then((of) => of.markRead(last)).catch(() => {});
  }
  readAll(room);
}

function readAll(of) {
  of.unread = 0;
  of.mentions = 0;
  drawRooms();
}

function drawRooms() {
  const items = [...panes.values()].sort((a, b) => a.name.localeCompare(b.name)).map((of) => {
    const button = el('button', { type: 'button', onclick: () => show(of.name) }, byName(of.name));
    if (of === pane) button.setAttribute('aria-current', 'true');
    if (of.unread) {
      button.append(el('span', {
        className: of.mentions ? 'unread mention' : 'unread',
        'aria-label': `${of.unread} unread${of.mentions ? ', you are mentioned' : ''}`,
      }, of.unread >= UNREAD_MAX ? '99+' : String(of.unread)));
    }
    return el('li', {}, button);
  });
  $('room-list').replaceChildren(...items);
  let unread = 0;
  for (const of of panes.values()) unread += of.unread;
  document.title = `${unread ? `(${unread}) ` : ''}${pane?.name ?? 'quicchat'}`;
}

async function enterRoom(name) {
  const words = name.trim();
  if (!words) return;
  const full = /^[#@]/.test(words) ? words : `#${words}`;
  try {
    if (!full.startsWith('@')) {
      await chat.join(full, { last: 0 }).catch(async (error) => {
        if (error.code === 'already_joined') return;
        if (error.code !== 'no_such_room') throw error;
        if (!confirm(`There is no room ${full}. Make it?`)) throw error;
        await chat.createRoom(full);
        await chat.join(full, { last: 0 });
      });
      paneOf(full).joined = Promise.resolve(chat.room(full));
    }
    await show(full);
  } catch (error) {
    problem(error);
  }
}

async function refreshMembers(of) {
  if (isDirect(of)) {
    $('member-list').replaceChildren();
    return;
  }
  of.people ??= chat.members(of.name);
  const people = await of.people.catch(() => []);
  for (const person of people) names.set(person.user.toLowerCase(), person.displayName);
  if (of !== pane) return;
  people.sort((a, b) => b.present - a.present || b.role - a.role || a.user.localeCompare(b.user));
  const room = await of.joined?.catch(() => null);
  if (of !== pane) return;
  const mine = room?.role ?? 0;
  const give = {
    choices: (person) => choicesFor(mine, person),
    set: (user, role) => setRole(of, user, role),
  };
  $('member-list').replaceChildren(
    ...people.map((person) => drawMember(person, (user) => show(`@${user}`), give)));
  $('invite').hidden = mine < MODERATOR;
}

/** The roles that we may give somebody (PROTOCOL.md §6.10), the highest first. */
function choicesFor(mine, person) {
  if (same(person.user, chat.user)) return [];
  if (mine >= OWNER) return [5, 4, 3, 2, 1, 0];
  return mine === MODERATOR && person.role < MODERATOR ? [3, 2, 1, 0] : [];
}

async function setRole(of, user, role) {
  try {
    const room = await joined(of);
    const asks = { [BANNED]: `Ban ${user} from ${of.name}?`, [OWNER]: `Make ${user} an owner?` };
    if (!asks[role] || confirm(asks[role])) await room.setRole(user, role);
  } catch (error) {
    problem(error);
  }
  of.people = null;
  if (of === pane) await refreshMembers(of); // as it is, whether we changed it or not
}

// --- The log on the screen ---

const display = (user) => {
  const name = names.get(user.toLowerCase());
  return name ? `${name} (${user})` : user;
};

const elementOf = (offset) => $('log').querySelector(`[data-offset="${offset}"]`);

function drawn(of, offset) {
  return drawRecord(of.log.messages.get(offset),
    { log: of.log, user: chat.user, display, act: doTo, direct: isDirect(of) });
}

/** Draws one record, new or anew. */
function draw(of, offset) {
  const element = drawn(of, offset);
  const old = elementOf(offset);
  if (old) old.replaceWith(element);
  else {
    const at = of.log.order.indexOf(offset);
    const after = at >= 0 && of.log.order[at + 1];
    $('log').insertBefore(element, (after && elementOf(after)) || null);
  }
}

function redraw(of) {
  $('log').replaceChildren(...of.log.order.map((offset) => drawn(of, offset)));
}

function isDown() {
  const log = $('log');
  return log.scrollHeight - log.scrollTop - log.clientHeight < 40;
}

function toEnd() {
  $('log').scrollTop = $('log').scrollHeight;
}

function drawTyping() {
  const people = [...(pane?.typing ?? [])].map(display);
  $('typing').textContent = people.length > 3 ? 'several people are typing'
    : people.length ? `${people.join(', ')} ${people.length > 1 ? 'are' : 'is'} typing` : '';
}

// --- What we do ---

function problem(error) {
  $('problem').textContent = error?.message ?? String(error);
}

async function doTo(name, message, value) {
  const of = pane;
  try {
    if (name === 'fetch') return await fetchFile(of, message);
    const room = await joined(of);
    if (name === 'react') await room.react(message, value);
    else if (name === 'unreact') await room.unreact(message, value);
    else if (name === 'delete') {
      if (confirm('Delete this message for everybody?')) await room.delete(message);
    } else if (name === 'reply' || name === 'edit') begin(name, message);
  } catch (error) {
    problem(error);
  }
}

function begin(name, message) {
  doing = { name, message };
  $('about-text').textContent = name === 'reply'
    ? `Answering ${display(message.sender)}: ${message.text.slice(0, 80)}` : 'Editing your message';
  $('about').hidden = false;
  if (name === 'edit') $('say').text.value = message.text;
  $('say').text.focus();
}

function cancel() {
  if (doing?.name === 'edit') $('say').text.value = '';
  doing = null;
  $('about').hidden = true;
}

async function say() {
  const text = $('say').text.value;
  if (!text.trim() || !chat) return;
  const of = pane;
  const act = doing;
  doing = null;
  cancel();
  $('say').text.value = '';
  $('problem').textContent = '';
  try {
    if (isDirect(of)) await chat.tell(of.name.slice(1), text);
    else {
      const room = await joined(of);
      if (act?.name === 'edit') await room.edit(act.message, text);
      else await room.send(text, { replyTo: act?.message });
    }
  } catch (error) {
    problem(error);
    if (of === pane && !$('say').text.value) $('say').text.value = text; // nothing is lost
  }
}

// --- Files ---

/** A line with the progress of a file. */
function transferLine(name, stop) {
  const bar = el('progress', { max: 1, value: 0, 'aria-label': name });
  const line = el('li', {}, byName(name), bar,
    el('button', { type: 'button', onclick: stop }, 'Cancel'));
  $('transfers').append(line);
  return {
    onProgress: (done, size) => {
      bar.value = size ? done / size : 1;
      bar.title = `${bytes(done)} of ${bytes(size)}`;
    },
    end: () => line.remove(),
  };
}

async function transfer(name, run) {
  const stop = new AbortController();
  const line = transferLine(name, () => stop.abort());
  try {
    return await run({ signal: stop.signal, onProgress: line.onProgress });
  } catch (error) {
    if (error.name !== 'AbortError') problem(error);
    return null;
  } finally {
    line.end();
  }
}

async function sendFiles(files) {
  const of = pane;
  for (const file of files) await transfer(file.name, (how) => chat.sendFile(of.name, file, how));
}

async function fetchFile(of, message) {
  const file = await transfer(message.text, (how) => chat.readFile(of.name, message, how));
  if (!file) return;
  const url = URL.createObjectURL(file);
  el('a', { href: url, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// --- Search ---

async function search(words, before) {
  const of = pane;
  try {
    const page = await chat.search(of.name, words, { before });
    const items = page.records.map((r) => el('li', {},
      el('b', {}, byName(display(r.sender))), ` ${r.time.toLocaleString()} `,
      el('p', { dir: 'auto' }, r.text)));
    if (page.next) {
      const more = el('li', {}, el('button', {
        type: 'button',
        onclick: () => {
          more.remove();
          search(words, page.next);
        },
      }, 'Search further back'));
      items.push(more);
    } else if (!before && !items.length) items.push(el('li', {}, 'Nothing was found.'));
    if (before) $('found-list').append(...items);
    else $('found-list').replaceChildren(...items);
    $('found').hidden = false;
  } catch (error) {
    problem(error);
  }
}

// --- Hands ---

function closeMenus() {
  for (const [button, menu] of [['show-rooms', 'rooms'], ['show-members', 'members']]) {
    $(menu).classList.remove('open');
    $(button).setAttribute('aria-expanded', 'false');
  }
}

function submits(id, take) {
  $(id).addEventListener('submit', (event) => {
    event.preventDefault();
    take(event.target);
  });
}

submits('login', (form) => {
  const fields = new FormData(form);
  again = null;
  logIn({ user: String(fields.get('user')), password: String(fields.get('password')) });
});
$('again').onclick = () => again?.();

// The choice whether anything is kept here. Where that is forbidden, nothing is.
const CHOICE = 'quicchat remember';
try {
  $('remember').checked = localStorage.getItem(CHOICE) === 'yes';
} catch {
  // `onState` says so, if somebody asks for it.
}
$('remember').onchange = async () => {
  try {
    if ($('remember').checked) localStorage.setItem(CHOICE, 'yes');
    else {
      localStorage.removeItem(CHOICE);
      await forget();
    }
  } catch (error) {
    $('login-error').textContent = `The browser does not do that: ${error.message}`;
  }
};
submits('invite', (form) => {
  if (form.user.value.trim()) setRole(pane, form.user.value.trim(), MEMBER);
  form.reset();
});
submits('say', say);
submits('enter', (form) => {
  enterRoom(form.room.value);
  form.reset();
});
submits('search', (form) => {
  if (form.words.value.trim()) search(form.words.value);
});
$('leave').onclick = () => chat?.close();
$('found-close').onclick = () => { $('found').hidden = true; };
$('about-cancel').onclick = cancel;
for (const [button, menu] of [['show-rooms', 'rooms'], ['show-members', 'members']]) {
  $(button).onclick = () => {
    const open = !$(menu).classList.contains('open');
    closeMenus();
    $(menu).classList.toggle('open', open);
    $(button).setAttribute('aria-expanded', String(open));
  };
}

$('say').text.addEventListener('input', () => {
  const { text } = $('say');
  text.style.height = 'auto';
  text.rows = Math.min(text.value.split('\n').length, 6);
  if (!isDirect(pane)) pane.joined?.then((room) => room.typing()).catch(() => {});
});
$('say').text.addEventListener('keydown', (event) => {
  if (event.isComposing) return;
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    say();
  } else if (event.key === 'ArrowUp' && !event.target.value && pane) {
    const mine = pane.log.lastOf(chat.user);
    if (mine) begin('edit', mine);
  } else if (event.key === 'Escape') cancel();
});
document.addEventListener('keydown', (event) => {
  if (!chat) return;
  if (event.key === 'Escape') {
    $('found').hidden = true;
    closeMenus();
  }
  if (!event.altKey || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
  event.preventDefault();
  const order = [...panes.values()].sort((a, b) => a.name.localeCompare(b.name));
  const step = event.key === 'ArrowDown' ? 1 : order.length - 1;
  show(order[(order.indexOf(pane) + step) % order.length].name);
});

$('log').addEventListener('scroll', () => {
  if (!pane) return;
  if ($('log').scrollTop < 200 && pane.filled) older(pane).catch(problem);
  if (isDown() && pane.unread) read();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && pane && isDown()) read();
});

$('file').addEventListener('change', () => {
  sendFiles([...$('file').files]);
  $('file').value = '';
});
$('attach').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' || event.key === ' ') $('file').click();
});
for (const name of ['dragenter', 'dragover']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $('log').classList.add('drop');
  });
}
for (const name of ['dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    if (event.type === 'drop' || !event.relatedTarget) $('log').classList.remove('drop');
  });
}
document.addEventListener('drop', (event) => {
  if (pane && event.dataTransfer?.files.length) sendFiles([...event.dataTransfer.files]);
});
document.addEventListener('paste', (event) => {
  if (pane && event.clipboardData?.files.length) sendFiles([...event.clipboardData.files]);
});
// The server is told at once, and not when it misses us.
addEventListener('pagehide', () => chat?.close());
// A site may lead to a page that is open.
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#ticket=')) arrive();
});
arrive();
