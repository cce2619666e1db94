import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import type { GetMessage } from 'amqplib';
import { z } from 'zod';
import { defineMessage } from '../../src/index.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('messages that no handler can have', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  interface Sent {
    readonly body: Buffer;
    readonly properties?: object;
    readonly key?: string;
  }

  /** Publishes them as any client would; resolves with their dead letters, in order, and how often handlers ran. */
  async function refused(
    messages: readonly Sent[],
  ): Promise<{ letters: GetMessage[]; runs: number; log: string }> {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const { bus, log, seen } = faultBus(node.url, { prefix, unhandledRetryFor: '1s', concurrency: 1 });
    let runs = 0;
    bus.handle(
      defineMessage('order', z.object({ id: z.number(), card: z.string().max(4) })),
      () => {
        runs += 1;
      },
      { queue },
    );
    await bus.start();
    const letters: GetMessage[] = [];
    await raw(node, async (channel) => {
      await channel.bindQueue(queue, `${prefix}.events`, '#');
      for (const { body, properties = {}, key = 'order' } of messages)
        channel.publish(`${prefix}.events`, key, body, properties);
      await channel.waitForConfirms();
      await eventually(async () => {
        const letter = await channel.get(`${queue}.dead`, { noAck: true });
        if (letter) letters.push(letter);
        return letters.length === messages.length;
      });
    });
    assert.deepEqual([seen('message.retried'), seen('channel.reopened')], [[], []]);
    await bus.stop();
    return { letters, runs, log: log.join('\n') };
  }

  const reasonOf = ({ properties }: GetMessage) => String(properties.headers?.['hopline-reason']);
  const errorOf = ({ properties }: GetMessage) => String(properties.headers?.['hopline-error']);

  it('malformed, empty, not UTF-8, with a byte order mark: dead-lettered at once, byte for byte [row 28]', async () => {
    const bodies = ['{"id": 1,', '', '[1, 2', 'nonsense'].map((text) => Buffer.from(text));
    bodies.push(Buffer.from([0x22, 0xff, 0xfe, 0x22]), Buffer.from('\ufeff{"id":1,"card":"1"}'));
    const { letters, runs } = await refused(bodies.map((body) => ({ body })));
    assert.deepEqual(
      letters.map(({ content }) => content),
      bodies,
    );
    assert.deepEqual(new Set(letters.map(reasonOf)), new Set(['undecodable']));
    assert.ok(letters.every((letter) => errorOf(letter).length > 0));
    assert.equal(runs, 0);
  });

  it('of another content type or encoding, or a bomb: dead-lettered by name, byte for byte [row 29]', async () => {
    const body = Buffer.from('{"id":1,"card":"1"}');
    const bomb = gzipSync(Buffer.alloc(17 * 2 ** 20));
    const { letters, runs } = await refused([
      { body, properties: { contentType: 'text/xml' } },
      { body, properties: { contentEncoding: 'gzip' } },
      { body: bomb, properties: { contentEncoding: 'gzip' } },
    ]);
    assert.deepEqual(new Set(letters.map(reasonOf)), new Set(['undecodable']));
    assert.match(errorOf(letters[0] as GetMessage), /text\/xml/);
    assert.match(errorOf(letters[1] as GetMessage), /is not valid gzip/);
    assert.match(errorOf(letters[2] as GetMessage), /over the cap of 16777216 bytes/);
    assert.deepEqual(
      letters.map(({ content }) => content),
      [body, body, bomb],
    );
    assert.equal(runs, 0);
  });

  it('under a key that nobody handles: released for a while, then dead-lettered with the reason [row 30]', async () => {
    const body = Buffer.from('{}');
    const { letters, runs } = await refused([{ body, key: 'of.an.older.version' }]);
    assert.deepEqual(letters.map(reasonOf), ['no-handler']);
    assert.equal(letters[0]?.properties.headers?.['hopline-releases'], 1);
    assert.match(errorOf(letters[0] as GetMessage), /'of\.an\.older\.version'/);
    assert.equal(runs, 0);
  });

  it('under a key that only a newer version handles: the older one releases it, and the newer has it [row 30]', async () => {
    const names = { prefix: uniqueName('prefix'), service: uniqueName('service') };
    const queue = uniqueName('queue');
    const ledger = new Ledger();
    const older = faultBus(node.url, names);
    older.bus.handle('order', () => {}, { queue });
    const released = watch(older.bus, 'message.released');
    await older.bus.start();
    await raw(node, (channel) => channel.bindQueue(queue, `${names.prefix}.events`, 'load'));
    await Promise.all([1, 2, 3].map((number) => ledger.publish(older.bus, 'load', number)));
    await eventually(() => assert.equal(released.length, 3));
    const newer = faultBus(node.url, names);
    newer.bus.handle('order', () => {}, { queue });
    newer.bus.handle('load', ({ number }) => ledger.handled(number), { queue });
    await newer.bus.start();
    await older.bus.stop();
    await eventually(() => assert.equal(ledger.missing, 0));
    ledger.assertBalanced();
    assert.deepEqual([older.seen('message.deadLettered'), newer.seen('message.deadLettered')], [[], []]);
  });

  it('of the wrong shape: dead-lettered without a retry, with the path and without the value [row 31]', async () => {
    const { letters, runs, log } = await refused([
      { body: Buffer.from('{"id":"canary-4711","card":"4711-0815"}') },
      { body: Buffer.from('{"card":"1"}') },
    ]);
    assert.deepEqual(letters.map(reasonOf), ['invalid', 'invalid']);
    for (const letter of letters) {
      assert.match(errorOf(letter), /\bid\b/);
      assert.doesNotMatch(JSON.stringify(letter.properties), /4711/);
    }
    assert.match(errorOf(letters[0] as GetMessage), /\bcard\b/);
    assert.doesNotMatch(log, /4711/);
    assert.equal(runs, 0);
  });

  it('twice, with one messageId: the handler can tell, since it is told the id [row 34]', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(node.url, { prefix });
    const ids: (string | undefined)[] = [];
    bus.handle('k', (_payload, { messageId }) => void ids.push(messageId));
    await bus.start();
    await bus.publish('k', 1, { messageId: 'the-same' });
    await bus.publish('k', 1, { messageId: 'the-same' });
    await eventually(() => assert.deepEqual(ids, ['the-same', 'the-same']));
  });
});
