import assert from 'node:assert/strict';
import { ConnectError, PublishRejectedError, rabbitmq, TopologyError } from '../../src/index.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('credentials', function () {
  this.timeout(90_000);
  const user = uniqueName('user');
  let node: PrivateNode;
  let password = 'first-Pa55';

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    await node.ctl('add_user', user, password);
  });

  beforeEach(() => node.ctl('set_permissions', user, '.*', '.*', '.*'));
  afterEach(stopAll);
  after(() => node?.ctl('delete_user', user));

  const urlWith = (its: string) => node.url.replace('guest:guest', `${user}:${its}`);

  it('that the broker refuses fail start() at once, and no password is told [row 8]', async () => {
    const { bus, log, events } = faultBus(urlWith('canary-Pa55'), { startDeadline: '60s' });
    const startedAt = performance.now();
    await assert.rejects(bus.start(), (error: ConnectError) => {
      assert.ok(error instanceof ConnectError);
      assert.match(error.message, /ACCESS_REFUSED/);
      assert.match(error.help, /Correct user and password of the url/);
      assert.doesNotMatch(
        JSON.stringify([error.message, error.help, error.stack, String(error.cause)]),
        /canary/,
      );
      return true;
    });
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 20_000, `${tookMs} ms, and the deadline is 60 s`);
    assert.doesNotMatch(JSON.stringify([log, events]), /canary/);
  });

  it('for a vhost that is not there, or not for them, fail start() at once [row 8]', async () => {
    const vhost = uniqueName('vhost');
    await node.ctl('add_vhost', vhost);
    try {
      for (const name of [vhost, uniqueName('nowhere')]) {
        const { bus, seen } = faultBus(`${urlWith(password)}/${name}`, { startDeadline: '60s' });
        await assert.rejects(
          bus.start(),
          /^ConnectError: 127\.0\.0\.1:\d+ does not open the vhost of the url: 530 NOT_ALLOWED/,
        );
        assert.ok(seen('connection.down').length <= 2, 'it is not tried again');
      }
    } finally {
      await node.ctl('delete_vhost', vhost);
    }
  });

  it('that are changed are asked for again until they are right, and nothing is lost [row 8]', async () => {
    const url = () => urlWith(password);
    const { bus, log, events, seen } = faultBus(node.url, { transport: rabbitmq({ url }) });
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
    await bus.start();
    await ledger.publish(bus, 'load', 0);
    const next = 'second-Pa55';
    await node.ctl('change_password', user, next);
    await node.ctl('close_all_connections', 'test');
    const refused = () => seen('connection.down').filter(({ error }) => /ACCESS_REFUSED/.test(error.message));
    await eventually(() => assert.ok(refused().length >= 4), { timeout: 20_000 });
    const publishing = Promise.all([1, 2, 3].map((number) => ledger.publish(bus, 'load', number)));
    password = next;
    await publishing;
    await eventually(() => ledger.missing === 0, { timeout: 30_000 });
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
    assert.ok(seen('connection.up').length >= 4, 'both came up, and came back');
    assert.doesNotMatch(JSON.stringify([log, events]), /first-Pa55|second-Pa55/);
  });

  it('that the url function can not bring yet are waited for until the deadline of start()', async () => {
    let asked = 0;
    const url = async () => {
      asked += 1;
      if (asked <= 4) throw new Error('the vault is sealed');
      return urlWith(password);
    };
    const { bus, seen } = faultBus(node.url, { transport: rabbitmq({ url }) });
    await bus.start();
    assert.equal(seen('connection.down').length, 4);
  });

  it('that the url function brings for another host than this machine are not those of guest', async () => {
    const url = () => 'amqp://guest:guest@rabbit.example.org';
    const { bus, seen } = faultBus(node.url, { transport: rabbitmq({ url }), startDeadline: '60s' });
    await assert.rejects(
      bus.start(),
      /^OptionsError: rabbitmq: the url function: expected url to name a user/,
    );
    assert.ok(seen('connection.down').length <= 2, 'it is not tried again');
  });

  describe('without the rights', () => {
    const limit = (configure: string, write: string, read: string) =>
      node.ctl('set_permissions', user, configure, write, read);

    it('to declare fail start() with the resource and the right that is missing [row 9]', async () => {
      await limit('^$', '.*', '.*');
      const { bus, seen } = faultBus(urlWith(password));
      const queue = uniqueName('queue');
      bus.handle('a', () => {}, { queue });
      await assert.rejects(bus.start(), (error: TopologyError) => {
        assert.ok(error instanceof TopologyError);
        assert.match(`${error.message} ${error.help}`, /configure on/);
        assert.ok(error.message.includes(error.resource));
        return true;
      });
      assert.equal(seen('topology.failed').length, 1);
    });

    it('to read a queue fail start() with the queue and the right [row 9]', async () => {
      const queue = uniqueName('queue');
      const prefix = uniqueName('prefix');
      const first = faultBus(node.url, { prefix });
      first.bus.handle('a', () => {}, { queue });
      await first.bus.start();
      await limit('^$', '.*', '^nothing$');
      const { bus } = faultBus(urlWith(password), { prefix, topology: 'verify' });
      bus.handle('a', () => {}, { queue });
      await assert.rejects(bus.start(), (error: TopologyError) => {
        assert.ok(error instanceof TopologyError, `${error}`);
        assert.equal(error.resource, `queue '${queue}'`);
        assert.match(`${error.message} ${error.help}`, new RegExp(`read '${queue}'`));
        return true;
      });
    });

    it('to read one queue any more lose that one alone, and get it back with the right [row 9]', async () => {
      const [taken, kept] = [uniqueName('taken'), uniqueName('kept')];
      const { bus, seen } = faultBus(urlWith(password));
      const ledgers = { taken: new Ledger(), kept: new Ledger() };
      bus.handle('taken', ({ number }) => ledgers.taken.handled(number), { queue: taken });
      bus.handle('kept', ({ number }) => ledgers.kept.handled(number), { queue: kept });
      await bus.start();
      await limit('.*', '.*', `^(?!${taken}$)`);
      await node.ctl('close_all_connections', 'test');
      const failures = () => seen('topology.failed').map(({ error }) => error as TopologyError);
      await eventually(() => assert.ok(failures().length > 0), { timeout: 20_000 });
      await Promise.all([1, 2].map((number) => ledgers.kept.publish(bus, 'kept', number)));
      await ledgers.taken.publish(bus, 'taken', 3);
      await eventually(() => ledgers.kept.missing === 0);
      assert.equal(ledgers.taken.missing, 1);
      for (const { resource, help } of failures()) {
        assert.equal(resource, `queue '${taken}'`);
        assert.equal(help, `Give the user the right to read '${taken}'.`);
      }
      await limit('.*', '.*', '.*');
      await eventually(() => ledgers.taken.missing === 0, { timeout: 30_000 });
      for (const ledger of Object.values(ledgers)) {
        ledger.assertBalanced();
        assert.deepEqual(ledger.errors, []);
      }
    });

    it('to write to an exchange say so of that publish, and others go on [row 9]', async () => {
      const prefix = uniqueName('prefix');
      const foreign = uniqueName('foreign');
      await raw(node, (channel) => channel.assertExchange(foreign, 'topic'));
      await limit('.*', `^(?!${foreign}$)`, '.*');
      const { bus } = faultBus(urlWith(password), { prefix });
      await bus.start();
      const elsewhere = { exchange: { name: foreign, declare: false } } as const;
      const [refused, ...others] = await Promise.allSettled([
        bus.publish('a', {}, elsewhere),
        ...[1, 2, 3].map((number) => bus.publish('a', { number })),
      ]);
      assert.deepEqual(
        others.map(({ status }) => status),
        Array(3).fill('fulfilled'),
      );
      assert.equal(refused?.status, 'rejected');
      const error = (refused as PromiseRejectedResult).reason;
      assert.ok(error instanceof PublishRejectedError, `${error}`);
      assert.match(error.message, new RegExp(`access to exchange '${foreign}'.* refused`));
      assert.match(error.help, new RegExp(`right to write to '${foreign}'`));
    });
  });
});
