import assert from 'node:assert/strict';
import type { MessageProperties } from '../../src/message/properties.js';
import { ours, publishersHeaders, watch } from '../support/bus-fixture.js';
import { hold } from '../support/port.js';
import type { Theme } from './theme.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export const deadLetters: Theme = (test) => {
  test('a dead letter holds the bytes and properties as published, with its whole story in headers', async (fx) => {
    const seen = fx.recorder(() => Promise.reject(new TypeError('no mailbox: ä')));
    const bus = fx
      .bus('mailer', { version: '1.4.2' })
      .handle('email.*', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    const told = watch(bus, 'message.deadLettered');
    await bus.start();
    const body = '{ "id" :1.0,  "name":"ünïcode \\u00e4" }';
    const properties = {
      messageId: 'id-1',
      timestamp: 1_700_000_000,
      type: 'their.type',
      appId: 'theirs',
      contentType: 'application/json',
      correlationId: 'c',
      replyTo: 'r',
      priority: 4,
    };
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'email.welcome',
      body,
      properties: { ...properties, headers: { tenant: 'a' } },
    });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), body);
    for (const [name, value] of Object.entries(properties)) {
      assert.equal(letter.properties[name as keyof typeof properties], value, name);
    }
    assert.deepEqual(publishersHeaders(letter.properties.headers), { tenant: 'a' });
    assert.equal(letter.properties.deliveryMode, 2);
    const { firstAttemptAt, failedAt, stack, ...rest } = ours(letter);
    assert.deepEqual(rest, {
      reason: 'exhausted',
      error: 'TypeError: no mailbox: ä',
      attempt: 2,
      exceptions: 2,
      exchange: fx.events,
      routingKey: 'email.welcome',
      queue: fx.name('mailer'),
      handler: 'handle',
      version: '1.4.2',
    });
    assert.match(String(firstAttemptAt), ISO);
    assert.match(String(failedAt), ISO);
    const passedMs = Date.parse(String(failedAt)) - Date.parse(String(firstAttemptAt));
    assert.ok(passedMs >= 100, `${passedMs} ms from the first attempt to the last`);
    assert.match(String(stack), /^TypeError: no mailbox: ä\n {4}at .*dead-letters/s);
    assert.deepEqual(
      Object.keys(letter.properties.headers).filter((name) => /^x-.*death/.test(name)),
      [],
      "nothing is left of the broker's own account of the delay",
    );
    assert.deepEqual(
      told.map(({ event }) => 'reason' in event && event.reason),
      ['exhausted'],
    );
  });

  test('failed() is told once, with error, payload and context, before the dead letter is there', async (fx) => {
    const told: unknown[] = [];
    const seen = fx.recorder(() => Promise.reject(new Error('again')));
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      retry: { tries: 2, backoff: '100ms' },
      failed: async (error, payload, { attempt, messageId }) => {
        told.push([error.message, payload, attempt, messageId]);
      },
    });
    bus.on('message.deadLettered', () => told.push('dead'));
    await bus.start();
    await bus.publish('k', { id: 1 }, { messageId: 'm' });
    await fx.deadLetter(fx.name('mailer'));
    await fx.eventually(() => assert.deepEqual(told, [['again', { id: 1 }, 2, 'm'], 'dead']));
  });

  test('what failed() publishes is sent, and the dead letter follows', async (fx) => {
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer')
      .handle('first', (_payload, context) => context.fail('no'), {
        failed: (error, _payload, context) => context.send('given.up', error.message),
      })
      .handle('given.up', seen.handle);
    await bus.start();
    await bus.publish('first', 1);
    await fx.deadLetter(fx.name('mailer'));
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['no']));
  });

  test('context.fail dead-letters at once as rejected, with the reason given', async (fx) => {
    const seen = fx.recorder(({ context }) => context.fail('customer is blocked'));
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    await bus.publish('k', 1);
    const { reason, attempt, exceptions, error } = ours(await fx.deadLetter(fx.name('mailer')));
    assert.deepEqual(
      { reason, attempt, exceptions, error },
      { reason: 'rejected', attempt: 1, exceptions: 0, error: 'Error: customer is blocked' },
    );
    assert.equal(seen.calls.length, 1);
  });

  test('context.discard drops the message: no dead letter, no further attempt', async (fx) => {
    const seen = fx.recorder(({ payload, context }) => {
      if (payload === 'unwanted') context.discard();
    });
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle);
    const told = watch(bus, 'message.discarded', 'message.deadLettered', 'message.retried');
    await bus.start();
    await bus.publish('k', 'unwanted');
    await bus.publish('k', 'end');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['unwanted', 'end']));
    await fx.stop(bus);
    assert.deepEqual(
      told.map(({ name }) => name),
      ['message.discarded'],
    );
    assert.deepEqual(await fx.foreign.take(`${fx.name('mailer')}.dead`), []);
    assert.deepEqual(await fx.foreign.take(fx.name('mailer')), []);
  });

  test('a long error is cut: its stack to 4 kB, its text to 1 kB, on whole characters', async (fx) => {
    const seen = fx.recorder(() => {
      const error = new Error('ä'.repeat(5_000));
      error.stack = `Error: long\n${'    at 🐇 (file.ts:1:1)\n'.repeat(1_000)}`;
      throw error;
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 1 } });
    await bus.start();
    await bus.publish('k', 1);
    const { error, stack } = ours(await fx.deadLetter(fx.name('mailer')));
    for (const [text, cap] of [
      [String(stack), 4_096],
      [String(error), 1_024],
    ] as const) {
      const bytes = Buffer.byteLength(text);
      assert.ok(bytes <= cap && bytes > cap - 8, `${bytes} bytes`);
      assert.match(text, /…$/);
      assert.doesNotMatch(text, /\uFFFD/);
    }
  });

  test('a message that nobody settles goes from its queue to its dead letters by the delivery limit', async (fx) => {
    const queue = { name: fx.name('mailer'), deliveryLimit: 1 };
    const bus = fx.bus('mailer').handle('k', () => {}, { queue });
    await bus.start();
    await fx.stop(bus);
    await (await fx.publisher()).publish('k', 'kills its process', { messageId: 'poison' });
    for (let crash = 0; crash < 2; crash += 1) {
      const worker = await fx.port();
      const consumer = await worker.consume('mailer', hold, 1);
      await fx.eventually(() => assert.equal(consumer.deliveries.length, 1));
      await worker.close();
    }
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '"kills its process"');
    assert.equal(letter.properties.messageId, 'poison');
    const [death] = letter.properties.headers['x-death'] as { reason?: string }[];
    assert.equal(death?.reason, 'delivery_limit');
  });

  test('a message that expires in its queue goes to the dead letters', async (fx) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    await bus.start();
    await fx.stop(bus);
    await (await fx.publisher()).publish('k', 'too late', { expiration: '100ms' });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '"too late"');
    const [death] = letter.properties.headers['x-death'] as { reason?: string }[];
    assert.equal(death?.reason, 'expired');
  });

  test('a dead letter that is moved back to its queue finds its handler, with all its tries', async (fx) => {
    let mended = false;
    const seen = fx.recorder(() => {
      if (!mended) throw new Error('not mended yet');
    });
    const bus = fx
      .bus('mailer', { version: '1.4.2' })
      .handle('email.*', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    await bus.publish('email.welcome', 1, { messageId: 'm' });
    const { body, properties } = await fx.deadLetter(fx.name('mailer'));
    mended = true;
    // As the broker's own tools do it: through the default exchange, headers and all.
    await fx.foreign.publish({
      exchange: '',
      routingKey: fx.name('mailer'),
      body,
      properties: properties as MessageProperties,
    });
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2, 1]));
    const { exchange, messageId } = seen.at(2).context;
    assert.deepEqual([exchange, seen.at(2).routingKey, messageId], [fx.events, 'email.welcome', 'm']);
  });

  test('each queue has its own dead letters, and a classic one works as a quorum one does', async (fx) => {
    const fail = () => Promise.reject(new Error('again'));
    const [classic, quorum] = [fx.recorder(fail), fx.recorder(fail)];
    const retry = { tries: 2, backoff: '100ms' } as const;
    const bus = fx
      .bus('mailer')
      .handle('k', classic.handle, { queue: { name: fx.name('classic'), type: 'classic' }, retry })
      .handle('k', quorum.handle, { queue: fx.name('quorum'), retry });
    await bus.start();
    await bus.publish('k', 1, { messageId: 'm' });
    for (const queue of [fx.name('classic'), fx.name('quorum')]) {
      const letter = await fx.deadLetter(queue);
      const { reason, attempt, queue: from, routingKey, exchange } = ours(letter);
      assert.deepEqual(
        { reason, attempt, from, routingKey, exchange },
        { reason: 'exhausted', attempt: 2, from: queue, routingKey: 'k', exchange: fx.events },
      );
    }
    assert.deepEqual(
      [classic.attempts, quorum.attempts],
      [
        [1, 2],
        [1, 2],
      ],
    );
  });
};
