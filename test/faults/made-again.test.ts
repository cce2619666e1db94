import assert from 'node:assert/strict';
import { PublishTimeoutError, rabbitmq } from '../../src/index.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

/** Reconnecting with backoff, and the delays declared anew on a busy machine. */
const BACK = { timeout: 40_000 };

describe('a topology that is made again under traffic', function () {
  this.timeout(120_000);
  let node: PrivateNode;
  let proxy: TcpProxy | undefined;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    await stopAll();
    await proxy?.close();
    proxy = undefined;
  });

  it('swallows no event that is published between an exchange and its bindings [row 50]', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(node.url, { prefix });
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
    // The more is to be declared, the longer it takes until all is bound.
    for (let index = 0; index < 10; index += 1)
      bus.handle(`other.${index}`, () => {}, { queue: uniqueName('other') });
    await bus.start();
    let stopped = false;
    let next = 0;
    const publisher = async () => {
      while (!stopped) await ledger.publish(bus, 'load', next++);
    };
    const publishing = Promise.all(Array.from({ length: 5 }, publisher));
    for (let deletions = 0; deletions < 3; deletions += 1) {
      const confirmed = ledger.confirms;
      await raw(node, (channel) => channel.deleteExchange(`${prefix}.events`));
      await eventually(() => ledger.confirms > confirmed + 200, BACK);
    }
    stopped = true;
    await publishing;
    await eventually(() => ledger.missing === 0, BACK);
    assert.deepEqual(ledger.errors, []);
    ledger.assertBalanced();
  });

  describe('by a service that only publishes, in a vhost that was deleted', () => {
    const vhost = uniqueName('vhost');

    async function remake(): Promise<void> {
      await node.ctl('add_vhost', vhost);
      await node.ctl('set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*');
    }

    beforeEach(remake);
    afterEach(() => node.ctl('delete_vhost', vhost));

    /** One that only publishes, and a subscriber that is slower to come back. */
    async function pair() {
      const behind = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
      proxy = behind;
      const prefix = uniqueName('prefix');
      const ledger = new Ledger();
      const subscriber = faultBus(`${through(behind, node)}/${vhost}`, { prefix }).bus;
      subscriber.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
      await subscriber.start();
      const url = `${node.url}/${vhost}`;
      const { bus } = faultBus(url, { prefix, transport: rabbitmq({ url, heartbeat: '1s' }) });
      await bus.start();
      await ledger.publish(bus, 'load', 0);
      await eventually(() => ledger.missing === 0);
      behind.stall('both');
      await node.ctl('delete_vhost', vhost);
      await remake();
      return { bus, ledger, prefix, behind };
    }

    const isThere = (exchange: string) =>
      raw({ url: `${node.url}/${vhost}` } as PrivateNode, (channel) => channel.checkExchange(exchange)).then(
        () => true,
        () => false,
      );

    it('waits for its subscribers with what comes back from an exchange that it had to make [row 50]', async () => {
      const { bus, ledger, prefix, behind } = await pair();
      const publishing = Promise.all(
        Array.from({ length: 50 }, (_, number) => ledger.publish(bus, 'load', number + 1)),
      );
      await eventually(() => isThere(`${prefix}.events`), BACK);
      behind.resume();
      behind.reset();
      await publishing;
      await eventually(() => ledger.missing === 0, BACK);
      assert.deepEqual(ledger.errors, []);
      ledger.assertBalanced();
    });

    it('says of an event that no queue has taken it, if its deadline comes first [row 50]', async () => {
      const { bus, prefix } = await pair();
      // What is on its way while the connection ends may be with the broker or not, and says so.
      await eventually(() => isThere(`${prefix}.events`), BACK);
      await assert.rejects(bus.publish('load', { number: 1 }, { deadline: '4s' }), (error) => {
        assert.ok(error instanceof PublishTimeoutError, String(error));
        assert.match(error.message, /no queue has taken 'load'/);
        return true;
      });
    });
  });
});
