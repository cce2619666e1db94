import assert from 'node:assert/strict';
import { Attempts, type AttemptsOptions } from '../../../src/consume/attempt/attempts.js';
import { Pack, receivedItems } from '../../../src/features/pack/pack.js';
import { packed } from '../../../src/message/wire/pack.js';
import type { AttemptLease } from '../../../src/pipeline/lease.js';
import { DONE } from '../../../src/pipeline/outcome.js';
import { Work } from '../../../src/pipeline/work.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { received, TestDelivery, workFor } from './fixtures.js';

const broken = new Error('a bug');

const dispatcher = (attempt: AttemptsOptions['dispatcher']['attempt']): AttemptsOptions['dispatcher'] => ({
  attempt,
  failed: assert.fail,
});

function attempts(given: Partial<AttemptsOptions>) {
  const told: string[] = [];
  const its = new Attempts({
    dispatcher: dispatcher(() => DONE),
    handlers: [],
    middleware: [],
    settler: {
      settle: ({ received: { delivery } }) => void delivery.ack(),
      endAttempt: async () => {},
      endBroken: async ({ received: { delivery } }, _error, ready) => {
        await ready;
        told.push('broken');
        delivery.ack();
      },
    },
    events: {} as never,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock: new ManualClock(),
    stopping: { isStopping: false },
    isPaused: () => false,
    settling: async () => void told.push('window'),
    onEnded: () => told.push('slot'),
    ...given,
  });
  const begun = async (...works: Work[]) => {
    for (const work of works) its.begin(work);
    await new Promise((resolve) => setImmediate(resolve));
    return told.splice(0);
  };
  return { begun };
}

describe('the attempts of a message', () => {
  it('that break off give back its room in the window, before the broker is told, and its slot', async () => {
    const throwing = () => {
      throw broken;
    };
    for (const attempt of [throwing, () => Promise.reject(broken)])
      assert.deepEqual(await attempts({ dispatcher: dispatcher(attempt) }).begun(workFor()), [
        'window',
        'broken',
        'slot',
      ]);
  });

  it('whose end breaks off give back its room in the window once', async () => {
    const settler = {
      settle: () => {
        throw broken;
      },
      endAttempt: async () => {},
      endBroken: async () => {},
    };
    assert.deepEqual(await attempts({ settler }).begun(workFor()), ['window', 'slot']);
  });

  it('within consume middleware give back their slot, though what comes between two of them breaks off', async () => {
    const retry = { kind: 'retry', delayMs: 0, error: broken } as const;
    const settler = {
      settle: () => assert.fail(),
      endAttempt: () => Promise.reject(broken),
      endBroken: async () => {},
    };
    const middleware = [{ consume: (_delivery: unknown, next: () => unknown) => next() }];
    const { begun } = attempts({ dispatcher: dispatcher(() => retry), settler, middleware });
    assert.deepEqual(await begun(workFor()), ['window', 'slot']);
  });

  it('within consume middleware end also if the lease is lost between two of them', async () => {
    const retry = { kind: 'retry', delayMs: 0, error: broken } as const;
    const delivery = new TestDelivery();
    const settler: AttemptsOptions['settler'] = {
      settle: () => void delivery.requeue(),
      endAttempt: async (work) => {
        work.lease = { isLost: true } as AttemptLease;
      },
      endBroken: () => assert.fail(),
    };
    const middleware = [{ consume: (_delivery: unknown, next: () => unknown) => next() }];
    const { begun } = attempts({ dispatcher: dispatcher(() => retry), settler, middleware });
    await begun(workFor(undefined, delivery));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(delivery.settled, 'requeue');
  });

  it('of a pack give back its room in the window with the last of it, though one has broken off', async () => {
    const body = packed([Buffer.from('1'), Buffer.from('2')]);
    const whole = received({ body });
    const works = receivedItems(whole, new Pack(whole.delivery)).map((item) => new Work(item, undefined, 0));
    const outcomes = [Promise.reject(broken), DONE];
    const { begun } = attempts({ dispatcher: dispatcher(() => outcomes.shift() ?? assert.fail()) });
    assert.deepEqual((await begun(...works)).sort(), ['broken', 'slot', 'slot', 'window']);
    assert.equal((whole.delivery as TestDelivery).settled, 'ack');
  });
});
