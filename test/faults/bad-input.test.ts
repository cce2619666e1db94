import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { Channel } from 'amqplib';
import type { Headers } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('bad input of a foreign client', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  /** Publishes once with these headers, to a handler that always fails; resolves with its attempts and dead letter. */
  async function failing(headers: object): Promise<{ attempts: number[]; letter: Headers; log: string[] }> {
    const prefix = uniqueName('prefix');
    const { bus, seen, log } = faultBus(node.url, { prefix });
    const attempts: number[] = [];
    const queue = uniqueName('queue');
    bus.handle(
      'k',
      (_payload, { attempt }) => {
        attempts.push(attempt);
        throw new Error('again');
      },
      { queue, retry: { tries: 3, backoff: '100ms' } },
    );
    await bus.start();
    const letter = await raw(node, async (channel) => {
      channel.publish(`${prefix}.events`, 'k', Buffer.from('{}'), { headers, messageId: 'm' });
      await channel.waitForConfirms();
      await eventually(() => assert.equal(seen('message.deadLettered').length, 1));
      const message = await channel.get(`${queue}.dead`, { noAck: true });
      assert.ok(message, 'the dead letter is there');
      return message.properties.headers as Headers;
    });
    await bus.stop();
    return { attempts, letter, log };
  }

  it('with headers that leave no room for ours is retried and dead-lettered, and says what it lost', async () => {
    const { attempts, letter, log } = await failing({ small: 'kept', large: 'x'.repeat(65_350) });
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal(letter.small, 'kept');
    assert.ok(!('large' in letter));
    assert.equal(letter['hopline-dropped-headers'], 'large');
    assert.equal(letter['hopline-error'], 'Error: again');
    assert.equal(log.filter((line) => line.includes('left out of the copy')).length, 1);
  });

  it('with a header of ours, forged, that leaves no room at all is dead-lettered without it, and the queue goes on [row 46]', async () => {
    const { attempts, letter } = await failing({ 'hopline-unique': 'x'.repeat(65_350), mine: 1 });
    assert.deepEqual(attempts, [1]);
    assert.equal(letter['hopline-reason'], 'unsendable');
    assert.match(
      String(letter['hopline-error']),
      /^Error: again; its copy could not be sent: InvalidMessage/,
    );
    assert.match(String(letter['hopline-dropped-headers']), /hopline-unique/);
    assert.ok(!('hopline-unique' in letter));
  });

  it('with bytes that are no UTF-8 in its id and properties is retried and dead-lettered with these bytes [row 46]', async () => {
    const prefix = uniqueName('prefix');
    const { bus, seen } = faultBus(node.url, { prefix });
    const attempts: unknown[] = [];
    const queue = uniqueName('queue');
    bus.handle(
      'k',
      (_payload, { attempt, messageId }) => {
        attempts.push(attempt, messageId);
        throw new Error('again');
      },
      { queue, retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    await raw(node, async (channel) => {
      writeAsBytes(channel, '\x01', 0xff);
      const text = '\x01'.repeat(200);
      channel.publish(`${prefix}.events`, 'k', Buffer.from('{}'), { messageId: text, correlationId: text });
      await channel.waitForConfirms();
      await eventually(() => assert.equal(seen('message.deadLettered').length, 1));
      const message = await channel.get(`${queue}.dead`, { noAck: true });
      assert.ok(message, 'the dead letter is there');
      const { messageId, correlationId, headers } = message.properties;
      // As the client library reads an octet that is no UTF-8.
      const asRead = '\ufffd'.repeat(200);
      assert.deepEqual([messageId, correlationId], [asRead, asRead]);
      assert.match(String(attempts[1]), /^[0-9a-f-]{36}$/);
      assert.deepEqual(attempts, [1, attempts[1], 2, attempts[1]]);
      assert.equal(headers?.['hopline-reason'], 'exhausted');
      assert.equal(headers?.['hopline-dropped-headers'], undefined);
    });
    await bus.stop();
  });

  it('larger than the broker takes by now is moved to the dead letters by the broker itself, and the queue goes on [row 46]', async () => {
    const [prefix, queue, service] = [uniqueName('prefix'), uniqueName('queue'), uniqueName('service')];
    const limit = (bytes: number) =>
      node.ctl(
        'eval',
        `application:set_env(rabbit, max_message_size, ${bytes}), persistent_term:put(max_message_size, ${bytes}).`,
      );
    const serving = () => {
      const fault = faultBus(node.url, { prefix, service });
      const good: unknown[] = [];
      fault.bus.handle(
        'k',
        (payload: { large?: string }) => {
          if (payload.large) throw new Error('again');
          good.push(payload);
        },
        { queue, retry: { tries: 3, backoff: '100ms' } },
      );
      return { ...fault, good };
    };
    const before = serving();
    await before.bus.start();
    await before.bus.stop();
    const body = Buffer.from(JSON.stringify({ large: 'x'.repeat(200_000) }));
    try {
      await raw(node, async (channel) => {
        channel.publish(`${prefix}.events`, 'k', body, { messageId: 'large' });
        await channel.waitForConfirms();
      });
      await limit(100_000);
      const { bus, seen, log, good } = serving();
      await bus.start();
      await eventually(() => assert.equal(seen('message.deadLettered').length, 1));
      assert.equal(seen('message.deadLettered')[0]?.reason, 'unsendable');
      assert.ok(log.some((line) => line.includes('the broker moves the message itself')));
      await bus.publish('k', { number: 1 });
      await eventually(() => assert.equal(good.length, 1));
      await eventually(() =>
        raw(node, async (channel) => {
          const message = await channel.get(`${queue}.dead`, { noAck: true });
          assert.ok(message, 'the dead letter is there');
          assert.ok(message.content.equals(body));
          assert.equal(message.properties.headers?.['x-death']?.[0]?.reason, 'rejected');
        }),
      );
      await bus.stop();
    } finally {
      await limit(134_217_728);
    }
  });

  it('with a moment that no Date can hold keeps it', async () => {
    const at = { '!': 'timestamp', value: 8_640_000_000_001 };
    const { attempts, letter } = await failing({ at });
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.deepEqual(letter.at, at);
  });
});

/** What a client writes that knows nothing of UTF-8: this octet in place of each of a long row of these characters. */
function writeAsBytes(channel: Channel, character: string, octet: number): void {
  const { stream } = (channel as unknown as { connection: { stream: Socket } }).connection;
  const write = stream.write.bind(stream) as (bytes: Buffer) => boolean;
  const row = new RegExp(`${character}{50,}`, 'g');
  stream.write = (bytes: Buffer) => {
    const text = bytes.toString('latin1');
    return write(
      Buffer.from(
        text.replace(row, (found) => String.fromCharCode(octet).repeat(found.length)),
        'latin1',
      ),
    );
  };
}
