/** quicchat in a page. What each means on the wire stands in PROTOCOL.md. */

/** A request that was refused, or a connection that is over. */
export class QuicChatError extends Error {
  constructor(
    code: string,
    text: string,
    more?: { number?: number; byPeer?: boolean; retryAfter?: number },
  );
  /** The protocol's name of the error (PROTOCOL.md §8): "forbidden", "login_failed", and so on. */
  readonly code: string;
  readonly number: number;
  /** True if the server said so. */
  readonly byPeer: boolean;
  /** Milliseconds after which the same may succeed; 0: nobody said. */
  readonly retryAfter: number;
}

/** What somebody is in a room, in the order of power. */
export const Role: Readonly<{
  NONE: 0; BANNED: 1; MUTED: 2; MEMBER: 3; MODERATOR: 4; OWNER: 5;
}>;
/** Who may come into a room. */
export const Access: Readonly<{ EVERYBODY: 0; INVITATION: 1; ARCHIVED: 2 }>;

export type JsonObject = Record<string, unknown>;

/** A record of a room, or its offset. */
export type Placed = { offset: number } | number;

interface RecordBase {
  room: string;
  /** Of the room's log, in decimal digits. A log that was lost and begun anew has another. */
  epoch: string;
  offset: number;
  time: Date;
  id: string;
  sender: string;
}

export interface FileInfo {
  size: number;
  /** 64 hexadecimal digits. */
  sha256: string;
}

export interface Message extends RecordBase {
  type: 'message';
  text: string;
  attributes: JsonObject;
  replyTo: number | null;
  /** The text is a later one; the `Edited` for it follows. */
  edited: boolean;
  deleted: boolean;
  /** It is a file, and the text is its name. `readFile` fetches it. */
  file?: FileInfo;
}
export interface Edited extends RecordBase {
  type: 'edited';
  target: number;
  text: string;
  attributes: JsonObject;
  /** The text is gone: the message was deleted later. */
  deleted: boolean;
}
export interface Deleted extends RecordBase {
  type: 'deleted';
  target: number;
  reason: string;
}
export interface Reaction extends RecordBase {
  type: 'reaction';
  target: number;
  text: string;
  removed: boolean;
}
export interface TopicChanged extends RecordBase {
  type: 'topic';
  topic: string;
}
export interface RoleChanged extends RecordBase {
  type: 'role';
  user: string;
  role: number;
  until: Date | null;
  reason: string;
}
export interface AccessChanged extends RecordBase {
  type: 'access';
  access: number;
}
export interface RoomCreated extends RecordBase {
  type: 'created';
  name: string;
  access: number;
  topic: string;
}
export type RoomRecord =
  | Message | Edited | Deleted | Reaction | TopicChanged | RoleChanged | AccessChanged | RoomCreated;

/** A message to one person: to us, or from us, perhaps by another device. */
export interface PrivateMessage {
  type: 'private';
  epoch: string;
  offset: number;
  time: Date;
  id: string;
  sender: string;
  recipient: string;
  text: string;
  attributes: JsonObject;
  replyTo: number | null;
  file?: FileInfo;
}

/** Our message is stored. */
export interface Receipt {
  id: string;
  epoch: string;
  offset: number;
  durability: 'memory' | 'process' | 'fsync';
  time: Date;
}

export interface Member {
  user: string;
  role: number;
  present: boolean;
  displayName: string;
}

export interface RoomInfo {
  room: string;
  topic: string;
  access: number;
  role: number;
  head: number;
  marker: number;
  /** Messages of others after the marker; 100 stands for more. */
  unread: number;
  mentions: number;
}

/** Records that will not come. "slow_reader": to this reader; they are in the room's history. */
export interface Gap {
  type: 'gap';
  room: string;
  epoch: string;
  first: number;
  last: number;
  cause: 'retention' | 'new_epoch' | 'rolled_back' | 'slow_reader';
}

export interface Online {
  type: 'online';
  user: string;
  messageBytesMax: number;
  attributesBytesMax: number;
  roomsMax: number;
}
/** The connection was lost; the next attempt follows in `delay` milliseconds. */
export interface Reconnecting {
  type: 'reconnecting';
  error: QuicChatError;
  delay: number;
  attempt: number;
}
export interface Offline {
  type: 'offline';
  error: QuicChatError;
}
/** The handshake takes long. The network may block UDP. */
export interface Slow {
  type: 'slow';
}
/** With `store`: whether what is unsent outlives the page from now on. The chat goes on anyway. */
export interface Storage {
  type: 'storage';
  keeps: boolean;
  /**
   * "unavailable": the browser has no storage for us. "in_use": another tab has that of this
   * account. "full", "failed": the browser did not take it; it is tried again. "damaged": some of
   * what was kept is lost. Empty: all is well, or it was deleted.
   */
  reason: 'unavailable' | 'in_use' | 'full' | 'failed' | 'damaged' | '';
  text: string;
}

/** A message that an earlier page did not get an answer to. */
export interface Restored {
  id: string;
  /** Empty if it is for one person. */
  room: string;
  /** That person. */
  recipient: string;
  text: string;
}

export type ChatEvent =
  | RoomRecord | PrivateMessage | Gap | Online | Reconnecting | Offline | Storage
  | (Restored & { type: 'sent'; epoch: string; offset: number })
  | (Restored & { type: 'notSent'; error: QuicChatError })
  | { type: 'goingAway'; error: string; code: number; text: string; grace: number }
  | { type: 'joined'; room: string; epoch: string; head: number; next: number; recovered: boolean;
      role: number; access: number; marker: number; topic: string }
  | { type: 'left'; room: string; error: string; code: number; text: string }
  | { type: 'members'; room: string; people: Member[]; complete: boolean }
  | { type: 'presence'; room: string; user: string; present: boolean; displayName: string }
  | { type: 'profile'; user: string; displayName: string }
  | { type: 'marker'; room: string; user: string; offset: number }
  | { type: 'typing'; room: string; user: string; typing: boolean }
  | { type: 'noAnswerYet'; kind: string; room: string; waited: number };

export interface HistoryPage {
  room: string;
  epoch: string;
  records: RoomRecord[];
  /** The server has nothing older. */
  reachesStart: boolean;
  /** There was nothing newer. */
  reachesHead: boolean;
}

export interface SearchPage {
  room: string;
  epoch: string;
  /** The newest first. */
  records: RoomRecord[];
  /** Search on before it; null: all was looked at. */
  next: number | null;
}

export interface TransferOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, size: number) => void;
}
export interface SendFileOptions extends TransferOptions {
  name?: string;
  attributes?: JsonObject;
  replyTo?: Placed;
}
export interface ReadFileOptions extends TransferOptions {
  /** A larger file is an error. 100 MiB if nobody says otherwise. */
  maxBytes?: number;
}
export interface HistoryOptions {
  before?: Placed;
  after?: Placed;
  limit?: number;
}
export interface SearchOptions {
  before?: Placed;
  limit?: number;
}

/**
 * Events for one reader. It holds 5000; a reader that is slower gets a gap in place of the others.
 */
export interface Events extends AsyncIterableIterator<ChatEvent> {}

export interface ConnectOptions {
  /** One-time tickets of the site's back end, one for each connection; or a password. */
  login: { ticket: () => Promise<string> } | { user: string; password: string };
  /**
   * SHA-256 of the certificates that the server may show, as bytes, base64 or hexadecimal digits:
   * the present one and the next, four at most. None: the browser's own trust, with tickets only.
   */
  hashes?: (string | Uint8Array | ArrayBuffer)[];
  onState?: (event: Online | Reconnecting | Offline | Slow | Storage) => void;
  /**
   * Keep unsent messages in the browser (IndexedDB), and where the page was in its rooms, for the
   * next page of this account. One tab at a time can. False if nobody says otherwise.
   */
  store?: boolean;
  signal?: AbortSignal;
  /** About the program, for the server's logs. */
  agent?: JsonObject;
  /** The module: its address, its bytes or itself. Beside this file if nobody says otherwise. */
  wasm?: string | BufferSource | WebAssembly.Module;
  /** A Worker that runs worker.js, where it cannot be loaded from beside this file. */
  worker?: Worker | MessagePort;
}

/** Connects and logs in. Rejects if that fails; comes back by itself from then on. */
export function connect(url: string | URL, options: ConnectOptions): Promise<Chat>;

/**
 * Deletes what `store` keeps in this browser, of all accounts. Chats that are open keep nothing
 * more.
 */
export function forget(): Promise<void>;

export class Chat implements AsyncIterable<ChatEvent> {
  private constructor();
  readonly state: 'connecting' | 'online' | 'reconnecting' | 'offline';
  readonly user: string;
  readonly limits: Online;
  /** What is unsent outlives the page, as `store` asked for. */
  readonly keeps: boolean;
  /** Messages of an earlier page that have no answer yet: join their rooms, then they are sent. */
  readonly restored: Restored[];
  /** Resolves with the reason when the chat is over. */
  readonly closed: Promise<QuicChatError>;
  /**
   * `last`: so many records of before come first. `after`: all after that record comes, or a gap.
   * With neither, and `store`, the room goes on behind what readers were done with in the page
   * before this one; what they were about to read may come a second time.
   */
  join(
    name: string,
    position?: { last?: number; after?: { epoch: string; offset: number } },
  ): Promise<Room>;
  room(name: string): Room;
  createRoom(name: string, how?: { access?: number; topic?: string }): Promise<Receipt>;
  rooms(): Promise<RoomInfo[]>;
  tell(user: string, message: string, more?: { attributes?: JsonObject }): Promise<Receipt>;
  setDisplayName(name: string): Promise<void>;
  /** Of a room, joined or not; `@name`: what we and that person wrote to each other. */
  history(room: string, where?: HistoryOptions): Promise<HistoryPage>;
  search(room: string, words: string, where?: SearchOptions): Promise<SearchPage>;
  members(room: string): Promise<Member[]>;
  sendFile(room: string, blob: Blob, how?: SendFileOptions): Promise<Receipt>;
  readFile(room: string, message: Placed, how?: ReadFileOptions): Promise<File>;
  close(): Promise<void>;
  events(): Events;
  [Symbol.asyncIterator](): Events;
}

export class Room implements AsyncIterable<ChatEvent> {
  private constructor();
  readonly name: string;
  readonly topic: string;
  readonly role: number;
  readonly access: number;
  readonly marker: number;
  /** Resolves when it is stored. */
  send(message: string, more?: { attributes?: JsonObject; replyTo?: Placed | null }): Promise<Receipt>;
  reply(message: Placed, words: string): Promise<Receipt>;
  edit(message: Placed, words: string, more?: { attributes?: JsonObject }): Promise<Receipt>;
  delete(message: Placed, reason?: string): Promise<Receipt>;
  react(message: Placed, emoji: string): Promise<Receipt>;
  unreact(message: Placed, emoji: string): Promise<Receipt>;
  setTopic(topic: string): Promise<Receipt>;
  setRole(
    user: string,
    role: number,
    more?: { until?: Date | null; reason?: string },
  ): Promise<Receipt>;
  setAccess(access: number): Promise<Receipt>;
  sendFile(blob: Blob, how?: SendFileOptions): Promise<Receipt>;
  readFile(message: Placed, how?: ReadFileOptions): Promise<File>;
  history(where?: HistoryOptions): Promise<HistoryPage>;
  search(words: string, where?: SearchOptions): Promise<SearchPage>;
  members(): Promise<Member[]>;
  markRead(message: Placed, how?: { shared?: boolean }): void;
  typing(): void;
  leave(): void;
  /**
   * What happens here, from now on; the first reader gets all since the join. Its end is that we
   * left.
   */
  events(): Events;
  [Symbol.asyncIterator](): Events;
}
