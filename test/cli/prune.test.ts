import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { withSession } from '../../src/cli/broker/session.js';
import { findLeftOvers, type PruneOptions, prune } from '../../src/cli/topology/prune.js';
import { standingBuses } from '../../src/cli/topology/standing-bus.js';
import { Bus, rabbitmq } from '../../src/index.js';
import { Management } from '../../src/oversight/management/management.js';
import { Names } from '../../src/topology/names.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { type Handled, mailerOf } from './apps/mailer-of.js';
import { hopline } from './command.js';
import { type ManagedNode, managedNode } from './managed-node.js';

const APP = resolve(import.meta.dirname, 'apps/mailer.js');

interface Said {
  readonly severity: string;
  readonly check: string;
  readonly message: string;
  readonly help?: string;
}

describe('queues that an older version of the service has left behind', function () {
  this.timeout(90_000);
  let managed: ManagedNode;
  let connection: ChannelModel;
  /** A service with a longer name, which runs. */
  let other: Bus;

  const busOf = (service: string, prefix = 'hopline') =>
    new Bus({ service, prefix, transport: rabbitmq({ url: managed.node.url }), log: silentLogger });

  const run = (...args: string[]) =>
    hopline([...args, '--app', APP], {
      url: managed.node.url,
      env: { MANAGEMENT_URL: managed.managementUrl },
    });

  async function leftOver(env = {}): Promise<Said[]> {
    const { stdout } = await hopline(['doctor', '--json', '--app', APP], {
      url: managed.node.url,
      env: { MANAGEMENT_URL: managed.managementUrl, ...env },
    });
    return (JSON.parse(stdout) as Said[]).filter(({ check }) => check === 'left-over queues');
  }

  /** How many messages wait in a queue; undefined if it is not there. */
  async function ready(queue: string): Promise<number | undefined> {
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    const answer = await channel.checkQueue(queue).catch(() => undefined);
    if (answer) await channel.close();
    return answer?.messageCount;
  }

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    connection = await connect(managed.node.url);
    // The service as it was: one handler has tried a message once, another has given one up.
    const tried: unknown[] = [];
    const old = busOf('mailer')
      .handle(
        'email.welcome',
        (payload, context) => {
          tried.push(payload);
          if (payload === 'bad') context.fail('no such address');
          throw new Error('not yet');
        },
        {
          queue: { name: 'mailer.SendWelcomeEmail2', lanes: ['high', 'default'] },
          retry: { tries: 5, backoff: '2s' },
        },
      )
      .handle('report.due', () => {}, { queue: { name: 'mailer.ra', type: 'classic' } })
      .handle('retired.*', () => {}, { queue: { name: 'mailer.Retired', deliveryLimit: 1 } });
    await old.start();
    await old.publish('email.welcome', 'tried before');
    await old.publish('email.welcome', 'bad');
    await eventually(() => assert.equal(tried.length, 2));
    await eventually(async () => assert.equal(await ready('mailer.SendWelcomeEmail2.dead'), 1));
    await old.stop();

    other = busOf('mailer.live')
      .handle('email.#', () => {})
      .handle('address.changed', () => {}, { each: 'process', name: 'Forget' });
    const foreign = busOf('mailer', 'another').handle('k', () => {}, { queue: 'mailer.OfAnother' });
    await Promise.all([other.start(), foreign.start()]);
    await foreign.stop();
  });

  after(async () => {
    await other?.stop();
    await connection?.close();
  });

  it('are named by doctor, with what waits in them and what cures it', async () => {
    await other.publish('email.welcome', 'for the old one', { headers: { tenant: 'acme' }, priority: 3 });
    await other.publish('email.welcome', 'urgent', { lane: 'high' });
    await other.publish('report.due', { month: 7 });
    await other.publish('retired.key', 'nobody wants it');
    await eventually(async () => assert.equal(await ready('mailer.SendWelcomeEmail2'), 2), {
      timeout: 10_000,
    });
    const said = await leftOver();
    const sentence = (queue: string, waiting: string) =>
      `queue '${queue}' is bound, and fills: the application does not declare it, and nobody consumes it; ${waiting} in it`;
    assert.deepEqual(said.map(({ message }) => message).toSorted(), [
      sentence('mailer.Retired', '1 message waits'),
      sentence('mailer.SendWelcomeEmail2', '2 messages wait'),
      sentence('mailer.SendWelcomeEmail2.high', '1 message waits'),
      sentence('mailer.ra', '1 message waits'),
    ]);
    for (const { severity, help } of said) {
      assert.equal(severity, 'error');
      assert.match(help ?? '', /hopline topology prune/);
    }
    assert.deepEqual(await leftOver({ MANAGEMENT_URL: 'http://127.0.0.1:1' }), []);
  });

  it('are shown by prune, which does nothing before it is told to', async () => {
    const early = await run('topology', 'prune', '--yes');
    assert.equal(early.code, 2);
    assert.match(early.stderr, /nothing was done: queue '.*mailer\.welcome.*' is not there to take messages/);
    const renamed = mailerOf({ Bus, rabbitmq }, [], managed.node.url);
    await renamed.start();
    await renamed.stop();
    const shown = `queue 'mailer.Retired': 1 message, nobody consumes it; 'retired.*' of exchange 'hopline.events' stays: no queue of the application has just this pattern, or several have (--to names one)
queue 'mailer.SendWelcomeEmail2': 2 messages, nobody consumes it; 'email.welcome' of exchange 'hopline.events' to queue 'mailer.welcome'
queue 'mailer.SendWelcomeEmail2.high': 1 message, nobody consumes it; 'email.welcome' of exchange 'hopline.events.lane.high' to queue 'mailer.welcome.high'
queue 'mailer.ra': 1 message, nobody consumes it; 'report.due' of exchange 'hopline.events' to queue 'mailer.reports'
queue 'mailer.ra.land': goes with its queue
queue 'mailer.Retired.dead': empty, goes with its queue
queue 'mailer.SendWelcomeEmail2.dead': 1 dead letter; hopline failed retry --queue mailer.SendWelcomeEmail2 --all --republish sends what is there to who takes it now
queue 'mailer.ra.dead': empty, goes with its queue
`;
    const dry = await run('topology', 'prune', '--dry-run');
    assert.deepEqual([dry.code, dry.stdout], [0, shown]);
    const nobody = await run('topology', 'prune');
    assert.deepEqual([nobody.code, nobody.stdout], [2, shown]);
    assert.match(nobody.stderr, /8 left-over queues unbound.*handled again, under the same messageId/);
    const wrong = await run('topology', 'prune', '--to', 'mailer.nowhere');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /the application has no queue 'mailer\.nowhere'/);
    assert.equal(await ready('mailer.SendWelcomeEmail2'), 2);
  });

  it('are let alone if somebody consumes them again before prune has begun', async () => {
    const { url } = managed.node;
    const described = [mailerOf({ Bus, rabbitmq }, [], url).describe()];
    const management = new Management(managed.managementUrl, '/');
    const gate = deferred();
    const again = busOf('mailer').handle('retired.*', () => gate.promise, {
      queue: { name: 'mailer.Retired', deliveryLimit: 1 },
    });
    const broker = { url, name: 'the node', options: { url } };
    await withSession(broker, new Names(), async ({ session, transport: { clock } }) => {
      const within: PruneOptions['within'] = (_names, use) => use(session);
      const applications = await standingBuses(described, session, clock);
      const options = { session, within, clock, management, applications, to: undefined, keep: [] };
      const { queues } = await findLeftOvers(options);
      await again.start();
      const mine = queues.filter(({ of }) => of === 'mailer.Retired');
      assert.equal(mine.length, 2);
      assert.deepEqual(await prune(options, { bindings: [], queues: mine }), []);
    });
    await other.send('retired.key', 'it is bound');
    // What it holds goes back, unhandled.
    await again.stop({ deadline: '100ms' }).catch(() => {});
    gate.resolve();
    await eventually(async () => assert.equal(await ready('mailer.Retired'), 2));
    const channel = await connection.createChannel();
    await channel.get('mailer.Retired', { noAck: true });
    await channel.close();
  });

  it('are emptied into the queues that have their patterns now, and removed; what nobody takes is kept', async () => {
    const { code, stdout, stderr } = await run('topology', 'prune', '--yes');
    assert.deepEqual(
      [code, stdout.split('\n').slice(8, -1)],
      [
        0,
        [
          "queue 'mailer.Retired': 1 left, kept",
          "queue 'mailer.SendWelcomeEmail2': 2 moved, deleted",
          "queue 'mailer.SendWelcomeEmail2.high': 1 moved, deleted",
          "queue 'mailer.ra': 1 moved, deleted",
          "queue 'mailer.ra.land': deleted",
          "queue 'mailer.Retired.dead': kept",
          "queue 'mailer.SendWelcomeEmail2.dead': 1 dead letter left, kept",
          "queue 'mailer.ra.dead': deleted",
        ],
      ],
      stderr,
    );
    assert.deepEqual(
      await Promise.all(
        [
          'mailer.Retired',
          'mailer.SendWelcomeEmail2',
          'mailer.SendWelcomeEmail2.high',
          'mailer.ra',
          'mailer.OfAnother',
        ].map(ready),
      ),
      [1, undefined, undefined, undefined, 0],
    );
    // Nothing comes into it any more.
    await other.publish('retired.key', 'nobody gets it');
    assert.equal(await ready('mailer.Retired'), 1);
  });

  it('have given on what lay in them as it was, with its attempts', async () => {
    const handled: Handled[] = [];
    const renamed = mailerOf({ Bus, rabbitmq }, handled, managed.node.url);
    await renamed.start();
    try {
      const moved = () => handled.filter(({ handler }) => handler !== 'Audit');
      await eventually(() => assert.equal(moved().length, 4));
      assert.deepEqual(
        moved()
          .map(({ handler, payload, context: { attempt, exchange, routingKey, headers } }) =>
            [handler, payload, attempt, exchange, routingKey, headers.tenant].join(', '),
          )
          .toSorted(),
        [
          'Reports, [object Object], 1, hopline.events, report.due, ',
          'Welcome, for the old one, 1, hopline.events, email.welcome, acme',
          'Welcome, tried before, 2, hopline.events, email.welcome, ',
          'Welcome, urgent, 1, hopline.events.lane.high, email.welcome, ',
        ],
      );
      assert.deepEqual(moved().find(({ handler }) => handler === 'Reports')?.payload, { month: 7 });
    } finally {
      await renamed.stop();
    }
  });

  it('are told on, as long as something lies in them', async () => {
    const said = await leftOver();
    assert.deepEqual(
      said.map(({ severity, message }) => `${severity}: ${message}`),
      [
        "error: queue 'mailer.Retired' is left over: the application does not declare it, and nobody consumes it; 1 message waits in it",
        "error: 1 dead letter in 'mailer.SendWelcomeEmail2.dead', whose queue 'mailer.SendWelcomeEmail2' is gone",
      ],
    );
    assert.match(
      said[1]?.help ?? '',
      /hopline failed retry --queue mailer\.SendWelcomeEmail2 --all --republish/,
    );
  });

  it('are gone when somebody has said who takes the rest', async () => {
    const retry = ['failed', 'retry', '--queue', 'mailer.SendWelcomeEmail2', '--all'];
    const toQueue = await run(...retry, '--yes');
    assert.equal(toQueue.code, 1);
    assert.match(toQueue.stdout + toQueue.stderr, /1 failed and stay/);
    assert.equal((await run(...retry, '--republish', '--yes')).code, 0);
    const { stdout } = await run('topology', 'prune', '--to', 'mailer.audit', '--yes');
    assert.deepEqual(stdout.split('\n').slice(3, -1), [
      "queue 'mailer.Retired': 1 moved, deleted",
      "queue 'mailer.Retired.dead': deleted",
      "queue 'mailer.SendWelcomeEmail2.dead': deleted",
    ]);
    assert.deepEqual(await leftOver(), []);
    assert.match((await run('topology', 'prune')).stdout, /^nothing to prune: /);
    // The one that was given up, and its copies; and the one that nobody took.
    assert.deepEqual(await Promise.all(['mailer.welcome', 'mailer.audit'].map(ready)), [1, 2]);
  });

  it('are let alone while a handler of a version that stops still runs: what it holds would be gone', async () => {
    const gate = deferred();
    let runs = 0;
    const stopping = busOf('mailer').handle(
      'gone.*',
      () => {
        runs += 1;
        return gate.promise;
      },
      { queue: { name: 'mailer.Gone', type: 'classic' } },
    );
    await stopping.start();
    await other.publish('gone.key', 'taken before');
    await eventually(() => assert.equal(runs, 1));
    const stopped = stopping.stop();
    try {
      const channel = await connection.createChannel();
      await eventually(async () => assert.equal((await channel.checkQueue('mailer.Gone')).consumerCount, 0));
      await channel.close();
      assert.deepEqual(await leftOver(), []);
      assert.match((await run('topology', 'prune', '--yes')).stdout, /^nothing to prune: /);
      assert.equal(await ready('mailer.Gone'), 0);
    } finally {
      gate.resolve();
      await stopped;
    }
    await eventually(
      async () => {
        assert.match((await run('topology', 'prune', '--yes')).stdout, /^queue 'mailer\.Gone': deleted$/m);
      },
      { timeout: 20_000 },
    );
  });

  it('give on what somebody takes of what lies in them, and the rest is delivered once to be looked at', async () => {
    const mixed = busOf('mailer');
    for (const key of ['report.due', 'gone.key'])
      mixed.handle(key, () => {}, { queue: { name: 'mailer.Mixed', deliveryLimit: 1 } });
    await mixed.start();
    await mixed.stop();
    await other.publish('report.due', 'for reports');
    await other.publish('gone.key', 'for nobody');
    const { stdout } = await run('topology', 'prune', '--yes');
    assert.match(stdout, /^queue 'mailer\.Mixed': 1 moved, 1 left, kept$/m);
    assert.deepEqual(await Promise.all(['mailer.Mixed', 'mailer.Mixed.dead'].map(ready)), [1, 0]);
    assert.equal((await run('topology', 'prune', '--to', 'mailer.audit', '--yes')).code, 0);
    assert.equal(await ready('mailer.Mixed'), undefined);
  });

  it('may be those of another service of which no worker runs: --keep lets them alone', async () => {
    await other.stop();
    const keep = ['topology', 'prune', '--yes', '--keep'];
    assert.match((await run('topology', 'prune', '--dry-run')).stdout, /^queue 'mailer\.live': /m);
    const wrong = await run(...keep, 'mailer.liv');
    assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /nothing was done: there is no queue of a service 'mailer\.liv' to keep/);
    assert.match((await run(...keep, 'mailer.live')).stdout, /^nothing to prune: /);
    assert.equal(await ready('mailer.live'), 0);
  });
});
