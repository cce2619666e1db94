import assert from 'node:assert/strict';
import type { OutboxModel } from '../../src/dashboard/pages/outbox/model.js';
import type { Site } from '../../src/dashboard/site/site.js';
import { Bus, memory } from '../../src/index.js';
import { outbox, postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { silentLogger } from '../../src/util/logger.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { drawn, siteOf } from './drawn.js';

describe('the page of the outbox', () => {
  let schema: TestSchema;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    schema = new TestSchema((await sharedPostgres()).url);
  });
  after(() => schema?.drop());

  it('says what waits in the database and for how long, and what the broker has refused', async () => {
    const pool = schema.pool({ max: 4 });
    const stores = postgresStores({ pool, schema: schema.name });
    const unmigrated = await drawn('outbox', siteOf({ outbox: stores.outbox }));
    assert.match(unmigrated.text, /the outbox's database does not answer: .*hopline stores/);

    await schema.connected((client) => migrate(client, schema.name));
    const bus = new Bus({
      service: 'shop',
      transport: memory(),
      stores,
      relayOutbox: true,
      log: silentLogger,
    });
    await outbox(bus, pool, { orderKey: 'order 7' }).send('nobody.takes', 1, { messageId: 'the lost one' });
    const site = siteOf({ outbox: stores.outbox });
    const waiting = await drawn<OutboxModel>('outbox', site);
    assert.deepEqual([waiting.model.waiting, waiting.model.isLate], [1, false]);
    assert.match(waiting.text, /Waiting 1 The oldest waits for \S+ (ms|s)/);

    await bus.start();
    try {
      await eventually(async () =>
        assert.equal((await drawn<OutboxModel>('outbox', site)).model.refused.length, 1),
      );
      const { text } = await drawn('outbox', site);
      assert.match(text, /nobody\.takes the lost one \d+ × order 7 .*nobody\.takes/);
    } finally {
      await bus.stop();
    }
  });

  const withBacklog = (lagMs: number, refused: readonly object[] = []) =>
    siteOf({
      outbox: { backlog: async () => ({ waiting: 1, lagMs, refused }) } as unknown as Site['outbox'],
    });

  it('says that nothing is published once the oldest waits for longer than a relay leaves it', async () => {
    assert.match(
      (await drawn('outbox', withBacklog(61_000))).text,
      /Nothing is being published from the outbox/,
    );
    assert.doesNotMatch((await drawn('outbox', withBacklog(59_000))).text, /Nothing is being published/);
    const refused = {
      id: '1',
      messageId: 'm',
      routingKey: 'k',
      orderKey: undefined,
      refusals: 3,
      error: '<b>no</b>',
    };
    const { html } = await drawn('outbox', withBacklog(3_600_000, [refused]));
    assert.doesNotMatch(html, /Nothing is being published|<b>/);
  });

  it('says how to give a store where none is given', async () => {
    assert.match((await drawn('outbox', siteOf({ outbox: undefined }))).text, /DATABASE_URL/);
  });
});
