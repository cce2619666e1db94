import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Channel, connect } from 'amqplib';
import type { BusOptions } from '../../src/bus/options.js';
import { permissionLines, usersOf } from '../../src/cli/topology/permissions.js';
import { type Bus, defineRequest, rabbitmq } from '../../src/index.js';
import { openControl } from '../../src/operate.js';
import type { Occasion } from '../../src/topology/rights.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';

const PASSWORD = 'of-the-test';

const Price = defineRequest<string, string>('price.get');

describe('the rights that hopline topology permissions prints', function () {
  this.timeout(120_000);
  const vhost = uniqueName('vhost');
  const service = uniqueName('shop');
  const queues = { orders: `${service}.orders`, mail: `${service}.mail`, other: uniqueName('other') };
  const operator = uniqueName('operator');
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    await node.ctl('add_vhost', vhost);
    await node.ctl('set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*');
    await node.ctl('add_user', service, PASSWORD);
    await node.ctl('add_user', operator, PASSWORD);
  });

  after(async () => {
    await node?.ctl('delete_vhost', vhost);
    await node?.ctl('delete_user', service);
    await node?.ctl('delete_user', operator);
  });

  afterEach(stopAll);

  const urlAs = (user: string) => `${node.url.replace(/\/\/.*@/, `//${user}@`)}/${vhost}`;

  /** The service, with an account of what its handlers got. */
  function shop(options: Partial<BusOptions> = {}): {
    bus: Bus;
    handled: string[];
    letters: string[];
    log: string[];
  } {
    const { bus, log } = faultBus(urlAs(`${service}:${PASSWORD}`), { service, prefix: 'app', ...options });
    const handled: string[] = [];
    const letters: string[] = [];
    bus.handle(
      'order.*',
      (what, { attempt }) => {
        handled.push(`${what} ${attempt}`);
        if (what === 'retried' && attempt === 1) throw new Error('again');
      },
      {
        queue: { name: queues.orders, lanes: ['high', 'default'] },
        retry: { tries: 2, backoff: '100ms' },
      },
    );
    bus.handle(
      'mail.#',
      (what, { attempt }) => {
        handled.push(`${what} ${attempt}`);
        throw new Error('no mailbox');
      },
      { queue: { name: queues.mail, type: 'classic' }, retry: { tries: 2, backoff: '100ms' } },
    );
    bus.handle(
      'config.#',
      (what, { attempt }) => {
        handled.push(`${what} ${attempt}`);
        if (attempt === 1) throw new Error('again');
      },
      { each: 'process', name: 'Reload', retry: { tries: 2, backoff: '100ms' } },
    );
    bus.on('message.deadLettered', ({ queue }) => letters.push(queue));
    return { bus, handled, letters, log };
  }

  const inForce = new Set<string>();

  /** Runs the printed lines, as a shell reads them; those for the delays once, when the exchanges are there. */
  async function allow(occasion: Occasion): Promise<void> {
    const users = usersOf([shop().bus.describe()], { vhost, occasions: [occasion] });
    for (const line of users.flatMap(permissionLines)) {
      const isLater = occasion === 'first' && line.includes('set_topic_permissions');
      if (inForce.has(line) || isLater) continue;
      inForce.add(line);
      const words = `rabbitmqctl() { printf '%s\\0' "$@"; }\n${line}`;
      const { stdout } = await promisify(execFile)('sh', ['-c', words]);
      if (stdout !== '') await node.ctl(...stdout.split('\0').slice(0, -1));
    }
  }

  /** Everything that a service does. */
  async function works(options: Partial<BusOptions> = {}): Promise<void> {
    const { bus, handled, letters, log } = shop(options);
    await bus.start();
    assert.deepEqual(log, [], 'it hears operators, among others');
    await bus.publish('order.a', 'published');
    await bus.send('order.a', 'sent');
    await bus.send('order.a', 'in a lane', { lane: 'high' });
    await bus.publish('order.a', 'published later', { delay: '100ms' });
    await bus.send('order.a', 'sent later', { delay: '1s' });
    await bus.send('order.a', 'in a lane later', { delay: '100ms', lane: 'high' });
    await bus.publish('order.a', 'retried');
    await bus.publish('mail.a', 'dead');
    await bus.publish('config.a', 'a copy');
    await bus.publish('config.a', 'a copy later', { delay: '100ms' });
    await bus.publish('nobody.cares', 'dropped', { delay: '100ms' });
    const wanted = [
      ...['a copy 1', 'a copy 2', 'a copy later 1', 'a copy later 2'],
      'dead 1',
      'dead 2',
      'in a lane 1',
      'in a lane later 1',
      'published 1',
      'published later 1',
      'retried 1',
      'retried 2',
      'sent 1',
      'sent later 1',
    ];
    await eventually(() => assert.deepEqual([...handled].sort(), wanted), { timeout: 40_000 });
    await eventually(() => assert.deepEqual(letters, [queues.mail]));
    await hears();
    await bus.stop();
  }

  /** An operator, with the rights that docs/security.md gives one. */
  async function hears(): Promise<void> {
    const [configure = '', write = '', read = ''] = operatorRights();
    await node.ctl('set_permissions', '-p', vhost, operator, configure, write, read);
    const transport = rabbitmq({ url: urlAs(`${operator}:${PASSWORD}`) });
    const control = await openControl({ transport, prefix: 'app' });
    try {
      const { processes } = await control.status();
      assert.deepEqual(
        processes.map((each) => each.service),
        [service],
      );
      const { processes: paused } = await control.pause(queues.mail);
      assert.equal(paused.length, 1);
      await control.resume(queues.mail);
      assert.deepEqual((await control.status()).paused, []);
    } finally {
      await control.close();
    }
  }

  it('let it declare everything, and do all that it does, on its first start in a vhost', async () => {
    await allow('first');
    await works();
  });

  describe('when the exchanges and the delays are there', () => {
    let other: Bus;

    /** Another service, which nobody may send to or read from. */
    before(async () => {
      other = faultBus(urlAs('guest:guest'), { service: 'other', prefix: 'other' }).bus;
      other.handle('other.#', () => {}, { queue: queues.other });
      await other.start();
      await other.stop();
    });

    for (const [occasion, options] of [
      ['declare', {}],
      ['verify', { topology: 'verify' }],
    ] as const) {
      it(`let it do all that it does, and nothing to other services: ${occasion}`, async () => {
        await allow(occasion);
        await works(options);
        for (const [what, attack] of Object.entries(attacks)) {
          const error = await refusal(attack);
          assert.equal(error?.code, 403, `${what}: ${error?.message ?? 'nobody minds'}`);
        }
        for (const [what, use] of Object.entries(ownUses)) {
          const error = await refusal(use);
          assert.equal(error, undefined, `${what}: ${error?.message}`);
        }
      });
    }
  });

  it('let a responder make the queue of its requests, and reply, where it may declare nothing else; and each is needed', async () => {
    const responder = (name: string) =>
      faultBus(urlAs(`${service}:${PASSWORD}`), {
        ...{ service: name, prefix: 'app', topology: 'verify', operatorControl: false },
      }).bus.reply(Price, (what) => `${what}?`);
    const [rights] = usersOf([responder(service).describe()], { vhost, occasions: ['verify'] });
    const { configure, write, read } = rights?.permissions.verify ?? assert.fail();
    const allowed = (...given: readonly string[]) =>
      node.ctl('set_permissions', '-p', vhost, service, ...given);
    const requester = faultBus(urlAs('guest:guest'), { service: 'web', prefix: 'app' }).bus;
    await requester.start();
    await allowed(configure, write, read);
    const bus = responder(service);
    await bus.start();
    assert.equal(await requester.request(Price, 'tea'), 'tea?');
    await bus.stop();
    await allowed('^$', write, read);
    await assert.rejects(responder(service).start(), { code: 'HOPLINE_TOPOLOGY' });
    await allowed(configure, write.replace('|amq\\.default', ''), read);
    const mute = responder(service);
    await mute.start();
    await assert.rejects(requester.request(Price, 'tea', { timeout: '2s' }), {
      code: 'HOPLINE_REQUEST_TIMEOUT',
    });
    await allowed(configure, write, read);
    await eventually(
      async () => assert.equal(await requester.request(Price, 'tea', { timeout: '1s' }), 'tea?'),
      {
        timeout: 40_000,
      },
    );
  });

  it('that it lacks to hear operators keep it from nothing else, and it says so', async () => {
    const [rights] = usersOf([{ ...shop().bus.describe(), operatorControl: false }], {
      vhost,
      occasions: ['verify'],
    });
    const { configure, write, read } = rights?.permissions.verify ?? assert.fail();
    await node.ctl('set_permissions', '-p', vhost, service, configure, write, read);
    const { bus, handled, log } = shop({ topology: 'verify' });
    await bus.start();
    await bus.publish('order.a', 'published');
    await eventually(() => assert.deepEqual(handled, ['published 1']));
    assert.equal(log.length, 1);
    assert.match(
      log[0] ?? '',
      /^this process can't receive operators' requests, .*: give its user the permissions, or set operatorControl to false/,
    );
    await bus.stop();
  });

  type Use = (channel: Channel) => unknown;
  const entry = (unit: string) => `hopline.delay.1.in.${unit}`;
  const body = Buffer.from('1');

  const attacks: Record<string, Use> = {
    'sending into the queue of another through the delays': (channel) =>
      channel.publish(entry('s'), `0.0.0.0.1.0.q.${queues.other}`, body),
    'the same from the lowest unit': (channel) =>
      channel.publish(entry('t'), `0.0.0.0.0.1.q.${queues.other}`, body),
    'sending into a queue whose name begins like its own': (channel) =>
      channel.publish(entry('s'), `0.0.0.0.1.0.q.${queues.orders}.of-another`, body),
    'publishing on the exchange of another through the delays': (channel) =>
      channel.publish(entry('s'), '0.0.0.0.1.0.e.other/events.other.key', body),
    'publishing on the exchange of another': (channel) => channel.publish('other.events', 'other.key', body),
    'going around the delays': (channel) =>
      channel.publish('hopline.delay.1.out', `0.0.0.0.0.0.q.${queues.other}`, body),
    'writing into the queue of another': (channel) => channel.publish('', queues.other, body),
    'reading the queue of another': (channel) => channel.consume(queues.other, () => {}),
    'reading the dead letters of another': (channel) => channel.get(`${queues.other}.dead`),
    'emptying the queue of another': (channel) => channel.purgeQueue(queues.other),
    'deleting the queue of another': (channel) => channel.deleteQueue(queues.other),
    'declaring a queue by another name': (channel) => channel.assertQueue(`${queues.orders}2`),
    'binding its own queue to the retries of another': (channel) =>
      channel.bindQueue(queues.orders, 'hopline.delay.1.out', `*.*.*.*.*.*.q.${queues.other}`),
    'binding its own queue to all retries': (channel) =>
      channel.bindQueue(queues.orders, 'hopline.delay.1.out', '#'),
    'binding its own queue to the exchange of another': (channel) =>
      channel.bindQueue(queues.orders, 'other.events', '#'),
    'telling the workers something': (channel) => channel.publish('app.control', '', body),
    'changing what is paused': (channel) => channel.sendToQueue('app.paused', body),
    'hearing what others answer': async (channel) => {
      const { queue } = await channel.assertQueue(`app.control.${randomUUID()}`, { exclusive: true });
      await channel.bindQueue(queue, 'app.control.to', 'a-key');
    },
    'reading what waits in the delays': (channel) => channel.get('hopline.delay.1.s1'),
    'reading what the delays could not deliver': (channel) => channel.get('hopline.delay.lost'),
    'deleting an exchange that all share': (channel) => channel.deleteExchange('hopline.delay.1.out'),
  };

  const ownUses: Record<string, Use> = {
    'retrying into its own queue': (channel) =>
      channel.publish(entry('s'), `0.0.0.0.1.0.q.${queues.orders}`, body),
    'retrying into its own lane': (channel) =>
      channel.publish(entry('d'), `0.1.0.0.1.0.q.${queues.orders}.high`, body),
    'publishing later, into the lane of another': (channel) =>
      channel.publish(entry('s'), '0.0.0.0.1.0.e.app/events/lane/low.order.a', body),
    'sending later': (channel) => channel.publish(entry('m'), '0.0.0.1.1.0.c.app/events.order.a', body),
  };

  /** What the broker minds, if anything; each on a connection of its own, since some refusals close it. */
  async function refusal(use: Use): Promise<{ code?: number; message: string } | undefined> {
    const connection = await connect(urlAs(`${service}:${PASSWORD}`));
    let refused: { code?: number; message: string } | undefined;
    connection.on('error', (error) => {
      refused ??= error;
    });
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', (error) => {
        refused ??= error;
      });
      await use(channel);
      await channel.waitForConfirms();
      // A request that is answered tells that what came before it was taken.
      await channel.checkExchange('hopline.delay.1.ready');
    } catch (error) {
      refused ??= error as Error;
    } finally {
      await connection.close().catch(() => {});
    }
    return refused;
  }
});

/** The line of docs/security.md, for another prefix and other queues. */
function operatorRights(): string[] {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/security.md'), 'utf8');
  const line = /rabbitmqctl set_permissions -p \/ operator '(.*)' '(.*)' '(.*)'/.exec(guide) ?? [];
  return line.slice(1).map((pattern) => pattern.replaceAll('hopline', 'app'));
}
