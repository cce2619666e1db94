import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Bus, type PublishOptions, rabbitmq, staticKeys } from '../../src/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { Command, hoplineHere } from './command.js';

describe('hopline queue', function () {
  this.timeout(60_000);
  const name = `cli-${randomBytes(4).toString('hex')}`;
  const [classic, quorum] = [`${name}.classic`, `${name}.quorum`];
  const keys = { current: 'k1', keys: { k1: randomBytes(32).toString('base64') } };
  const handled: unknown[] = [];
  let url: string;
  let chargesLooks: boolean;

  const newBus = () => {
    const bus = new Bus({
      ...{ service: name, prefix: name, log: silentLogger, transport: rabbitmq({ url }) },
      encryption: { keys: staticKeys(keys) },
    });
    const handle = (_: unknown, { messageId }: { messageId: string | undefined }) => {
      handled.push(messageId);
    };
    bus.handle('mail.#', handle, { queue: { name: classic, type: 'classic', concurrency: 1 } });
    bus.handle('news.#', handle, { queue: quorum });
    return bus;
  };
  const queue = (args: string[], options: { env?: Record<string, string> } = {}) =>
    hoplineHere(['queue', ...args, '--prefix', name], { url, ...options });

  /** Publishes what waits then: nobody consumes. */
  const publish = async (
    ...messages: (readonly [key: string, payload: unknown, options: PublishOptions])[]
  ) => {
    const publisher = new Bus({
      ...{ service: name, prefix: name, log: silentLogger, transport: rabbitmq({ url }) },
      encryption: { keys: staticKeys(keys) },
    });
    await publisher.start();
    for (const [key, payload, options] of messages) await publisher.publish(key, payload, options);
    await publisher.stop();
  };

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    const broker = await sharedBroker();
    url = broker.url;
    chargesLooks = !/^(4\.[3-9]|[5-9])/.test(broker.version);
    const bus = newBus();
    await bus.start();
    await bus.stop();
  });
  after(() => removeFromBroker(url, { queues: [classic, quorum], prefix: name }));

  it('shows the first messages that wait, as text and as JSON, and they are handled later as if nobody had looked', async () => {
    await publish(
      [
        'mail.one',
        { to: 'ada', note: 'x'.repeat(5_000) },
        { messageId: 'one', headers: { source: 'web\u001b[2J' } },
      ],
      ['mail.two', { to: 'secret' }, { messageId: 'two', encrypted: true }],
      ['mail.three', { to: 'bob' }, { messageId: 'three' }],
    );
    const { code, stdout, stderr } = await queue(['peek', classic, '--count', '2']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^id +one\nexchange +\S+\.events\nrouting key +mail\.one\n/);
    assert.match(stdout, /source: "web\\u001b\[2J"/);
    assert.match(stdout, /"to": "ada",\n +"note": "x+…\n/);
    assert.ok(stdout.length < 4_000, `${stdout.length}`);
    assert.match(stdout, /body \(\d+ bytes\)\n +encrypted, key k1; --keys FILE decrypts it\n/);
    assert.doesNotMatch(stdout, /secret|three/);
    assert.equal(stderr, `2 of 3 messages that wait in '${classic}'\n`);
    const opened = await queue(['peek', classic, '--json'], { env: { HOPLINE_KEYS: JSON.stringify(keys) } });
    const all = JSON.parse(opened.stdout) as { id: string; body: string; attempt: number }[];
    assert.deepEqual(
      all.map(({ id, attempt, body }) => [id, attempt, body.length < 100 ? body : body.length]),
      [
        ['one', 1, 5_022],
        ['two', 1, '{"to":"secret"}'],
        ['three', 1, '{"to":"bob"}'],
      ],
    );
    const bus = newBus();
    await bus.start();
    await eventually(() => assert.deepEqual(handled, ['one', 'two', 'three'])).finally(() => bus.stop());
  });

  it('looks at a quorum queue only where that is no failed delivery, and else says who can', async () => {
    await publish(['news.one', {}, { messageId: 'one' }]);
    const { code, stdout, stderr } = await queue(['peek', quorum]);
    if (chargesLooks) {
      assert.match(
        stderr,
        /^error: queue '\S+' is no classic queue: before RabbitMQ 4\.3 .* rabbitmq-queues peek/,
      );
      assert.deepEqual([code, stdout], [1, '']);
    } else assert.deepEqual([code, stderr], [0, `1 of 1 message that wait in '${quorum}'\n`]);
    assert.equal((await queue(['purge', quorum, '--yes'])).stdout, '1 message deleted\n');
  });

  it('purges what waits when it is told so, and says what that was', async () => {
    await publish(['mail.one', {}, {}], ['mail.two', {}, {}]);
    const unasked = await queue(['purge', classic]);
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, new RegExp(`^all that waits in '${classic}', 2 messages, and what comes`));
    assert.match(unasked.stderr, /nothing was done: nobody is here to confirm it/);
    const asked = () => new Command(['queue', 'purge', classic, '--prefix', name], { url, terminal: true });
    assert.match((await asked().answer('n')).stdout, /nothing was done/);
    assert.match((await asked().answer('y')).stdout, /2 messages deleted/);
    assert.equal(
      (await queue(['purge', classic])).stdout,
      `0 messages wait in '${classic}': nothing to purge\n`,
    );
  });

  it("refuses a queue that is Hopline's own, that holds requests, or is not there", async () => {
    const refused = async (args: string[], said: RegExp) => {
      const { code, stderr } = await queue(args);
      assert.deepEqual([code, said.test(stderr) ? 'as expected' : stderr], [2, 'as expected']);
    };
    await refused(['purge', `${classic}.dead`, '--yes'], /holds dead letters\. hopline failed --queue/);
    await refused(['purge', `${name}.paused`, '--yes'], /is a queue of Hopline's own/);
    await refused(['purge', 'hopline.delay.1.0.5', '--yes'], /is a queue of Hopline's own/);
    await refused(['peek', `${classic}.requests`], /holds requests/);
    for (const command of ['peek', 'purge'])
      await refused([command, `${name}.nowhere`], /there is no queue '\S+nowhere' on 127/);
    const { code, stderr } = await hoplineHere(['queue', 'purge', `${name}.trash`, '--yes'], { url });
    assert.match(stderr, /is named as a queue of Hopline's own.* say so with the application's prefix/);
    assert.equal(code, 2);
  });
});
