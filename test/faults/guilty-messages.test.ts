import assert from 'node:assert/strict';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { FrameProxy } from '../support/frame-proxy.js';
import { privateBroker } from '../support/private-broker.js';
import { deadLettersOf, faultBus, stopAll, through, uniqueName } from './fixture.js';

describe('a message that ends its connection', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let proxy: FrameProxy;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  beforeEach(async () => {
    proxy = await FrameProxy.start({ host: '127.0.0.1', port: node.port });
  });

  afterEach(async () => {
    await stopAll();
    await proxy.close();
  });

  it('with a type of header that the client library does not read is handled, in one frame or in many [row 47]', async () => {
    const { bus, seen } = faultBus(through(proxy, node));
    const handled: unknown[] = [];
    bus.handle('k', (payload, { headers }) => void handled.push([String(payload).length, headers.big]), {
      queue: uniqueName('queue'),
    });
    await bus.start();
    // The other tag of a 64-bit number: the client library writes only one of them.
    proxy.replace(Buffer.from('\x03bigl'), Buffer.from('\x03bigL'));
    const long = 'x'.repeat(300_000);
    for (const payload of ['short', long]) await bus.publish('k', payload, { headers: { big: 2 ** 40 } });
    await eventually(() => assert.equal(handled.length, 2));
    assert.deepEqual(handled, [
      [5, 2 ** 40],
      [300_000, 2 ** 40],
    ]);
    assert.deepEqual(seen('connection.down'), []);
  });

  it('with a header that nobody can read is dead-lettered as undecodable, and its connection lives [row 47]', async () => {
    const { bus, seen } = faultBus(through(proxy, node));
    const queue = uniqueName('queue');
    const handled: unknown[] = [];
    bus.handle('k', (payload) => void handled.push(payload), { queue });
    await bus.start();
    proxy.replace(Buffer.from('\x03bigl'), Buffer.from('\x03big?'));
    const headers = { first: 'readable', big: 2 ** 40 };
    await bus.publish('k', 'odd', { headers });
    await bus.publish('k', 'good');
    await eventually(() => assert.deepEqual(handled, ['good']));
    await eventually(async () => assert.equal(await deadLettersOf(node, queue), 1));
    const [letter] = seen('message.deadLettered');
    assert.equal(letter?.reason, 'undecodable');
    assert.equal(letter?.queue, queue);
    assert.match(String(letter?.error), /its header "big" can't be read/);
    assert.deepEqual(seen('connection.down'), []);
  });
});
