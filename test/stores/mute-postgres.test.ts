import assert from 'node:assert/strict';
import type pg from 'pg';
import { StoreTimeoutError } from '../../src/errors.js';
import type { OutboxEntry } from '../../src/stores/outbox.js';
import { PostgresInbox } from '../../src/stores/postgres/inbox.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PostgresOutbox } from '../../src/stores/postgres/outbox/outbox.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const WITHIN_MS = 200;
const ENTRY: OutboxEntry = { messageId: 'a', routingKey: 'k', orderKey: 'key', message: 'a' };

describe('a connection to PostgreSQL that has gone mute', () => {
  let schema: TestSchema;
  let proxy: TcpProxy;
  let pool: pg.Pool;
  let outbox: PostgresOutbox;
  let inbox: PostgresInbox;

  beforeEach(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
    const url = new URL(schema.url);
    proxy = await TcpProxy.start({ host: url.hostname, port: Number(url.port || 5432) });
    url.host = `127.0.0.1:${proxy.port}`;
    pool = schema.pool({ connectionString: url.href });
    outbox = new PostgresOutbox(pool, schema.name, WITHIN_MS);
    inbox = new PostgresInbox(pool, schema.name, outbox, WITHIN_MS);
  });
  afterEach(async () => {
    await proxy.close();
    await schema.drop();
  });

  /** It is given up in time, and its connection with it. */
  async function isGivenUp(asking: Promise<unknown>): Promise<void> {
    await assert.rejects(asking, StoreTimeoutError);
    await eventually(() => assert.equal(pool.totalCount, 0));
  }

  /** Nothing that is asked of a table is answered meanwhile. */
  async function whileLocked(table: string, work: () => Promise<void>): Promise<void> {
    await schema.connected(async (client) => {
      await client.query(`BEGIN; LOCK TABLE "${schema.name}".${table} IN ACCESS EXCLUSIVE MODE`);
      await work();
      await client.query('ROLLBACK');
    });
  }

  it('is given up by a relay that has published, and what it has taken is taken again', async () => {
    await outbox.add(pool, [ENTRY]);
    const relaying = outbox.relay(10, async (entries) => {
      proxy.stall('both');
      return { published: entries.map(({ id }) => id), refused: [] };
    });
    await isGivenUp(relaying);
    proxy.reset();
    proxy.resume();
    await eventually(async () => {
      const taken = await outbox.relay(10, async (entries) => ({
        published: entries.map(({ id }) => id),
        refused: [],
      }));
      assert.equal(taken, 1);
    });
  });

  it('is given up by a relay that takes, and by who asks what waits', async () => {
    await whileLocked('outbox', async () => {
      await isGivenUp(outbox.relay(10, async () => ({ published: [], refused: [] })));
      await isGivenUp(outbox.backlog());
    });
  });

  it('is given up by who wants to be told of what is added', async () => {
    await outbox.backlog();
    proxy.stall('both');
    await isGivenUp(outbox.listen(() => {}));
  });

  it('is given up by who is told of what is added, and asks for that again', async () => {
    const listening = await outbox.listen(() => {});
    assert.equal(await listening.rest(), true);
    proxy.stall('both');
    await isGivenUp(listening.rest());
    assert.equal(listening.isOn, false);
  });

  it('is given up by an inbox that looks for what was handled, before the handler has begun', async () => {
    await whileLocked('claims', () => isGivenUp(inbox.begin('key', 1_000, '')));
  });

  it('is given up when a transaction is to be committed, and when it is to be rolled back', async () => {
    const committed = await inbox.begin('key', 1_000, '');
    assert.ok(typeof committed === 'object' && 'commit' in committed);
    proxy.stall('both');
    // Nobody knows then whether it is.
    await isGivenUp(committed.commit().then((unanswered) => Promise.reject(unanswered)));
    await committed.rollBack();
    proxy.reset();
    proxy.resume();
    const other = await inbox.begin('other key', 1_000, '');
    assert.ok(typeof other === 'object' && 'commit' in other);
    proxy.stall('both');
    await other.rollBack();
    await eventually(() => assert.equal(pool.totalCount, 0));
  });
});
