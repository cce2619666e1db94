import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Bus, rabbitmq } from '../../src/index.js';
import { outbox, postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker, sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { hopline, hoplineHere, MAIN } from './command.js';

describe('hopline outbox', function () {
  this.timeout(60_000);
  let schema: TestSchema;
  let prefix: string;
  let url: string;
  let bus: Bus;
  const seen: unknown[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    schema = new TestSchema((await sharedPostgres()).url);
    ({ url } = await sharedBroker());
    prefix = schema.name;
    await schema.connected((client) => migrate(client, schema.name));
    const stores = postgresStores({ pool: schema.pool(), schema: schema.name });
    bus = new Bus({ service: `${prefix}.shop`, prefix, transport: rabbitmq({ url }), stores });
    bus.handle('taken', (payload) => void seen.push(payload));
    await bus.start();
  });
  after(async () => {
    await bus?.stop();
    await schema?.drop();
    await removeFromBroker(url, { queues: [`${prefix}.shop`], prefix });
  });

  const env = () => ({ DATABASE_URL: schema.url, AMQP_URL: url });
  const status = async (...more: string[]) =>
    hoplineHere(['outbox', 'status', '--schema', schema.name, ...more], { env: env() });

  it('status says what waits, relay publishes it until a signal comes, and what it can not is told', async () => {
    const pool = schema.pool();
    await outbox(bus, pool).send('taken', 1);
    await outbox(bus, pool, { orderKey: 'order 7' }).send('nobody', 2, { messageId: 'the lost one' });
    const before = await status();
    assert.match(before.stdout, /^2 waiting, the oldest for \S+\n$/, before.stderr);

    const args = [MAIN, 'outbox', 'relay', '--schema', schema.name, '--prefix', prefix];
    const relay = spawn(process.execPath, args, { env: { ...process.env, ...env() }, stdio: 'pipe' });
    let log = '';
    for (const stream of [relay.stdout, relay.stderr]) stream.on('data', (chunk) => (log += chunk));
    try {
      await eventually(() => assert.deepEqual(seen, [1]), { timeout: 20_000 });
      await eventually(() => assert.match(log, /a message of the outbox cannot be published/));
      // Later than the look that it would take otherwise: it is woken.
      await outbox(bus, pool).send('taken', 3);
      await eventually(() => assert.deepEqual(seen, [1, 3]));
      await eventually(async () =>
        assert.match(
          (await status()).stdout,
          /^1 waiting, the oldest for \S+\n\d+ {2}nobody {2}the lost one {2}refused \d+ times, holds up 'order 7': .*no queue/,
        ),
      );
      const { refused } = JSON.parse((await status('--json')).stdout);
      assert.equal(refused[0].messageId, 'the lost one');
    } finally {
      relay.kill('SIGTERM');
      await once(relay, 'close');
    }
    assert.equal(relay.exitCode, 0, log);
    assert.match(log, /relaying the outbox/);
    assert.doesNotMatch(log, /guest:guest/);
  });

  it('relay ends at once where the tables are not', async () => {
    const args = ['outbox', 'relay', '--schema', `${schema.name}_not`];
    const { code, stderr } = await hopline(args, { env: env() });
    assert.equal(code, 1);
    assert.match(stderr, /outbox is not in the database/);
    assert.match(stderr, /hopline stores migrate --schema/);
  });
});
