import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Bus, type BusOptions, rabbitmq, UnrecoverableError } from '../../src/index.js';
import type { Alerts } from '../../src/observe/alerts/alerts.js';
import { alerts } from '../../src/observe/alerts/bus-alerts.js';
import type { AlertRule } from '../../src/observe/alerts/rules/rule.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { outbox, postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { systemClock } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedBroker, sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { Told } from './told.js';

describe('alerts of a process fire and clear on RabbitMQ, through webhook and bus', function () {
  this.timeout(120_000);
  let url: string;
  let prefix: string;
  let queue: string;
  let told: Told;
  let buses: Bus[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
  });

  beforeEach(async () => {
    prefix = `alerts-${randomBytes(4).toString('hex')}`;
    queue = `${prefix}.work`;
    buses = [];
    told = await Told.start(url, prefix);
  });

  afterEach(async () => {
    await Promise.all(buses.map((bus) => bus.stop({ cancel: true }).catch(() => {})));
    await told.stop();
    await removeFromBroker(url, { queues: [queue, `${prefix}.told`], prefix });
  });

  function busWith(options: Partial<BusOptions> = {}): Bus {
    const transport = rabbitmq({ url });
    const bus = new Bus({
      service: prefix,
      prefix,
      transport,
      failureLog: false,
      log: silentLogger,
      ...options,
    });
    buses.push(bus);
    return bus;
  }

  const watched = (bus: Bus, ...rules: AlertRule[]): Alerts =>
    alerts(bus, {
      rules,
      defaults: false,
      every: '100ms',
      webhooks: [{ url: told.receiver.url }],
      publish: true,
      log: silentLogger,
    });

  it('the oldest message', async () => {
    const gate = deferred();
    const bus = busWith({ concurrency: 1 }).handle('work', () => gate.promise, { queue });
    watched(bus, `oldest > 1s on ${queue}`);
    await bus.start();
    for (let number = 0; number < 3; number += 1) await bus.publish('work', number);
    await told.fires(`oldest ${queue}`);
    gate.resolve();
    await told.clears(`oldest ${queue}`);
  });

  it('the share of failed attempts, and dead letters', async () => {
    const options = { queue, name: 'Work', retry: { tries: 1 } };
    const handle = (fails: unknown) => {
      if (fails) throw new UnrecoverableError('no');
    };
    const bus = busWith().handle('work', handle, options);
    watched(
      bus,
      `failure_rate > 40% within 2s at least 5 on ${queue}`,
      `dead_letters > 0 within 2s on ${queue}`,
    );
    await bus.start();
    for (let number = 0; number < 10; number += 1) await bus.publish('work', true);
    await told.fires(`failure_rate ${queue}/Work`);
    await told.fires(`dead_letters ${queue}`);
    await told.clears(`failure_rate ${queue}/Work`);
    await told.clears(`dead_letters ${queue}`);
  });

  it('a handler that runs beyond its timeout', async () => {
    const gate = deferred();
    const options = { queue, name: 'Work', timeout: '300ms', retry: { tries: 1 } } as const;
    const bus = busWith({ timeoutGrace: '100ms' }).handle('work', () => gate.promise, options);
    watched(bus, `overrun > 500ms on ${queue}`);
    await bus.start();
    await bus.publish('work', 1);
    await told.fires(`overrun ${queue}/Work`);
    gate.resolve();
    await told.clears(`overrun ${queue}/Work`);
  });

  it('silence where there always is traffic', async () => {
    const bus = busWith().handle('work', () => {}, { queue });
    watched(bus, `silence > 1s on ${queue}`);
    await bus.start();
    await bus.publish('work', 1);
    await told.fires(`silence ${queue}`);
    await bus.publish('work', 2);
    await told.clears(`silence ${queue}`);
  });

  it('the lag of the outbox', async () => {
    const schema = new TestSchema((await sharedPostgres()).url);
    try {
      const stores = postgresStores({ pool: schema.pool({ max: 3 }), schema: schema.name });
      await schema.connected((client) => migrate(client, schema.name));
      const bus = busWith({ stores, relayOutbox: false });
      watched(bus, 'outbox_lag > 1s');
      await bus.start();
      await outbox(bus, schema.pool()).publish('work', 1);
      await told.fires('outbox_lag outbox');
      await busWith({ service: `${prefix}-relay`, stores, relayOutbox: true }).start();
      await told.clears('outbox_lag outbox');
      await Promise.all(buses.map((each) => each.stop()));
    } finally {
      await schema.drop();
    }
  });

  it('an overdue batch', async () => {
    const redis: TestRedis = await provideRedis();
    const client = new Redis(redis.url);
    try {
      const { batches } = redisStores({ client, keyPrefix: prefix });
      if (!batches) throw new Error('Redis keeps batches');
      const bus = busWith({ stores: { ...memoryStores(systemClock), batches } });
      watched(bus, 'overdue_batches > 0 for 0s');
      await bus.start();
      const batch = {
        id: 'a',
        name: 'a',
        service: prefix,
        allowsFailures: false,
        notifications: '{}',
        keepMs: 120_000,
      };
      await batches.open(batch);
      await batches.seal('a');
      // Overdue is what was decided half a minute ago.
      await told.fires('overdue_batches batches');
      for (const notification of ['then', 'finally'] as const) await batches.sent('a', notification);
      await told.clears('overdue_batches batches');
      await Promise.all(buses.map((each) => each.stop()));
    } finally {
      const keys = await client.keys(`*${prefix}*`);
      if (keys.length > 0) await client.del(keys);
      client.disconnect();
      await redis.stop();
    }
  });
});
