// What README.md shows must fit the types. Only compiled, never run.
import { Access, Role, connect, forget } from '../../bindings/web/src/index.js';

export async function usage(): Promise<void> {
  const chat = await connect('https://chat.example:12345/quicchat', {
    login: { ticket: async () => (await fetch('/ticket', { method: 'POST' })).text() },
    onState: (state) => {
      if (state.type === 'reconnecting') console.log(state.error.code, state.delay);
    },
  });
  const room = await chat.join('#lobby', { last: 50 });
  const receipt = await room.send('hello', { attributes: { colour: 'red' } });
  await room.react(receipt, '\u{1f44d}');
  await room.setRole('bob', Role.MODERATOR, { until: null });
  await chat.createRoom('#tea', { access: Access.INVITATION });
  await room.sendFile(new Blob(['x']), { name: 'x.txt', onProgress: (done, size) => done / size });
  for await (const event of room) {
    if (event.type === 'message' && event.file) await room.readFile(event, { maxBytes: 1000 });
    if (event.type === 'gap' && event.cause === 'new_epoch') break;
  }
  const kept = await connect('https://chat.example:12345/quicchat', {
    login: { ticket: async () => '' }, store: true,
  });
  for (const { room: left } of kept.restored) if (left) await kept.join(left);
  for await (const event of kept) {
    if (event.type === 'notSent') console.log(event.text, event.error.code);
    if (event.type === 'storage' && !event.keeps) await forget();
  }
  const page = await chat.search('#lobby', 'tea', { limit: 10 });
  if (page.next !== null) await chat.search('#lobby', 'tea', { before: page.next });
  const reason = await chat.closed;
  console.log(reason.code, reason.byPeer);
}
