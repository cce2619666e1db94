import assert from 'node:assert/strict';
import { Bus, memory, TopologyError } from '../../../src/index.js';
import { type Failures, openFailures } from '../../../src/operate.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';
import { LossyTransport } from '../../support/lossy-transport.js';

const QUEUES = ['first', 'second', 'third'];

describe('reading so many dead letters', () => {
  let buses: Bus[];
  let counting: LossyTransport;
  let failures: Failures;

  beforeEach(async () => {
    const transport = memory();
    buses = QUEUES.map((service) =>
      new Bus({ service, transport, log: silentLogger }).handle(`${service}.#`, (_payload, context) => {
        context.fail('on purpose');
      }),
    );
    for (const bus of buses) await bus.start();
    counting = new LossyTransport(transport);
    failures = await openFailures({ transport: counting, queues: QUEUES, log: silentLogger });
    for (const queue of QUEUES)
      for (const number of [1, 2])
        await buses[0]?.publish(`${queue}.it`, {}, { messageId: `${queue}-${number}` });
    await eventually(async () =>
      assert.deepEqual(
        (await failures.count()).map(({ count }) => count),
        [2, 2, 2],
      ),
    );
  });
  afterEach(async () => {
    await failures.close();
    for (const bus of buses) await bus.stop();
  });

  const exported = async () => {
    const ids: string[] = [];
    for await (const line of failures.export({ limit: 3 })) ids.push(JSON.parse(line).id);
    return ids;
  };
  const listed = async () => (await failures.list({ limit: 3 })).map(({ id }) => id);

  for (const [how, read] of Object.entries({ exported, listed })) {
    it(`takes none from the queues after that: ${how}`, async () => {
      assert.deepEqual(await read(), ['first-1', 'first-2', 'second-1']);
      assert.deepEqual(counting.consumed, ['first.dead', 'second.dead']);
    });
  }

  it('still says that a queue is missing', async () => {
    const transport = memory();
    const bus = new Bus({ service: 'first', transport, log: silentLogger }).handle(
      'first.#',
      (_payload, context) => {
        context.fail('on purpose');
      },
    );
    await bus.start();
    const two = await openFailures({ transport, queues: ['first', 'secnd'], log: silentLogger });
    await bus.publish('first.it', {});
    await eventually(async () => assert.equal((await two.count())[0]?.count, 1));
    await assert.rejects(two.list({ limit: 1 }), TopologyError);
    await assert.rejects(two.export({ limit: 1 }).next(), TopologyError);
    await two.close();
    await bus.stop();
  });
});
