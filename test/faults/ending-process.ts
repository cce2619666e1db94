import { setTimeout as pause } from 'node:timers/promises';
import { Bus, rabbitmq } from 'hopline';

/**
 * A bus that is stopped in a bad moment: so many milliseconds after its start began, or, with `mute`, when it has started and
 * its parent says that the broker is mute. Tells when it has stopped; nothing but what it left behind keeps it from ending then.
 */
const [url = '', moment = '0'] = process.argv.slice(2);
const name = `ending-${process.pid}`;
const log = { debug() {}, info() {}, warn() {}, error() {} };
const transport = rabbitmq({ url, heartbeat: '10s' });
const bus = new Bus({ service: name, prefix: name, transport, log, stopDeadline: '3s' });
bus.handle('a.key', () => {});
const starting = bus.start().catch(() => {});
if (moment === 'mute') {
  await starting;
  process.send?.('started');
  await new Promise((resolve) => process.once('message', resolve));
  process.disconnect();
} else {
  await pause(Number(moment));
  process.disconnect();
}
await bus.stop().catch(() => {});
await starting;
process.stdout.write('stopped\n');
