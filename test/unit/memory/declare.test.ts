import assert from 'node:assert/strict';
import { TopologyError } from '../../../src/errors.js';
import { planDelays } from '../../../src/topology/delays.js';
import { Names } from '../../../src/topology/names.js';
import type { SharedPlan } from '../../../src/topology/plan.js';
import { type Bench, classic, exchange, openBench, plan, quorum } from './support.js';

const refusedAs = (resource: string, words: string) => (error: Error) => {
  assert.ok(error instanceof TopologyError);
  assert.equal(error.resource, resource);
  assert.equal(error.message, words);
  return true;
};

describe('declaring on the memory broker', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
  });
  afterEach(() => bench.close());

  it('again with the same arguments changes nothing and keeps the messages', async () => {
    const sketch = { exchanges: [exchange('e')], queues: { q: quorum() }, bindings: ['e -> q: #'] };
    await bench.declare(sketch);
    await bench.publish('e/k', 'kept');
    await bench.declare(sketch);
    assert.deepEqual(await bench.drained('q'), ['kept']);
  });

  const queueBefore = { 'x-delivery-limit': 5 } as const;
  for (const [what, after, words] of [
    [
      'changed',
      { 'x-delivery-limit': 6 },
      "'x-delivery-limit' for queue 'q' in vhost '/': received '6' but current is '5'",
    ],
    ['left out', {}, "'x-delivery-limit' for queue 'q' in vhost '/': received none but current is '5'"],
    [
      'added',
      { ...queueBefore, 'x-message-ttl': 7 },
      "'x-message-ttl' for queue 'q' in vhost '/': received '7' but current is none",
    ],
    [
      'another type',
      { ...queueBefore, 'x-queue-type': 'classic' },
      "'x-queue-type' for queue 'q' in vhost '/': received 'classic' but current is 'quorum'",
    ],
  ] as const) {
    it(`refuses a queue with an argument ${what}, in RabbitMQ's words`, async () => {
      await bench.declare({ queues: { q: quorum(queueBefore) } });
      await assert.rejects(
        bench.declare({ queues: { q: quorum(after) } }),
        refusedAs("queue 'q'", `PRECONDITION_FAILED - inequivalent arg ${words}`),
      );
    });
  }

  it('refuses an exchange with another type or alternate exchange', async () => {
    await bench.declare({ exchanges: [exchange('e')] });
    await assert.rejects(
      bench.declare({ exchanges: [exchange('e', 'direct')] }),
      refusedAs(
        "exchange 'e'",
        "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'e' in vhost '/': received 'direct' but current is 'topic'",
      ),
    );
    await assert.rejects(
      bench.declare({ exchanges: [exchange('e', 'topic', { alternateExchange: 'z' })] }),
      /inequivalent arg 'alternate-exchange' .* received 'z' but current is none/,
    );
  });

  it('refuses on a classic queue what only quorum queues know', async () => {
    await assert.rejects(
      bench.declare({ queues: { q: classic({ 'x-delivery-limit': 3 }) } }),
      refusedAs(
        "queue 'q'",
        "PRECONDITION_FAILED - invalid arg 'x-delivery-limit' for queue 'q' in vhost '/' of queue type rabbit_classic_queue",
      ),
    );
  });

  it("only looks for an exchange that is someone else's", async () => {
    const theirs = exchange('theirs', 'topic', { verifyOnly: true });
    await assert.rejects(
      bench.declare({ exchanges: [theirs] }),
      refusedAs("exchange 'theirs'", "NOT_FOUND - no exchange 'theirs' in vhost '/'"),
    );
    await bench.declare({ exchanges: [exchange('theirs', 'fanout')] });
    await bench.declare({ exchanges: [theirs] });
  });

  it('refuses a binding or a consumer whose ends do not exist', async () => {
    await bench.declare({ exchanges: [exchange('e')] });
    await assert.rejects(bench.declare({ bindings: ['e -> nope: #'] }), /no queue 'nope'/);
    await assert.rejects(bench.declare({ bindings: ['nope => e: #'] }), /no exchange 'nope'/);
    await assert.rejects(
      bench.consume('nope', () => {}),
      /no queue 'nope'/,
    );
  });

  describe('with the delays', () => {
    const delays = planDelays(new Names());
    const own = plan({ exchanges: [exchange('e')], queues: { q: quorum() } });

    it("in mode 'verify' only looks, and names what is missing", async () => {
      const verify = () => bench.session.declarePlan({ own, delays }, 'verify');
      await assert.rejects(verify(), refusedAs("exchange 'e'", "NOT_FOUND - no exchange 'e' in vhost '/'"));
      await bench.session.declarePlan({ own }, 'declare');
      await assert.rejects(verify(), (error: TopologyError) => error.resource.includes(delays.marker.name));
      await bench.session.declarePlan({ own, delays }, 'declare');
      await verify();
    });

    it("in mode 'none' trusts", async () => {
      await bench.session.declarePlan({ own, delays }, 'none');
      await assert.rejects(
        bench.consume('q', () => {}),
        TopologyError,
      );
    });

    it('declares the shared part only if its marker is not there yet', async () => {
      await bench.session.declarePlan({ own, delays }, 'declare');
      const untouchable = new Proxy(delays, {
        get: (target, name: keyof SharedPlan) =>
          name === 'marker' ? target.marker : assert.fail(`read ${name}`),
      });
      await bench.session.declarePlan({ own, delays: untouchable }, 'declare');
    });
  });
});
