import { Bus, memory, rabbitmq } from 'hopline';
import { serveProbe } from './probe.js';

const { AMQP_URL, PROBE_HOST = '127.0.0.1', PROBE_PORT = '8081' } = process.env;
const bus = new Bus({
  service: 'greeter',
  transport: AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory(),
  startDeadline: Number.POSITIVE_INFINITY, // waits for the broker; the probe is not ready meanwhile
});
bus.handle('greet', ({ name }: { name: string }) => console.log(`hello, ${name}`));

// Before the start: a probe meanwhile finds the service live, and not ready yet.
const probe = await serveProbe(bus, { host: PROBE_HOST, port: Number(PROBE_PORT) });
console.log(`probe: ${probe.url}/readyz`);
await bus.runUntilSignal(); // a stopping service is live, and no longer ready
await probe.close();
