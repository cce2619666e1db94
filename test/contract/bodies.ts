import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineMessage, json, PayloadInvalidError } from '../../src/index.js';
import { ours } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const UNDECODABLE = [
  { what: 'not JSON', body: Buffer.from('{"open": ') },
  { what: 'empty', body: Buffer.alloc(0) },
  { what: 'not UTF-8', body: Buffer.from([0x22, 0xc3, 0x28, 0x22]) },
  { what: 'with a byte order mark', body: Buffer.from('\uFEFF{"a":1}') },
  { what: 'XML', body: Buffer.from('<order/>'), contentType: 'text/xml' },
  { what: 'in another charset', body: Buffer.from('{}'), contentType: 'application/json; charset=latin1' },
  { what: 'in an encoding that is not undone', body: Buffer.from('{}'), contentEncoding: 'compress' },
  { what: 'text under a type that says nothing', body: Buffer.from('ON'), contentType: 'text/plain' },
  {
    what: 'an AMQP 1.0 value',
    body: Buffer.from([0x00, 0x53, 0x77, 0xa1, 0x02, 0x4f, 0x4e]),
    type: 'amqp-1.0',
  },
];

const orderPlaced = defineMessage(
  'order.placed',
  z.object({
    id: z.number(),
    lines: z.array(z.object({ sku: z.string() })),
    note: z.string().default('none'),
  }),
);

export const bodies: Theme = (test) => {
  test('raw JSON of any client is handled, without an id, a content type or a header', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('order.*', seen.handle);
    await bus.start();
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'order.placed',
      body: '{"id": 7, "name": "日本"}',
    });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const { payload, context, attempt } = seen.at(0);
    assert.deepEqual(payload, { id: 7, name: '日本' });
    assert.deepEqual([context.messageId, context.publishedAt, attempt], [undefined, undefined, 1]);
    assert.deepEqual(Object.keys(context.headers), []);
  });

  test('JSON under any of its content types, or one that says nothing, is handled', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle);
    await bus.start();
    const types = ['application/json; charset=UTF-8', 'text/json', 'application/vnd.acme.order+json'];
    types.push('application/octet-stream', 'text/plain', 'text/plain; charset=utf-8', 'application/data');
    for (const contentType of types) {
      await fx.foreign.publish({
        exchange: fx.events,
        routingKey: 'k',
        body: JSON.stringify(contentType),
        properties: { contentType },
      });
    }
    await fx.eventually(() => assert.deepEqual(seen.payloads, types));
  });

  for (const { what, body, ...properties } of UNDECODABLE) {
    test(`a body that is ${what} is dead-lettered at once as undecodable, its bytes untouched`, async (fx) => {
      const seen = fx.recorder();
      const bus = fx.bus('mailer').handle('k', seen.handle);
      await bus.start();
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body, properties });
      const letter = await fx.deadLetter(fx.name('mailer'));
      assert.ok(letter.body.equals(body), letter.body.toString());
      const { contentType, contentEncoding, type } = letter.properties;
      assert.deepEqual(
        { contentType, contentEncoding, type },
        { contentType: undefined, contentEncoding: undefined, type: undefined, ...properties },
      );
      const { reason, error, attempt, exceptions } = ours(letter);
      assert.deepEqual({ reason, attempt, exceptions }, { reason: 'undecodable', attempt: 1, exceptions: 0 });
      assert.match(String(error), /^UndecodableError: the message can't be decoded: its /);
      assert.deepEqual(seen.calls, []);
    });
  }

  test('a bus that is to be strict takes JSON only under a type that says so, or none', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { serializer: json({ strict: true }) }).handle('k', seen.handle);
    await bus.start();
    const types = [undefined, 'application/json; charset=utf-8', 'application/octet-stream', 'text/plain'];
    for (const contentType of types) {
      const properties = contentType === undefined ? {} : { contentType };
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '1', properties });
    }
    const letters = await fx.deadLetters(fx.name('mailer'), 2);
    assert.deepEqual(
      letters.map(({ properties }) => properties.contentType),
      types.slice(2),
    );
    await fx.eventually(() => assert.deepEqual(seen.payloads, [1, 1]));
  });

  test('a body over the cap of its consumer is dead-lettered as undecodable', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { maxBodyBytes: 1_000 }).handle('k', seen.handle);
    await bus.start();
    const body = JSON.stringify('x'.repeat(1_000));
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), body);
    assert.equal(ours(letter).reason, 'undecodable');
    assert.deepEqual(seen.calls, []);
  });

  test('an undecodable message does not hold up those behind it', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle);
    await bus.start();
    for (const body of ['{', '1', '', '2']) {
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body });
    }
    await fx.eventually(() => assert.deepEqual(seen.payloads, [1, 2]));
    await fx.deadLetters(fx.name('mailer'), 2);
  });

  test('a payload that its schema refuses is dead-lettered as invalid, with the paths and none of the values', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle(orderPlaced, seen.handle);
    await bus.start();
    const body = JSON.stringify({ id: 'secret-id', lines: [{ sku: 'x' }, { sku: 4711 }] });
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'order.placed', body });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), body);
    const { reason, error, attempt, stack } = ours(letter);
    assert.deepEqual([reason, attempt], ['invalid', 1]);
    assert.match(
      String(error),
      /^PayloadInvalidError: payload of 'order\.placed' is invalid: .*\bid: .*lines\.1\.sku: /,
    );
    assert.doesNotMatch(`${error}${stack}`, /secret-id|4711/);
    assert.deepEqual(seen.calls, []);
  });

  test("a publisher is told that its payload is invalid, and nothing is sent; a handler gets the schema's output", async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle(orderPlaced, seen.handle);
    await bus.start();
    await assert.rejects(bus.publish(orderPlaced, { id: 'x', lines: [] } as never), (error) => {
      assert.ok(error instanceof PayloadInvalidError);
      assert.deepEqual(
        error.issues.map(({ path }) => path),
        ['id'],
      );
      return true;
    });
    await bus.publish(orderPlaced, { id: 7, lines: [] });
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ id: 7, lines: [], note: 'none' }]));
  });

  test('what pretends to be a prototype in a body or a header changes none [row 35]', async (fx) => {
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once more');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { backoff: 100 } });
    await bus.start();
    const headers = JSON.parse('{"__proto__": {"polluted": "yes"}, "constructor": "c", "kept": "k"}');
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'k',
      body: '{"__proto__": {"polluted": "yes"}, "id": 1}',
      properties: { headers },
    });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    for (const { payload, context } of seen.calls) {
      assert.equal(Object.getPrototypeOf(payload), Object.prototype);
      assert.equal((payload as { polluted?: string }).polluted, undefined);
      assert.equal(Object.getPrototypeOf(context.headers), null);
      assert.deepEqual([context.headers.polluted, context.headers.kept], [undefined, 'k']);
    }
    assert.equal(({} as { polluted?: string }).polluted, undefined);
  });
};
