import assert from 'node:assert/strict';
import { ChannelLostError, type Deserializer } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { hold, numbers } from '../support/port.js';
import type { BreakableTransport } from '../support/transport-harness.js';
import type { Theme } from './theme.js';

/** Only for transports that have connections: the others have nothing here that could behave in another way. */
export const brokenConnections: Theme = (test, { hasConnections }) => {
  if (!hasConnections) return;

  test('deliveries of a broken connection are lost, and delivered again on the next one', async (fx) => {
    const line = await breakable(fx);
    const port = await fx.port({}, fx.traced(line.transport));
    await port.queues({ q: ['#'] });
    await port.publishAll('k', ['1', '2']);
    const consumer = await port.consume('q', hold);
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 2));
    line.break();
    await fx.eventually(() => assert.equal(consumer.deliveries.length, 4));
    assert.deepEqual(
      consumer.deliveries.map(({ body, redelivered, lost }) => `${body} ${redelivered} ${lost}`),
      ['1 false true', '2 false true', '1 true false', '2 true false'],
    );
    assert.equal(consumer.losses.length, 1);
    assert.deepEqual(
      [consumer.at(0).ack(), consumer.at(1).requeue(), consumer.at(2).ack()],
      [false, false, true],
    );
    // The stale ack of '1' has not taken '2' with it.
    await consumer.consumer.close();
    const next = await port.consume('q', hold);
    await fx.eventually(() => assert.deepEqual(next.bodies, ['2']));
  });

  test('what is published while connections break is confirmed and handled', async (fx) => {
    const line = await breakable(fx);
    const seen = fx.recorder();
    const transport = fx.traced(line.transport);
    const bus = fx.bus('mailer', { transport }).handle('k', seen.handle);
    await bus.start();
    const up = watch(bus, 'connection.up');
    for (const batch of [0, 1, 2]) {
      const publishing = numbers(100).map((number) => bus.publish('k', `${batch}.${number}`));
      // Right behind the publishes, so that their confirms are on their way.
      setImmediate(() => line.break());
      await Promise.all(publishing);
      await fx.eventually(() => assert.ok(up.length >= 2 * (batch + 1)));
    }
    await fx.eventually(() => assert.equal(new Set(seen.payloads).size, 300));
  });

  test('lanes whose connection breaks go on with what they had, each with its own', async (fx) => {
    const line = await breakable(fx);
    const gate = deferred();
    const seen = fx.recorder(({ context }) => (context.redelivered ? undefined : gate.promise));
    const transport = fx.traced(line.transport);
    const queue = { name: fx.name('q'), lanes: ['high', 'default'], concurrency: 2 };
    const bus = fx.bus('mailer', { transport }).handle('k', seen.handle, { queue });
    await bus.start();
    await bus.send('k', 'urgent', { lane: 'high' });
    await bus.send('k', 'plain');
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    line.break();
    // Both places are still taken: a handler keeps its own until it returns, lost or not.
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    const again = seen.calls.slice(2).map(({ payload, context }) => [payload, context.queue]);
    assert.deepEqual(again.sort(), [
      ['plain', fx.name('q')],
      ['urgent', fx.name('q.high')],
    ]);
  });

  test('a handler whose connection breaks is told by its signal; its outcome is not used, its message comes again', async (fx) => {
    const line = await breakable(fx);
    const [gate, reasons] = [deferred(), [] as unknown[]];
    const seen = fx.recorder(async ({ context }) => {
      if (seen.calls.length > 1) return;
      context.signal.addEventListener('abort', () => reasons.push(context.signal.reason));
      await gate.promise;
      throw new Error('would be retried');
    });
    const transport = fx.traced(line.transport);
    const bus = fx.bus('mailer', { transport }).handle('k', seen.handle, { retry: { backoff: '100ms' } });
    const told = watch(bus, 'message.retried', 'message.deadLettered');
    await bus.start();
    await bus.publish('k', 'again');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    line.break();
    await fx.eventually(() => assert.equal(reasons.length, 1));
    assert.ok(reasons[0] instanceof ChannelLostError);
    gate.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual([seen.attempts, seen.at(1).context.redelivered], [[1, 1], true]);
    await bus.publish('k', 'end');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['again', 'again', 'end']));
    assert.deepEqual(told, []);
  });

  test('a message whose connection breaks while it is read is handled when it comes again, and then only', async (fx) => {
    const line = await breakable(fx);
    const [gate, read] = [deferred(), [] as string[]];
    const body: Deserializer = {
      async deserialize(bytes) {
        if (read.push(String(bytes)) === 1) await gate.promise;
        return String(bytes);
      },
    };
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { transport: fx.traced(line.transport) }).handle('k', seen.handle, { body });
    await bus.start();
    await bus.publish('k', 'again');
    await fx.eventually(() => assert.equal(read.length, 1));
    line.break();
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    gate.resolve();
    await bus.publish('k', 'end');
    await fx.eventually(() => assert.equal(seen.payloads.at(-1), '"end"'));
    assert.deepEqual(seen.payloads, ['"again"', '"end"']);
  });

  test('a bus whose connection is broken stops in time', async (fx) => {
    const line = await breakable(fx);
    const transport = fx.traced(line.transport);
    const bus = fx.bus('mailer', { transport, stopDeadline: '5s' }).handle('k', () => {});
    const down = watch(bus, 'connection.down');
    await bus.start();
    line.break();
    await fx.eventually(() => assert.ok(down.length >= 1));
    const startedAt = fx.harness.clock.monotonic();
    await bus.stop();
    assert.ok(fx.harness.clock.monotonic() - startedAt < 5_000);
  });
};

async function breakable(fx: BusFixture): Promise<BreakableTransport> {
  assert.ok(fx.harness.breakableTransport, 'a harness with connections can break them');
  return fx.harness.breakableTransport();
}
