import assert from 'node:assert/strict';
import { Bus, memory } from '../../../src/index.js';
import { type Failures, openFailures } from '../../../src/operate.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';
import { type Loss, LossyTransport } from '../../support/lossy-transport.js';

const IDS = Array.from({ length: 20 }, (_, number) => `letter-${number}`);
const QUEUES = ['first', 'second'];

describe('an action on all dead letters, whose connection is lost', () => {
  let buses: Bus[];
  let lossy: LossyTransport;
  let failures: Failures;
  /** Ids that were handled, once for each time. */
  let handled: string[];

  beforeEach(async () => {
    const transport = memory();
    let isMended = false;
    handled = [];
    buses = QUEUES.map((service) =>
      new Bus({ service, transport, log: silentLogger }).handle(`${service}.#`, (_payload, context) => {
        if (!isMended) return context.fail('not yet');
        handled.push(context.messageId ?? '');
      }),
    );
    for (const bus of buses) await bus.start();
    lossy = new LossyTransport(transport);
    failures = await openFailures({ transport: lossy, queues: QUEUES, log: silentLogger });
    for (const queue of QUEUES)
      for (const id of IDS) await buses[0]?.publish(`${queue}.it`, {}, { messageId: `${queue}-${id}` });
    await eventually(async () => assert.deepEqual(await counts(), [IDS.length, IDS.length]));
    isMended = true;
  });
  afterEach(async () => {
    await failures.close();
    for (const bus of buses) await bus.stop();
  });

  const counts = async () => (await failures.count()).map(({ count }) => count);
  const lose = (loss: Loss) => {
    lossy.loss = loss;
  };

  it('deals with no letter twice, and tells of those whose ack may not have arrived', async () => {
    lose({ afterAcks: 10, lostAcks: 4 });
    const { done, failed, gone, left } = await failures.retry({});
    assert.deepEqual([done, gone, left], [40, 0, 0]);
    assert.deepEqual(
      failed.map(({ id, deadQueue }) => [deadQueue, id]),
      [6, 7, 8, 9].map((number) => ['first.dead', `first-letter-${number}`]),
    );
    assert.match(failed[0]?.error.message ?? '', /^it was dealt with, and the connection was lost before/);
    await eventually(() => assert.equal(handled.length, 40));
    assert.equal(new Set(handled).size, 40);
    assert.deepEqual(await counts(), [4, 0]);
  });

  it('deletes again what is to be deleted', async () => {
    lose({ afterAcks: 10, lostAcks: 4 });
    assert.deepEqual((await failures.forget({})).failed, []);
    assert.deepEqual(await counts(), [0, 0]);
  });

  it('tells of letters that the broker has not given back', async () => {
    lose({ afterAcks: 10, lostAcks: 0, isKept: true });
    const { done, failed, gone, left } = await failures.retry({}, { rate: '200/s' });
    await lossy.giveBack();
    assert.deepEqual([done + gone, failed.length, left], [40, 0, 0]);
    assert.ok(gone > 0);
    // The others were under way.
    assert.deepEqual(await counts(), [10, 0]);
  });
});
