// From what others wrote to elements. All of it is set as text: nothing of it is ever markup.

import { mentionsIn, withoutBidi } from './log.js';

const LINK = /https?:\/\/[^\s<>"']+/g;
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const ROLES = ['', 'banned', 'muted', '', 'moderator', 'owner'];
const CHOICES = ['no role', 'banned', 'muted', 'member', 'moderator', 'owner'];
const ACCESS = ['everybody may enter', 'by invitation', 'archived'];

/**
 * An element with properties and children.
 * @param {string} tag
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('aria-')) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

export const byName = (text) => el('bdi', {}, withoutBidi(text));

export function bytes(count) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  let value = count;
  for (; value >= 1024 && unit < units.length - 1; ++unit) value /= 1024;
  return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
}

/** A text with its links and with the names that it mentions. */
function rich(text, user) {
  const pieces = mentionsIn(text).map(({ name, at, end }) => ({
    at, end, make: (words) => el('b', { className: name === user ? 'name me' : 'name' }, words),
  }));
  for (const match of text.matchAll(LINK)) {
    const words = match[0].replace(/[.,;:!?)\]]+$/, '');
    if (!URL.canParse(words)) continue;
    pieces.push({
      at: match.index, end: match.index + words.length,
      make: (label) => el('a',
        { href: words, rel: 'noopener noreferrer nofollow', target: '_blank' }, label),
    });
  }
  pieces.sort((a, b) => a.at - b.at);
  const nodes = [];
  let from = 0;
  for (const { at, end, make } of pieces) {
    if (at < from) continue; // within a link
    nodes.push(text.slice(from, at), make(text.slice(at, end)));
    from = end;
  }
  nodes.push(text.slice(from));
  return nodes;
}

export function noticeOf(record) {
  const who = byName(record.sender);
  switch (record.type) {
    case 'topic':
      return [who, record.topic ? ' set the topic: ' : ' took the topic away',
        byName(record.topic)];
    case 'role':
      return [who, ' made ', byName(record.user), ` ${ROLES[record.role] || 'a member'}`];
    case 'access':
      return [who, ` changed who may enter: ${ACCESS[record.access] ?? ''}`];
    case 'created':
      return [who, ' made this room'];
    default:
      return [who];
  }
}

/**
 * One message or notice.
 * @param {any} of what it needs to know: log, user, display(name), act(name, message, value)
 */
export function drawRecord(record, of) {
  if (record.type !== 'message') {
    const notice = el('p', { className: 'notice' }, ...noticeOf(record));
    notice.dataset.offset = String(record.offset);
    return notice;
  }
  const { log, user, display, act } = of;
  const mine = record.sender.toLowerCase() === user.toLowerCase();
  const named = mentionsIn(record.text).some(({ name }) => name === user.toLowerCase());
  const head = el('div', { className: 'head' }, el('b', {}, byName(display(record.sender))), ' ',
    el('time', { dateTime: record.time.toISOString(), title: DAY.format(record.time) },
      TIME.format(record.time)));
  if (record.edited) head.append(' (edited)');
  const article = el('article', {
    className: `message${mine ? ' mine' : ''}${named && !mine ? ' mentions' : ''}`,
    tabIndex: -1,
  }, head);
  article.dataset.offset = String(record.offset);
  if (record.replyTo) {
    const to = log.messages.get(record.replyTo);
    article.append(el('div', { className: 'quote' },
      ...(to?.sender ? [byName(display(to.sender)), ': ', byName(to.text || 'deleted')]
        : ['an earlier message'])));
  }
  if (record.deleted) {
    article.append(el('p', { className: 'gone' }, 'This message was deleted.'));
  } else if (record.file) {
    article.append(el('p', { className: 'text' },
      el('button', { type: 'button', onclick: () => act('fetch', record) },
        byName(record.text), ` (${bytes(record.file.size)})`)));
  } else {
    article.append(el('p', { className: 'text', dir: 'auto' },
      ...rich(withoutBidi(record.text), user.toLowerCase())));
  }
  const reactions = el('div', { className: 'reactions' });
  for (const [text, people] of log.reactionsTo(record.offset)) {
    const ours = people.some((name) => name.toLowerCase() === user.toLowerCase());
    reactions.append(el('button', {
      type: 'button', title: people.join(', '), 'aria-pressed': String(ours),
      onclick: () => act(ours ? 'unreact' : 'react', record, text),
    }, byName(text), ` ${people.length}`));
  }
  if (reactions.childElementCount) article.append(reactions);
  if (!record.deleted) article.append(toolsOf(record, mine, of));
  return article;
}

const EMOJI = ['\u{1f44d}', '\u2764\ufe0f', '\u{1f602}', '\u{1f389}', '\u{1f622}', '\u{1f440}'];

function toolsOf(record, mine, { act, direct }) {
  const tool = (label, name, value) => el('button',
    { type: 'button', onclick: () => act(name, record, value), 'aria-label': label }, label);
  const tools = el('div', { className: 'tools' });
  if (direct) return tools; // messages to one person stay as they are
  const react = el('button', {
    type: 'button',
    'aria-label': 'React',
    onclick: () => {
      react.replaceWith(...EMOJI.map((emoji) => tool(emoji, 'react', emoji)));
      tools.querySelector('button')?.focus();
    },
  }, 'React');
  tools.append(tool('Reply', 'reply'), react);
  if (mine && !record.file) tools.append(tool('Edit', 'edit'));
  if (mine) tools.append(tool('Delete', 'delete'));
  return tools;
}

/**
 * Somebody in the list of members.
 * @param {any} person
 * @param {(user: string) => void} open
 * @param {{choices: (person: any) => number[], set: (user: string, role: number) => void}} give
 *   the roles that we may give this person, and how
 */
export function drawMember(person, open, give) {
  const role = ROLES[person.role] ?? '';
  const name = person.displayName
    ? [byName(person.displayName), ' ', el('small', {}, byName(person.user))]
    : [byName(person.user)];
  const item = el('li', { className: person.present ? '' : 'away' },
    el('button',
      { type: 'button', title: 'Write to this person', onclick: () => open(person.user) },
      ...name, el('small', {}, `${role ? ` ${role}` : ''}${person.present ? '' : ', away'}`)));
  const choices = give.choices(person);
  if (choices.length) {
    const menu = el('select', { 'aria-label': `Role of ${person.user}` },
      ...choices.map((value) => el('option', { value: String(value) }, CHOICES[value])));
    menu.value = String(person.role);
    menu.onchange = () => give.set(person.user, Number(menu.value));
    item.append(menu);
  }
  return item;
}
