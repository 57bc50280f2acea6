// The Worker: an Engine behind its messages.

import { Engine } from './engine.js';

const engine = new Engine((message, transfer) => self.postMessage(message, { transfer }));
self.onmessage = ({ data }) => {
  engine.handle(data);
};
