import assert from 'node:assert/strict';
import { Bus, rabbitmq, TopologyError } from '../../src/index.js';
import { PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';

/** A node that has the plugin for consistent hashing, and none for `x-delayed-message`. */
describe('exchanges of types that plugins bring', function () {
  this.timeout(120_000);
  let node: PrivateNode;

  before(async () => {
    node = await PrivateNode.start({ name: 'plugins', plugins: ['rabbitmq_consistent_hash_exchange'] });
  });

  after(() => node?.stop());

  const busOf = (service: string) =>
    new Bus({ service, transport: rabbitmq({ url: node.url }), failureLog: false });

  it('lead all messages of a key to one queue, by the weights of the queues: x-consistent-hash', async () => {
    const exchange = {
      name: 'by-account',
      type: 'x-consistent-hash',
      arguments: { 'hash-header': 'account' },
    } as const;
    const got: Map<unknown, number>[] = [new Map(), new Map()];
    const buses = [undefined, '3'].map((key, index) =>
      busOf(`shop-${index}`).handle(
        '#',
        (_, { headers }) => {
          const counts = got[index] as Map<unknown, number>;
          counts.set(headers.account, (counts.get(headers.account) ?? 0) + 1);
        },
        { exchange, ...(key && { binding: { key } }) },
      ),
    );
    for (const bus of buses) await bus.start();
    const publishes: Promise<unknown>[] = [];
    for (const round of [1, 2])
      for (let account = 0; account < 500; account += 1)
        publishes.push(
          buses[0]?.publish(`any.key.${round}`, 1, { exchange, headers: { account: `${account}` } }) ??
            Promise.reject(new Error('no bus')),
        );
    await Promise.all(publishes);
    const counts = () => got.map((each) => [...each.values()]);
    await eventually(
      () =>
        assert.equal(
          counts()
            .flat()
            .reduce((sum, each) => sum + each, 0),
          1_000,
        ),
      { timeout: 60_000 },
    );
    assert.deepEqual([...new Set(counts().flat())], [2], 'both messages of an account went to one queue');
    const share = (got[1] as Map<unknown, number>).size / 500;
    assert.ok(share > 0.6 && share < 0.9, `${share} of the accounts, with three quarters of the weight`);
    for (const bus of buses) await bus.stop();
  });

  it('are a TopologyError that names the plugin, where the broker lacks it, and cost no other bus its messages', async () => {
    const exchange = {
      name: 'late',
      type: 'x-delayed-message',
      arguments: { 'x-delayed-type': 'direct' },
    } as const;
    const seen: unknown[] = [];
    const other = busOf('other').handle('k', (payload) => void seen.push(payload));
    await other.start();
    const refused = (error: unknown) => {
      assert.ok(error instanceof TopologyError, String(error));
      assert.equal(error.resource, "exchange 'late'");
      assert.match(error.help, /rabbitmq-plugins enable rabbitmq_delayed_message_exchange/);
      return true;
    };
    await assert.rejects(
      busOf('late')
        .handle('k', () => {}, { exchange })
        .start(),
      refused,
    );
    // By a publish too. Before RabbitMQ 4 the broker closes the connection for it, once.
    for (const round of [1, 2]) {
      await assert.rejects(other.publish('k', round, { exchange }), refused);
      await other.send('k', round);
    }
    await eventually(() => assert.deepEqual(seen, [1, 2]));
    await other.stop();
  });
});
