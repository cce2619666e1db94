import assert from 'node:assert/strict';
import type { Destination, OutgoingContent } from '../../src/message/message.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { ack, type Collector, type Port } from '../support/port.js';
import type { Theme } from './theme.js';

/** Two work queues, `billing` and `mailer`, that take `order.*`; the one has two lanes. */
async function open(fx: BusFixture): Promise<Port> {
  const port = await fx.port();
  const events = { name: fx.events, declare: true };
  const queueOf = (short: string, lanes: readonly string[]) => ({
    ...{
      kind: 'work' as const,
      name: fx.name(short),
      lanes,
      type: 'quorum' as const,
      deliveryLimit: 20,
      maxPriority: undefined,
    },
    bindings: [{ exchange: events, pattern: 'order.*' }],
  });
  const queues = [queueOf('billing', ['default']), queueOf('mailer', ['high', 'default'])];
  await port.session.declare({ exchanges: [events], queues, delays: true }, 'declare', port.deadline);
  return port;
}

const publish = (
  { session }: Port,
  destination: Destination,
  body: string,
  wanted: Partial<OutgoingContent> = {},
) =>
  session.publish({
    ...destination,
    ...{ body: Buffer.from(body), properties: { deliveryMode: 2 }, mustRoute: true, deadlineMs: 10_000 },
    ...wanted,
  });

/** What comes into these queues, as `queue body`. */
async function arrivals(port: Port, ...queues: string[]): Promise<() => string[]> {
  const collectors: [string, Collector][] = [];
  for (const queue of queues) collectors.push([queue, await port.consume(queue, ack)]);
  return () => collectors.flatMap(([queue, { bodies }]) => bodies.map((body) => `${queue} ${body}`));
}

export const destinations: Theme = (test) => {
  test('a message to a queue goes to exactly that one, a lane too, at once or after its delay', async (fx) => {
    const port = await open(fx);
    const came = await arrivals(port, 'billing', 'mailer', 'mailer.high');
    for (const queue of ['billing', 'mailer.high'])
      for (const delayMs of [0, 300])
        await publish(port, { to: 'queue', queue: fx.name(queue) }, `${delayMs}`, { delayMs });
    await fx.eventually(() =>
      assert.deepEqual(came(), ['billing 0', 'billing 300', 'mailer.high 0', 'mailer.high 300']),
    );
  });

  test('a message to the dead letters of a queue goes there, whichever of its lanes it was in', async (fx) => {
    const port = await open(fx);
    const came = await arrivals(port, 'billing.dead', 'mailer.dead', 'mailer', 'mailer.high');
    for (const queue of ['billing', 'mailer.high', 'mailer'])
      await publish(port, { to: 'dead-letters', queue: fx.name(queue) }, queue);
    await fx.eventually(() =>
      assert.deepEqual(came(), ['billing.dead billing', 'mailer.dead mailer.high', 'mailer.dead mailer']),
    );
  });

  test('a message to an exchange goes to all queues that want it, at once or when it is due', async (fx) => {
    const port = await open(fx);
    const came = await arrivals(port, 'billing', 'mailer', 'mailer.high');
    const order = { to: 'exchange', exchange: fx.events, routingKey: 'order.placed' } as const;
    await publish(port, order, 'now');
    await publish(port, order, 'later', { delayMs: 300 });
    await fx.eventually(() =>
      assert.deepEqual(came(), ['billing now', 'billing later', 'mailer now', 'mailer later']),
    );
    const lane = { ...order, exchange: `${fx.events}.lane.high` };
    await publish(port, lane, 'lane', { delayMs: 100 });
    await fx.eventually(() => assert.ok(came().includes('mailer.high lane')));
  });

  test('a delayed message that no queue takes when it is due goes nowhere, and nothing waits behind it', async (fx) => {
    const port = await open(fx);
    const came = await arrivals(port, 'billing');
    const nowhere = { to: 'exchange', exchange: fx.events, routingKey: 'nobody' } as const;
    await publish(port, nowhere, 'dropped', { delayMs: 100, mustRoute: false });
    await publish(port, { to: 'queue', queue: fx.name('billing') }, 'behind', { delayMs: 100 });
    await fx.eventually(() => assert.deepEqual(came(), ['billing behind']));
  });

  test('a message has its priority and its time to live where it arrives', async (fx) => {
    const port = await open(fx);
    const billing = await port.consume('billing', ack);
    const order = { to: 'exchange', exchange: fx.events, routingKey: 'order.placed' } as const;
    await publish(port, order, 'both', { priority: 3, ttlMs: 60_000 });
    await publish(port, order, 'neither', {});
    await fx.eventually(() => assert.equal(billing.deliveries.length, 2));
    const [both, neither] = billing.deliveries.map(({ properties }) => properties);
    assert.deepEqual([both?.priority, both?.expiration], [3, '60000']);
    assert.deepEqual([neither?.priority, neither?.expiration], [undefined, undefined]);
  });
};
