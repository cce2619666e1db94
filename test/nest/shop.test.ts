import assert from 'node:assert/strict';
import { connect } from 'amqplib';
import { Program, run } from '../examples/program.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';

const QUEUES = ['shop.shipping', 'shop.notices'];

/** The program of the guide, as a process of its own. */
class Shop extends Program {
  constructor(amqpUrl: string, packingMs = 0) {
    super('nest/main.js', { amqpUrl, env: { PORT: '0', PACKING_MS: String(packingMs), NO_COLOR: '1' } });
  }

  async listening(): Promise<string> {
    const [, url] = await eventually(() => {
      const found = /shop listens at (\S+)/.exec(this.stdout);
      assert.ok(found, this.output);
      return found;
    });
    return (url as string).replace('[::1]', 'localhost');
  }
}

async function place(
  url: string,
  id: string,
  { total = 12, tenant }: { total?: number; tenant?: string } = {},
) {
  const response = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(tenant === undefined ? {} : { tenant }) },
    body: JSON.stringify({ id, total }),
  });
  return response.status;
}

const json = async (url: string) => (await fetch(url)).json();

describe('an application of Nest on RabbitMQ', function () {
  this.timeout(PROVIDE_TIMEOUT_MS);

  let amqpUrl: string;
  let shop: Shop | undefined;

  before(async () => {
    amqpUrl = (await sharedBroker()).url;
  });

  afterEach(async () => {
    shop?.signal('SIGKILL');
    await shop?.ended;
    await removeFromBroker(amqpUrl, { queues: QUEUES, prefix: 'shop' });
  });

  const messagesIn = async (queue: string): Promise<number> => {
    const connection = await connect(amqpUrl);
    try {
      const channel = await connection.createChannel();
      return (await channel.checkQueue(queue)).messageCount;
    } finally {
      await connection.close();
    }
  };

  it('handles behind guards and pipes what its controllers publish, and tells terminus of its health', async () => {
    shop = new Shop(amqpUrl);
    const url = await shop.listening();
    assert.equal(await place(url, 'A7', { tenant: 'acme' }), 201);
    assert.equal(await place(url, 'B8', { tenant: 'bolt', total: 400 }), 201);
    assert.equal(await place(url, 'of nobody'), 201);
    await eventually(async () => {
      const shipped = (await json(`${url}/shipments`)) as string[];
      assert.deepEqual(shipped.toSorted(), ['A7 for acme', 'B8 for bolt, insured']);
    });
    await eventually(() => assert.match(shop?.stdout ?? '', /LOG \[Notices\] order B8 is on its way/));
    await eventually(async () => assert.equal(await messagesIn('shop.shipping.dead'), 1));
    // The line of the refusal is Hopline's, through Nest's logger; Nest's own of what no filter takes is not there.
    assert.match(shop.output, /ERROR \[Hopline\] .*ForbiddenException/);
    assert.doesNotMatch(shop.output, /ExceptionsHandler/);
    const ready = (await json(`${url}/health/ready`)) as { status: string; details: Record<string, object> };
    assert.equal(ready.status, 'ok');
    const { status, state, connections } = ready.details.hopline as Record<string, unknown>;
    assert.deepEqual([status, state], ['up', 'started']);
    assert.equal((connections as unknown[]).length, 2);
    assert.doesNotMatch(JSON.stringify(ready), /guest/);
    assert.equal(((await json(`${url}/health/live`)) as { status: string }).status, 'ok');
  });

  it('ends on SIGTERM when its handler has ended, and publishes meanwhile; the rest waits for the next process', async () => {
    shop = new Shop(amqpUrl, 1_000);
    const url = await shop.listening();
    await place(url, 'A7', { tenant: 'acme' });
    await eventually(() => assert.match(shop?.stdout ?? '', /packing A7/));
    shop.signal('SIGTERM');
    const ready = async () => (await fetch(`${url}/health/ready`)).status;
    await eventually(async () => assert.equal(await ready(), 503));
    assert.equal(await place(url, 'B8', { tenant: 'bolt' }), 201);
    assert.equal(await shop.ended, 'SIGTERM', shop.output);
    assert.doesNotMatch(shop.output, /packing B8|left work behind/);
    assert.equal(await messagesIn('shop.shipping'), 1);
    assert.equal(await messagesIn('shop.notices'), 1);

    shop = new Shop(amqpUrl);
    const next = await shop.listening();
    await eventually(async () => assert.deepEqual(await json(`${next}/shipments`), ['B8 for bolt']));
    await eventually(() => assert.match(shop?.stdout ?? '', /order A7 is on its way/));
  });

  it('is tested in memory by node:test, as the guide shows', async () => {
    const { code, stdout, stderr } = await run('nest/shipping.test.js');
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /(#|ℹ) pass 2\n/);
  });
});
