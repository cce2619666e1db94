import { parseArgs } from 'node:util';
import { BODY_BYTES } from './message.js';
import { startNullBroker } from './server.js';

/** `node bench/null-broker/main.js [--port 0] [--size 281]` prints its port, and ends when its standard input does. */

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    size: { type: 'string', default: String(BODY_BYTES) },
  },
});
const server = await startNullBroker({ port: Number(values.port), size: Number(values.size) });
const address = server.address();
process.stdout.write(`${typeof address === 'object' && address ? address.port : ''}\n`);
// Whoever started it may be killed: it must not stay behind.
process.stdin.resume().on('end', () => process.exit(0));
