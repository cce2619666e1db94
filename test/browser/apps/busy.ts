import { setTimeout as pause } from 'node:timers/promises';
import { Bus, rabbitmq } from 'hopline';

/*
 * Fifty handlers, each with a queue of its own, and a thousand messages a second that this process publishes to itself. Says `ready` once
 * it consumes. Given: prefix, messages a second.
 */

const HANDLERS = 50;
const TICK_MS = 20;

const [prefix = 'busy', rate = '1000'] = process.argv.slice(2);

const bus = new Bus({
  service: prefix,
  prefix,
  transport: rabbitmq({ url: process.env.AMQP_URL }),
  failureLog: false,
});
for (let place = 1; place <= HANDLERS; place += 1) {
  const name = String(place).padStart(2, '0');
  bus.handle(`work.${name}`, () => pause(Math.random() * 10), {
    name: `Work${name}`,
    queue: `${prefix}.work-${name}`,
  });
}
await bus.start();
console.log('ready');

let owed = 0;
let place = 0;
const publishing = setInterval(() => {
  for (owed += (Number(rate) * TICK_MS) / 1_000; owed >= 1; owed -= 1) {
    place = (place % HANDLERS) + 1;
    const key = `work.${String(place).padStart(2, '0')}`;
    bus.publish(key, { place, at: Date.now() }).catch((error: unknown) => console.error(error));
  }
}, TICK_MS);

process.once('SIGTERM', () => {
  clearInterval(publishing);
  void bus.stop();
});
