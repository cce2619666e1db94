import assert from 'node:assert/strict';
import { Guards } from '../../../src/consume/intake/guards.js';
import { InvalidMessageError, PublishTimeoutError, UnroutableError } from '../../../src/index.js';
import { HEADER } from '../../../src/message/headers.js';
import type { OutgoingMessage } from '../../../src/message/message.js';
import type { Headers } from '../../../src/message/properties.js';
import { MemoryLeases } from '../../../src/stores/memory/leases.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { names, TestDelivery } from '../consume/fixtures.js';

describe('guards of jobs', () => {
  function looking(publish: (message: OutgoingMessage) => Promise<void>) {
    const clock = new ManualClock();
    const sent: OutgoingMessage[] = [];
    const consumer = { setPrefetch: async () => {}, cancel: async () => {}, close: async () => {} };
    const session = {
      consume: async () => consumer,
      publish: async (message: OutgoingMessage) => {
        await publish(message);
        sent.push(message);
        return {} as never;
      },
    };
    const guards = new Guards({
      ...{ names, session, clock, log: silentLogger, publishDeadlineMs: 30_000, queue: 'video.guards' },
      leases: new MemoryLeases(clock),
    });
    const deliver = (headers: Headers, exchange: string = names.delayOut) => {
      const given = { queue: 'video.guards', exchange, properties: { messageId: 'video 1', headers } };
      const delivery = new TestDelivery(given);
      guards.deliver(delivery);
      return delivery;
    };
    return { clock, guards, sent, deliver };
  }
  const guard = { [HEADER.guardOf]: 'video', [HEADER.lease]: 'job' };
  const where = (sent: readonly OutgoingMessage[]) =>
    sent.map((message) => [
      message.to,
      message.to === 'exchange' ? message.routingKey : 'queue' in message && message.queue,
    ]);

  it('that can never go home become dead letters of their queue, and hold nothing', async () => {
    const { clock, sent, deliver } = looking(async ({ to }) => {
      if (to === 'queue') throw new InvalidMessageError('it is too long', 'Make it shorter.');
    });
    const delivery = deliver(guard);
    await clock.settle();
    assert.deepEqual([where(sent), delivery.settled], [[['dead-letters', 'video']], 'ack']);
    const headers = sent[0]?.properties.headers;
    assert.deepEqual([headers?.[HEADER.queue], headers?.[HEADER.reason]], ['video', 'unsendable']);
    assert.deepEqual([headers?.[HEADER.guardOf], headers?.[HEADER.lease]], [undefined, undefined]);
  });

  it('whose queue is gone with its dead letters are put where the lost ones are, as is what is no guard', async () => {
    const { clock, sent, deliver } = looking(async (message) => {
      if (message.to !== 'exchange') throw new UnroutableError('', '', undefined);
    });
    const [homeless, none] = [deliver(guard), deliver({ theirs: 1 }, '')];
    await clock.settle();
    assert.deepEqual(where(sent).toSorted(), [
      ['exchange', 'lost'],
      ['exchange', 'lost'],
    ]);
    assert.deepEqual([homeless.settled, none.settled], ['ack', 'ack']);
    assert.ok(sent.some(({ properties }) => 'theirs' in (properties.headers ?? {})));
  });

  it('of a message that waits for the attempt that it follows go home as they are, whatever has become of that, also redelivered', async () => {
    const { clock, sent, deliver } = looking(async () => {});
    deliver({ ...guard, [HEADER.follows]: 'job', [HEADER.redelivered]: true, [HEADER.crashes]: 1 });
    await clock.settle();
    assert.deepEqual(where(sent), [['queue', 'video']]);
    const { [HEADER.follows]: follows, [HEADER.crashes]: crashes } = sent[0]?.properties.headers ?? {};
    assert.deepEqual([follows, crashes], ['job', 1]);
  });

  it('that the broker does not take now are held, and given back when the bus stops', async () => {
    const { clock, guards, sent, deliver } = looking(() => Promise.reject(new PublishTimeoutError('', '')));
    await guards.start();
    const delivery = deliver(guard);
    await clock.advance(5_000);
    assert.equal(delivery.settled, undefined);
    await guards.stop();
    await guards.close();
    assert.deepEqual([sent, delivery.settled], [[], 'requeue']);
  });

  it('that are held, as many as there may be, are no leak to Node', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => void warnings.push(warning);
    process.on('warning', warned);
    const { clock, deliver } = looking(() => Promise.reject(new PublishTimeoutError('', '')));
    for (let count = 0; count < 20; count += 1) deliver(guard);
    await clock.advance(500);
    await new Promise(setImmediate);
    process.off('warning', warned);
    assert.deepEqual(warnings, []);
  });

  it('that are being sent do not keep the bus from the next stage of its stop', async () => {
    const confirm = deferred();
    const { clock, guards, deliver } = looking(() => confirm.promise);
    await guards.start();
    const delivery = deliver(guard);
    await clock.settle();
    let hasStopped = false;
    void guards.stop().then(() => {
      hasStopped = true;
    });
    await clock.settle();
    assert.equal(hasStopped, true);
    confirm.resolve();
    await guards.close();
    assert.equal(delivery.settled, 'ack');
  });
});
