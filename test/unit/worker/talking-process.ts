import { marked } from '../../../src/worker/protocol.js';

/*
 * A worker process in which an agent uses the channel to the supervisor, too. Says what it was told, as a line each.
 */

const foreign = [null, 'ready', 5, { kind: 'ready' }, { type: 'axm:monitor', data: {} }, { hopline: null }];
for (const message of [
  ...foreign,
  marked({ kind: 'unheard of' }),
  marked('ready'),
  marked({ kind: 'ready' }),
])
  process.send?.(message);
process.on('message', (message) => {
  console.log(JSON.stringify(message));
  process.disconnect();
});
