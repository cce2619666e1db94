import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { outbox, postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { Choices } from '../chaos/random.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';
import type { Transfer } from './transfer-process.js';

const ACCOUNTS = 10;
const BALANCE = 1_000;
const TRANSFERS = 600;
const KILLS = 8;
const SEED = 7;

/** Workers that are killed and started again, one after the other. */
class Workers {
  private readonly children = new Set<ReturnType<typeof fork>>();

  constructor(private readonly args: readonly string[]) {}

  async add(): Promise<void> {
    const child = fork(fileURLToPath(new URL('./transfer-process.js', import.meta.url)), this.args);
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
  }

  /** Kills one that runs, whatever it does, and starts another. */
  async replaceOne(choices: Choices): Promise<void> {
    const all = [...this.children];
    await this.kill(all[choices.integer(0, all.length - 1)]);
    await this.add();
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.children].map((child) => this.kill(child)));
  }

  private async kill(child: ReturnType<typeof fork> | undefined): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

describe('transfers between accounts, through outbox and inbox', function () {
  this.timeout(180_000);
  let node: PrivateNode;
  let schema: TestSchema;
  let workers: Workers;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected(async (client) => {
      await migrate(client, schema.name);
      await client.query(`
        CREATE TABLE ${schema.name}.accounts (id integer PRIMARY KEY, balance integer NOT NULL);
        INSERT INTO ${schema.name}.accounts SELECT id, ${BALANCE} FROM generate_series(1, ${ACCOUNTS}) AS id;
        CREATE TABLE ${schema.name}.transit (id integer NOT NULL, amount integer NOT NULL);
        CREATE TABLE ${schema.name}.deposits (id integer NOT NULL);`);
    });
  });

  afterEach(async () => {
    await workers?.killAll();
    await stopAll();
  });

  after(() => schema?.drop());

  /** All money, wherever it is, in one snapshot. */
  async function sum(): Promise<number> {
    const [row] = await schema.rows<{ sum: string }>(`
      SELECT (SELECT sum(balance) FROM ${schema.name}.accounts)
        + (SELECT coalesce(sum(amount), 0) FROM ${schema.name}.transit) AS sum`);
    return Number(row?.sum);
  }

  const count = async (table: string): Promise<number> => {
    const [row] = await schema.rows<{ count: string }>(`SELECT count(*) FROM ${schema.name}.${table}`);
    return Number(row?.count);
  };

  it('are made once each, and never change the sum, with duplicates, workers and the broker killed', async () => {
    const service = uniqueName('bank');
    const choices = new Choices(SEED);
    const pool = schema.pool({ max: 2 });
    const { bus } = faultBus(node.url, {
      ...{ service: uniqueName('desk'), prefix: service, publishDeadline: '90s' },
      stores: postgresStores({ pool, schema: schema.name }),
    });
    workers = new Workers([node.url, service, schema.url, schema.name]);
    await Promise.all([workers.add(), workers.add()]);
    // 3.10 forgets a quorum queue that was declared less than a second before a kill -9.
    await node.sync();
    await bus.start();

    let isOver = false;
    const sums = new Set<number>();
    const watching = (async () => {
      while (!isOver) {
        sums.add(await sum());
        await pause(10); // the database has something else to do, too
      }
    })();
    try {
      const request = async (id: number) => {
        const [from, to] = [choices.integer(1, ACCOUNTS), choices.integer(1, ACCOUNTS)];
        const transfer: Transfer = { id, from, to, amount: choices.integer(1, 50) };
        const options = { messageId: `transfer-${id}` };
        await outbox(bus, pool).send('transfer.requested', transfer, options);
        // Duplicates: by the broker's own way, and by another row of the outbox.
        if (id % 3 === 0) await outbox(bus, pool).send('transfer.requested', transfer, options);
        if (id % 5 === 0) await bus.send('transfer.requested', transfer, options);
      };
      for (let id = 1; id <= TRANSFERS; id += 1) {
        await request(id);
        if (id % (TRANSFERS / KILLS) === 0) await workers.replaceOne(choices);
        if (id === TRANSFERS / 2) {
          await node.kill();
          await node.restart();
        }
      }
      await eventually(async () => assert.equal(await count('deposits'), TRANSFERS), { timeout: 120_000 });
      // Until what came twice has been skipped, too.
      await eventually(async () => assert.equal((await bus.outboxBacklog()).waiting, 0));
      const queues = ['withdraw', 'deposit'].map((name) => `${service}.${name}`);
      await eventually(async () => {
        const lines = (await node.ctl('list_queues', '--quiet', 'name', 'messages')).split('\n');
        const left = lines.map((line) => line.split('\t')).filter(([name]) => queues.includes(name ?? ''));
        assert.deepEqual(
          left.map(([, messages]) => messages),
          ['0', '0'],
        );
      });
    } finally {
      isOver = true;
      await watching;
    }
    assert.deepEqual([...sums], [ACCOUNTS * BALANCE]);
    assert.equal(await count('transit'), 0);
    const twice = await schema.rows(`SELECT id FROM ${schema.name}.deposits GROUP BY id HAVING count(*) > 1`);
    assert.deepEqual(twice, []);
    assert.equal(await count('deposits'), TRANSFERS);
    const dead = await node.ctl('list_queues', '--quiet', 'name', 'messages');
    assert.doesNotMatch(dead, new RegExp(`${service}\\.\\w+\\.dead\\t[1-9]`));
  });
});
