import assert from 'node:assert/strict';
import type { Destination } from '../../../src/message/message.js';
import { duePatterns, planDelays, retryPattern } from '../../../src/topology/delays.js';
import { Names } from '../../../src/topology/names.js';
import { ack, type Bench, exchange, openBench, plan, quorum } from './support.js';

const DAY = 86_400_000;

describe('the delay topology on the memory broker', () => {
  const names = new Names();
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
    const patterns = duePatterns('hopline.events', 'order.*').map(
      (pattern) => `${names.delayOut} -> work: ${pattern}`,
    );
    const own = plan({
      exchanges: [exchange('hopline.events')],
      queues: { work: quorum() },
      bindings: [`${names.delayOut} -> work: ${retryPattern('work')}`, ...patterns],
    });
    await bench.session.declarePlan({ own, delays: planDelays(names) }, 'declare');
  });
  afterEach(() => bench.close());

  const publishDelayed = (delayMs: number, destination: Destination, mustRoute: boolean, body = '') => {
    const fields = { properties: {}, delayMs, mustRoute, deadlineMs: 30_000 };
    return bench.session.publish({ ...destination, ...fields, body: Buffer.from(body) });
  };
  const event = (routingKey: string) => ({ to: 'exchange', exchange: 'hopline.events', routingKey }) as const;
  const work = { to: 'queue', queue: 'work' } as const;

  it('brings each message to its queue at its moment, whatever the others wait for', async () => {
    const start = bench.clock.monotonic();
    const arrived: [string, number][] = [];
    await bench.consume('work', (delivery) => {
      ack(delivery);
      arrived.push([delivery.body.toString(), bench.clock.monotonic() - start]);
    });
    const delays = [400 * DAY, 100, 30_000, 300, 3_600_000 * 26 + 61_700, 31_000, 90_061_500, 300_000];
    for (const delayMs of delays) await publishDelayed(delayMs, work, true, String(delayMs));
    await bench.clock.advance(400 * DAY);
    assert.deepEqual(
      arrived,
      delays.toSorted((a, b) => a - b).map((delayMs) => [String(delayMs), delayMs]),
    );
  });

  it('routes a delayed publish when it is due, and sinks one that nobody takes', async () => {
    await publishDelayed(1_000, event('order.placed'), false, 'taken');
    await publishDelayed(1_000, event('nobody'), false, 'sunk');
    await bench.clock.advance(1_000);
    assert.deepEqual(await bench.drained('work'), ['taken']);
    assert.deepEqual(await bench.drained(names.delayLost), []);
    assert.deepEqual(await bench.drained(names.delaySink), []);
  });

  it('keeps a delayed send that nobody takes in the lost queue, without stalling its level', async () => {
    await publishDelayed(1_000, event('nobody'), true, 'lost');
    await publishDelayed(1_000, work, true, 'healthy');
    await bench.clock.advance(1_000);
    assert.deepEqual(await bench.drained(names.delayLost), ['lost']);
    assert.deepEqual(await bench.drained('work'), ['healthy']);
  });

  it("lets a handler's retries happen in the order of virtual time", async () => {
    const log: string[] = [];
    await bench.consume('work', (delivery) => {
      const [name, step] = delivery.body.toString().split(' ') as [string, string];
      log.push(`${name} ${step} at ${bench.clock.monotonic()}`);
      const retry = async () => {
        if (step === '3') return;
        await publishDelayed(Number(name), work, true, `${name} ${Number(step) + 1}`);
        delivery.ack();
      };
      void retry();
    });
    await publishDelayed(200, work, true, '200 1');
    await publishDelayed(500, work, true, '500 1');
    await bench.clock.advance(1_500);
    assert.deepEqual(log, [
      '200 1 at 200',
      '200 2 at 400',
      '500 1 at 500',
      '200 3 at 600',
      '500 2 at 1000',
      '500 3 at 1500',
    ]);
  });
});
