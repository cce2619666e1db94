import assert from 'node:assert/strict';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { run } from '../examples/program.js';
import { PROVIDE_TIMEOUT_MS, PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { buildShop, type Handled, ShopProcess } from './shop.js';

const A_MINUTE = 60_000;

/** The parts that consume, in the order in which they move: their queues, and the keys of these. */
const MOVES = [
  { part: 'billing', from: 'billing', to: 'shop.billing', keys: ['order.placed', 'order.*.refunded'] },
  { part: 'mailer', from: 'mailer', to: 'shop.mailer', keys: ['order.placed'] },
  { part: 'quotes', from: 'quotes', to: 'shop.quotes.requests', keys: ['quote.get'] },
];

describe('a shop that moves from golevelup to Hopline', function () {
  this.timeout(4 * A_MINUTE);
  let node: PrivateNode;
  let connection: ChannelModel;
  let channel: Channel;
  let shops: Set<ShopProcess>;
  let handled: Handled[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS + A_MINUTE);
    [node] = await Promise.all([PrivateNode.start({ name: 'moving' }), buildShop()]);
    connection = await connect(node.url);
    channel = await connection.createChannel();
  });

  after(async () => {
    await connection?.close();
    await node?.stop();
  });

  beforeEach(() => {
    shops = new Set();
    handled = [];
  });

  afterEach(async () => {
    await Promise.all([...shops].map((shop) => shop.stop()));
  });

  async function deploy(parts: Readonly<Record<string, string>>): Promise<ShopProcess> {
    const exchanges = MOVES.filter(({ part }) => parts[part] === 'moving').map(({ part, from }) => [
      `${part.toUpperCase()}_EXCHANGE`,
      `${from}.moving`,
    ]);
    const shop = await ShopProcess.start(
      Object.entries(parts).map(([part, step]) => `${part}=${step}`),
      { AMQP_URL: node.url, ...Object.fromEntries(exchanges) },
      (one) => handled.push(one),
    );
    shops.add(shop);
    return shop;
  }

  async function end(shop: ShopProcess): Promise<void> {
    shops.delete(shop);
    await shop.stop();
  }

  async function moveQueue(step: 'switch' | 'finish', { from, to, keys }: (typeof MOVES)[number]) {
    const flags = [
      '--exchange',
      'shop',
      '--from',
      from,
      '--to',
      to,
      ...keys.flatMap((key) => ['--key', key]),
    ];
    const { code, stderr } = await run('from-golevelup/move-queue.js', {
      args: [step, ...flags],
      env: { AMQP_URL: node.url },
    });
    assert.equal(code, 0, stderr);
  }

  it('moves queue by queue while both publish and ask: each message is handled once, each request answered', async () => {
    const parts: Record<string, string> = { billing: 'golevelup', mailer: 'golevelup', quotes: 'golevelup' };
    let shop = await deploy(parts);
    const redeploy = async (part: string, step: string): Promise<void> => {
      parts[part] = step;
      const next = await deploy(parts);
      await end(shop);
      shop = next;
    };
    const checkout = await deploy({ checkout: 'moving' });
    checkout.startTraffic();
    await eventually(() => handled.length > 100);
    for (const move of MOVES) {
      await redeploy(move.part, 'moving');
      await moveQueue('switch', move);
      await eventually(async () => (await channel.checkQueue(move.from)).messageCount === 0);
      const ofHopline = () => handled.filter(({ part, by }) => part === move.part && by === 'hopline').length;
      await eventually(() => ofHopline() > 20);
      await redeploy(move.part, 'hopline');
      await moveQueue('finish', move);
    }
    const { placed, quoted, wrong } = await checkout.stopTraffic();
    assert.deepEqual(wrong, []);
    const idsOf = (name: string) => handled.filter(({ part }) => part === name).map(({ id }) => id);
    await eventually(
      () => idsOf('billing').length >= placed.length && idsOf('mailer').length >= placed.length,
    );
    const inOrder = (ids: readonly number[]) => [...ids].sort((a, b) => a - b);
    assert.deepEqual(inOrder(idsOf('billing')), placed);
    assert.deepEqual(inOrder(idsOf('mailer')), placed);
    assert.deepEqual(inOrder(idsOf('quotes')), quoted);
  });
});
