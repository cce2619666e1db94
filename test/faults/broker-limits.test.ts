import assert from 'node:assert/strict';
import { ConnectError, type Headers, InvalidMessageError, TopologyError } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('what operators have limited', function () {
  this.timeout(60_000);
  const user = uniqueName('user');
  const vhost = uniqueName('vhost');
  let node: PrivateNode;
  let url: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    await node.ctl('add_user', user, 'Pa55');
    await node.ctl('add_vhost', vhost);
    await node.ctl('set_permissions', '-p', vhost, user, '.*', '.*', '.*');
    url = `${node.url.replace('guest:guest', `${user}:Pa55`)}/${vhost}`;
  });

  afterEach(async () => {
    await stopAll();
    await node.ctl('clear_user_limits', user, 'all');
    // An error where there is none.
    await node.ctl('clear_vhost_limits', '-p', vhost).catch(() => {});
  });

  after(async () => {
    await node?.ctl('delete_user', user);
    await node?.ctl('delete_vhost', vhost);
  });

  function busWithQueue() {
    const made = faultBus(url, { startDeadline: '20s' });
    made.bus.handle('k', () => {}, { queue: uniqueName('queue') });
    return made;
  }

  const kinds: [
    name: string,
    limit: readonly string[],
    kind: typeof ConnectError | typeof TopologyError,
    message: RegExp,
    help: RegExp,
  ][] = [
    [
      'channels of a user',
      ['set_user_limits', user, '{"max-channels":1}'],
      ConnectError,
      /the user has reached its limit of channels .*user limit of \(?1\)?"?\)/,
      /set_user_limits/,
    ],
    [
      'queues of a vhost',
      ['set_vhost_limits', '-p', vhost, '{"max-queues":0}'],
      TopologyError,
      /^queue '.*' can't be declared: the vhost has reached its limit of queues .*\(0\) is reached/,
      /set_vhost_limits/,
    ],
    [
      'connections of a user',
      ['set_user_limits', user, '{"max-connections":0}'],
      ConnectError,
      /refuses the connection: the user has reached its limit of connections .*user connection limit \(0\)/,
      /set_user_limits/,
    ],
    [
      'connections of a vhost',
      ['set_vhost_limits', '-p', vhost, '{"max-connections":0}'],
      ConnectError,
      /refuses the connection: the vhost, or the broker, has reached its limit of connections .*limit \(0\)/,
      /set_vhost_limits/,
    ],
  ];

  for (const [name, limit, kind, message, help] of kinds) {
    it(`is named by start() with the words of the broker and the cure: ${name}`, async () => {
      await node.ctl(...limit);
      await assert.rejects(busWithQueue().bus.start(), (error: ConnectError) => {
        assert.ok(error instanceof kind, error.stack);
        assert.match(error.message, message);
        assert.match(error.help, help);
        return true;
      });
    });
  }

  it('is named by log, event and health when it keeps a connection from coming back', async () => {
    const { bus, log, seen } = busWithQueue();
    await bus.start();
    await node.ctl('set_user_limits', user, '{"max-connections":0}');
    await node.ctl('close_all_connections', '-p', vhost, 'an operator closes them');
    const named = /the user has reached its limit of connections .*set_user_limits/;
    await eventually(() => assert.match(bus.health().reasons.join('\n'), named));
    assert.ok(
      seen('connection.down').some(
        ({ error, refused }) => refused && named.test(`${error.message} ${(error as ConnectError).help}`),
      ),
    );
    const limited = /the user has reached its limit of connections/;
    assert.ok(log.some((line) => limited.test(line) && /set_user_limits/.test(line)));
    await node.ctl('clear_user_limits', user, 'all');
    await eventually(() => assert.deepEqual(bus.health().reasons, []), { timeout: 40_000 });
  });
});

describe('a broker that takes small frames only', function () {
  this.timeout(60_000);
  const frameMax = 8_192;
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    await node.ctl('eval', `application:set_env(rabbit, frame_max, ${frameMax}).`);
  });

  afterEach(stopAll);

  after(() => node?.ctl('eval', 'application:set_env(rabbit, frame_max, 131072).'));

  it('is given bodies in as many as they need, and no headers that fit none; these end as they would elsewhere', async () => {
    const { bus, seen } = faultBus(node.url);
    const queue = uniqueName('queue');
    const bodies: unknown[] = [];
    bus.handle('good', (payload: string) => void bodies.push(payload), { queue });
    bus.handle(
      'bad',
      () => {
        throw new Error('no');
      },
      { queue, retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    const large = [3_000, 8_150, 20_000, 70_000, 300_000].map((length) => 'x'.repeat(length));
    await Promise.all(large.map((body) => bus.publish('good', body)));
    await eventually(() => assert.deepEqual(bodies.toSorted(), large));
    await assert.rejects(
      bus.publish('good', 1, { headers: { large: 'x'.repeat(frameMax) } }),
      (error: Error) => {
        assert.match(
          error.message,
          /the properties take 8\d{3} bytes, and a frame of this connection holds 8192/,
        );
        return error instanceof InvalidMessageError;
      },
    );
    await bus.publish('bad', 1, { headers: { large: 'x'.repeat(frameMax - 200), small: 'y' } });
    await eventually(() => assert.equal(seen('message.deadLettered').length, 1));
    await raw(node, async (channel) => {
      const letter = await channel.get(`${queue}.dead`, { noAck: true });
      const {
        small,
        'hopline-reason': reason,
        ...headers
      } = (letter || assert.fail('it is there')).properties.headers as Headers;
      assert.deepEqual([small, reason, headers['hopline-dropped-headers']], ['y', 'exhausted', 'large']);
    });
    assert.deepEqual(seen('connection.down'), []);
  });
});

describe('an event loop that was blocked for longer than the heartbeat', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('is what log, event and health say of the connections that were given up meanwhile', async () => {
    const { bus, log, seen } = faultBus(node.url);
    bus.handle('k', () => {}, { queue: uniqueName('queue') });
    await bus.start();
    const downs = () => seen('connection.down').map(({ error }) => error.message);
    let told = '';
    bus.on('connection.down', () => {
      told ||= bus.health().reasons.join('\n');
    });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_000);
    const named =
      /the event loop was blocked for \d+\.\d s, longer than the heartbeat of 1\.0 s, and the connection to 127\.0\.0\.1:\d+ was given up: /;
    await eventually(() => assert.equal(downs().length, 2));
    for (const message of downs()) assert.match(message, named);
    assert.match(told, named);
    assert.ok(log.some((line) => named.test(line)));
    await eventually(() =>
      assert.equal(
        bus.health().connections.every(({ state }) => state === 'up'),
        true,
      ),
    );
  });
});
