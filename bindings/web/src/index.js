// quicchat in a page. See README.md, and index.d.ts for the types.

export { connect, Chat, Room, Access, Role } from './chat.js';
export { QuicChatError } from './errors.js';
export { forget } from './store.js';
