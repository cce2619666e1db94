import assert from 'node:assert/strict';
import { Bus, rabbitmq } from '../../src/index.js';
import type { PrivateNode } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { NextApplication } from './application.js';
import type { NextProcess } from './next-process.js';

const ROUTE = 'app/api/orders/route.ts';
const BUS = 'lib/bus.ts';
const ROUNDS = 5;

/** A compiler that has to begin, on a machine that does other things, too. */
const PATIENTLY = { timeout: 120_000 };

/** What a module looks like whose author has not read the guide. */
const NOT_KEPT = `
import { Bus, rabbitmq } from 'hopline';

const bus = new Bus({ service: 'shop', transport: rabbitmq({ url: process.env.AMQP_URL }) });

export async function startedBus(): Promise<Bus> {
  await bus.start();
  return bus;
}
`;

describe('the application of Next.js', function () {
  this.timeout(300_000);
  let node: PrivateNode;
  let app: NextApplication;
  let mailer: Bus;
  let running: NextProcess | undefined;
  let port = 0;
  const handled = new Set<string>();
  const sources = new Map<string, string>();

  before(async () => {
    node = await privateBroker();
    app = await NextApplication.install();
    for (const file of [ROUTE, BUS]) sources.set(file, await app.read(file));
    mailer = new Bus({ service: 'mailer', transport: rabbitmq({ url: node.url }) });
    mailer.handle('order.placed', (_order, { messageId }) => void handled.add(messageId ?? ''));
    await mailer.start();
  });

  afterEach(async () => {
    await running?.kill();
    running = undefined;
    for (const [file, source] of sources) await app.write(file, source);
  });

  after(async () => {
    await mailer?.stop();
    await app?.remove();
  });

  async function run(command: 'dev' | 'start'): Promise<NextProcess> {
    [port = 0] = await freePorts(1);
    const args = [command, '--port', String(port), '--hostname', '127.0.0.1'];
    const started = app.run(args, { AMQP_URL: node.url });
    running = started;
    return started;
  }

  /** Places an order, and says which round's code has answered. */
  async function order(): Promise<{ readonly messageId: string; readonly round: string | null }> {
    const response = await fetch(`http://127.0.0.1:${port}/api/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"number":"A7"}',
    });
    const text = await response.text();
    assert.equal(response.status, 202, text.slice(0, 500));
    return { messageId: JSON.parse(text).messageId, round: response.headers.get('x-round') };
  }

  /** Changes both modules, as one who develops does, and places orders until the new code answers. */
  async function reload(round: number): Promise<void> {
    const route = sources.get(ROUTE) ?? '';
    const marked = route.replace('status: 202', `status: 202, headers: { 'x-round': '${round}' }`);
    assert.notEqual(marked, route);
    await app.write(ROUTE, marked);
    await app.write(BUS, `${await app.read(BUS)}// ${round}\n`);
    await eventually(async () => assert.equal((await order()).round, String(round)), PATIENTLY);
  }

  /** What the connections of the application's process are for, as the broker lists them. */
  async function connections(): Promise<string[]> {
    const listed = await node.ctl('list_connections', '--no-table-headers', 'client_properties');
    return [...listed.matchAll(/"hopline shop (\w+)"/g)].map(([, role]) => role ?? '');
  }

  it('publishes on one connection, however often next dev loads it again', async () => {
    const dev = await run('dev');
    const { messageId } = await eventually(order, PATIENTLY);
    await eventually(() => assert.ok(handled.has(messageId)));
    for (let round = 1; round <= ROUNDS; round += 1) {
      await reload(round);
      assert.deepEqual(await connections(), ['publish']);
    }
    assert.doesNotMatch(dev.output, /hopline warn/);
  });

  it('is warned of buses that nobody keeps: each reload makes one', async () => {
    await app.write(BUS, NOT_KEPT);
    const dev = await run('dev');
    await eventually(order, PATIENTLY);
    for (let round = 1; round <= 2; round += 1) await reload(round);
    assert.deepEqual(await connections(), ['publish', 'publish', 'publish']);
    assert.match(dev.output, /another bus of this service runs in this process.*"running":3/);
  });

  it('is built without a broker, and publishes on one connection under next start', async () => {
    const build = app.run(['build']);
    running = build;
    assert.equal(await build.ended, 0, build.output);
    const server = await run('start');
    const { messageId } = await eventually(order, PATIENTLY);
    await Promise.all(Array.from({ length: 20 }, order));
    await eventually(() => assert.ok(handled.has(messageId)));
    assert.deepEqual(await connections(), ['publish']);
    await server.terminate();
    await eventually(async () => assert.deepEqual(await connections(), []));
  });
});
