import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { Bus, memory } from '../../src/index.js';
import { prometheus } from '../../src/observe/prometheus/index.js';
import { outbox, postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { silentLogger } from '../../src/util/logger.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';

describe('metrics of an outbox', function () {
  this.timeout(PROVIDE_TIMEOUT_MS);
  let schema: TestSchema;

  beforeEach(async () => {
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  afterEach(() => schema.drop());

  it('tell what waits and for how long, whoever relays it, and what was relayed', async () => {
    const pool = schema.pool({ max: 4, application_name: schema.name });
    const stores = postgresStores({ pool, schema: schema.name });
    const register = new Registry();
    const busOf = (relayOutbox: boolean) =>
      new Bus({ service: 'svc', transport: memory(), stores, relayOutbox, log: silentLogger });
    const waiting = busOf(false);
    prometheus(waiting, { register });
    await waiting.start();
    const valueIn = async (name: string) =>
      Number(
        new RegExp(`^hopline_${name}\\{service="svc"\\} (\\S+)$`, 'm').exec(await register.metrics())?.[1],
      );
    assert.equal(await valueIn('outbox_messages'), 0);
    await outbox(waiting, pool).publish('a.key', 1);
    await outbox(waiting, pool).publish('a.key', 2);
    await eventually(async () => (await valueIn('outbox_lag_seconds')) > 0.05);
    assert.equal(await valueIn('outbox_messages'), 2);
    assert.equal(await valueIn('outbox_relayed_total'), 0);
    const relay = busOf(true);
    prometheus(relay, { register });
    await relay.start();
    await eventually(async () => assert.equal(await valueIn('outbox_relayed_total'), 2));
    await eventually(async () => assert.equal(await valueIn('outbox_messages'), 0));
    assert.equal(await valueIn('outbox_lag_seconds'), 0);
    assert.equal(await valueIn('scrape_errors_total'), Number.NaN);
    await Promise.all([waiting.stop(), relay.stop()]);
  });
});
