import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Bus, memory, rabbitmq } from 'hopline';
import { type Alert, alerts } from 'hopline/alerts';

const SECRET = 'what only the two of us know';

/** True if the body is from somebody who knows the secret, and no older than five minutes. */
function isGenuine(signature: unknown, body: string): boolean {
  const [, seconds = '', digest = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(signature)) ?? [];
  const expected = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest();
  const isFresh = Math.abs(Date.now() / 1_000 - Number(seconds)) < 300;
  return isFresh && digest !== '' && timingSafeEqual(expected, Buffer.from(digest, 'hex'));
}

const receiver = createServer(async (request, response) => {
  const body = await text(request);
  if (!isGenuine(request.headers['hopline-signature'], body)) return response.writeHead(401).end();
  for (const { state, severity, message } of (JSON.parse(body) as { alerts: Alert[] }).alerts)
    console.log(`${state}: ${severity}, ${message}`);
  return response.end();
});
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const { port } = receiver.address() as AddressInfo;

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'mailer', transport, failureLog: false });

bus.handle('mail.send', () => Promise.reject(new Error('the mail server is away')), {
  queue: 'mailer.send',
  name: 'Send',
  retry: { tries: 1 },
});

const watch = alerts(bus, {
  rules: ['failure_rate > 50% critical within 1m at least 5', 'dead_letters off'],
  every: '100ms',
  webhooks: [{ url: `http://127.0.0.1:${port}/`, secret: SECRET }],
});
const fired = new Promise((resolve) => watch.on('alert.fired', resolve));

await bus.start();
for (let number = 1; number <= 5; number += 1) await bus.publish('mail.send', { number });
await fired;
await watch.stop();
await bus.stop();
receiver.close();
