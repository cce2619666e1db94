import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Bus } from '../../../src/index.js';
import { pause } from '../../../src/util/clock.js';
import { BusFixture } from '../../support/bus-fixture.js';
import { MemoryHarness } from '../../support/memory-harness.js';
import { controlOf } from '../../support/operators.js';

const MINUTE = 60_000;

type Step =
  | { readonly kind: 'send'; readonly key: 'mail' | 'report'; readonly lane: string; readonly count: number }
  | { readonly kind: 'pause' | 'resume'; readonly queue: string }
  | { readonly kind: 'dependency'; readonly isAway: boolean }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'restart'; readonly cancel: boolean };

const lane = fc.constantFrom('high', 'default');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    key: fc.constantFrom('mail' as const, 'report' as const),
    lane,
    count: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({
    kind: fc.constantFrom('pause' as const, 'resume' as const),
    queue: fc.constantFrom('q', 'q.high'),
  }),
  fc.record({ kind: fc.constant('dependency' as const), isAway: fc.boolean() }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(200, 3_000, MINUTE, 12 * MINUTE) }),
  fc.record({ kind: fc.constant('restart' as const), cancel: fc.boolean() }),
);

/** A service on a broker that charges whatever is requeued, as RabbitMQ does before 4.3. */
class Service {
  readonly harness = new MemoryHarness();
  readonly fx = new BusFixture(this.harness);
  readonly handled = new Map<number, number>();
  readonly control = controlOf(this.fx);
  sent = 0;
  isAway = false;
  mostCounted = 0;
  private bus: Bus | undefined;

  constructor() {
    this.fx.trace.onDelivery = ({ queue, deliveryCount }) => {
      if (queue !== this.fx.name('paused')) this.mostCounted = Math.max(this.mostCounted, deliveryCount);
    };
  }

  async start(): Promise<Bus> {
    const { fx } = this;
    const queue = {
      name: fx.name('q'),
      lanes: ['high', 'default'],
      concurrency: 2,
      prefetch: 5,
      deliveryLimit: 1,
    };
    const done = (payload: number) => this.handled.set(payload, (this.handled.get(payload) ?? 0) + 1);
    const bus = fx.bus('mailer', { stopDeadline: '10s' });
    const mail = (payload: number) => {
      if (this.isAway) throw new Error('the dependency is away');
      done(payload);
    };
    bus
      .handle('mail', mail, {
        queue,
        retry: { tries: 100_000, backoff: '1m' },
        circuitBreaker: { attempts: 2, pause: '2s' },
      })
      .handle(
        'report',
        async (payload: number, { signal }) => {
          await pause(this.harness.clock, 4 * MINUTE, signal);
          done(payload);
        },
        { queue, concurrency: 1, timeout: '30m', retry: { tries: 100_000 } },
      );
    await bus.start();
    this.bus = bus;
    return bus;
  }

  async does(step: Step): Promise<void> {
    const { fx, harness, control } = this;
    const bus = this.bus as Bus;
    switch (step.kind) {
      case 'send':
        for (let count = step.count; count > 0; count -= 1) {
          await bus.send(step.key, this.sent, { lane: step.lane });
          this.sent += 1;
        }
        return;
      case 'pause':
      case 'resume':
        await control((operator) => operator[step.kind](fx.name(step.queue)));
        return;
      case 'dependency':
        this.isAway = step.isAway;
        return;
      case 'time':
        await harness.clock.advance(step.ms);
        return;
      case 'restart':
        await fx.outcome(bus.stop({ cancel: step.cancel }));
        await this.start();
    }
  }
}

describe('any orderly sequence of pauses, circuits, resting lanes and restarts', () => {
  it('charges nothing, loses nothing, and handles nothing twice [row 49]', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const service = new Service();
        await service.start();
        try {
          for (const each of steps) await service.does(each);
          const { fx } = service;
          service.isAway = false;
          for (const queue of ['q', 'q.high']) await service.does({ kind: 'resume', queue });
          await fx.eventually(() => assert.equal(service.handled.size, service.sent), {
            timeout: 1_000 * MINUTE,
          });
          assert.ok([...service.handled.values()].every((times) => times === 1));
          assert.equal(service.mostCounted, 0);
          for (const queue of ['q.dead']) assert.deepEqual(await fx.foreign.take(fx.name(queue)), []);
        } finally {
          await service.fx.end();
        }
      }),
      { numRuns: 50 },
    );
  });
});
