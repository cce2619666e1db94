import assert from 'node:assert/strict';
import { AttemptEvents } from '../../../src/consume/report/attempt-events.js';
import { Replies } from '../../../src/consume/settle/replies.js';
import { Settler } from '../../../src/consume/settle/settle.js';
import { PublishRejectedError, PublishTimeoutError } from '../../../src/errors.js';
import type { BusEvents } from '../../../src/events.js';
import { DONE } from '../../../src/pipeline/outcome.js';
import type { Work } from '../../../src/pipeline/work.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Emitter } from '../../../src/util/emitter.js';
import type { Logger } from '../../../src/util/logger.js';
import { TestDelivery, workFor } from './fixtures.js';

const away = new PublishTimeoutError('the broker blocks publishers', 'Wait.');

/** Settles a request, with a session whose publishes all fail in this way. */
function settling(error: Error, given: Partial<Pick<Work, 'overAt' | 'reply'>> = {}) {
  const clock = new ManualClock();
  const told: string[] = [];
  const log: string[] = [];
  const deadlines: number[] = [];
  const logger: Logger = {
    ...{ debug: () => {}, info: () => {} },
    warn: (_fields, message) => void log.push(message),
    error: (_fields, message) => void log.push(message),
  };
  const events = new Emitter<BusEvents>((_name, thrown) => {
    throw thrown;
  });
  const replies = new Replies({
    ...{ service: 'shop', clock, log: logger, publishDeadlineMs: 30_000, encryption: undefined },
    session: {
      publish: async ({ deadlineMs }) => {
        deadlines.push(deadlineMs);
        throw error;
      },
    },
    isOfRequests: () => true,
  });
  const settler = new Settler({
    ...{ clock, log: logger, replies, queueOf: () => 'shop.requests' },
    effects: { ofPlain: [], ofMarked: [], ofRequests: [replies.effectsOf] },
    events: new AttemptEvents('shop', events, clock),
    giveUp: new AbortController().signal,
    onHold: () => told.push('held'),
    onRelease: () => told.push('let go'),
  });
  const delivery = new TestDelivery({ properties: { replyTo: 'replies' } });
  const work = workFor(undefined, delivery);
  const reply = { body: Buffer.from('1'), contentType: 'application/json' };
  Object.assign(work, { reply, ...given });
  return { clock, told, log, deadlines, delivery, settled: settler.settle(work, DONE) };
}

describe('a reply that can not be published', () => {
  for (const [what, reply] of [
    ['what a handler returned', undefined],
    ['why it failed', null],
  ] as const)
    it(`is held in its requester's time, and dropped then: ${what}`, async () => {
      const its = settling(away, { overAt: 3_000, ...(reply === null ? { reply: undefined } : {}) });
      await its.clock.advance(2_900);
      assert.deepEqual(its.told, ['held']);
      assert.equal(its.delivery.settled, undefined);
      await its.clock.advance(200);
      await its.settled;
      assert.deepEqual(its.told, ['held', 'let go']);
      assert.equal(its.delivery.settled, 'ack');
      assert.match(its.log.at(-1) ?? '', /in its requester's time: it is dropped/);
      assert.ok(its.deadlines.every((each) => each <= 3_000));
      assert.equal(its.clock.armed, 0);
    });

  it('is held for half a minute if its request says nothing of its time', async () => {
    const its = settling(away);
    await its.clock.advance(29_900);
    assert.equal(its.delivery.settled, undefined);
    await its.clock.advance(200);
    await its.settled;
    assert.equal(its.delivery.settled, 'ack');
  });

  it('is tried once if it is late already, and dropped', async () => {
    const its = settling(away, { overAt: 0 });
    await its.settled;
    assert.deepEqual(its.told, []);
    assert.deepEqual(its.deadlines, [1_000]);
    assert.equal(its.delivery.settled, 'ack');
  });

  it('since the queue for it refuses it is dropped, and nothing is held for it', async () => {
    const its = settling(new PublishRejectedError('nack', 'Look.'), { overAt: 60_000 });
    await its.settled;
    assert.deepEqual(its.told, []);
    assert.equal(its.delivery.settled, 'ack');
    assert.match(its.log.at(-1) ?? '', /refuses it: the reply is dropped/);
  });

  it('since the user lacks a right, which an operator mends, is held', async () => {
    const cause = Object.assign(new Error('ACCESS_REFUSED'), { code: 403 });
    const its = settling(new PublishRejectedError('no', 'Look.', { cause }), { overAt: 60_000 });
    await its.clock.advance(1_000);
    assert.deepEqual(its.told, ['held']);
    await its.clock.advance(60_000);
    await its.settled;
    assert.equal(its.delivery.settled, 'ack');
  });
});
