import 'reflect-metadata';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import zlib from 'node:zlib';
import { z } from 'zod';
import { Handles, handlers, Queue } from '../../decorators/index.js';
import {
  type Deserializer,
  defineMessage,
  type MessageContext,
  type ReceivedMessage,
  staticKeys,
  UndecodableError,
} from '../../src/index.js';
import type { BodyOption } from '../../src/serialization/body-option.js';
import { ours } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const PNG = Buffer.from('89504e470d0a1a0a00ff', 'hex');

/** Of an AMQP 1.0 sender: the string ON. */
const VALUE = Buffer.from([0x00, 0x53, 0x77, 0xa1, 0x02, 0x4f, 0x4e]);

const { zstdCompressSync } = zlib as { zstdCompressSync?: (body: string) => Buffer };

const ENCODED = [
  { contentEncoding: 'gzip', encode: zlib.gzipSync },
  { contentEncoding: 'deflate', encode: zlib.deflateSync },
  { contentEncoding: 'br', encode: zlib.brotliCompressSync },
  {
    contentEncoding: 'gzip, br',
    encode: (body: string) => zlib.brotliCompressSync(zlib.gzipSync(body)),
  },
  ...(zstdCompressSync ? [{ contentEncoding: 'zstd', encode: zstdCompressSync }] : []),
  // As Celery sends it.
  { contentEncoding: 'utf-8', headers: { compression: 'application/x-gzip' }, encode: zlib.deflateSync },
];

/** Its payload is what it was told. */
const asTold: Deserializer = {
  deserialize: (body, message) => ({ body: body.toString(), ...described(message) }),
};

const described = ({
  routingKey,
  exchange,
  queue,
  type,
  replyTo,
  contentEncoding,
  headers,
}: ReceivedMessage) => ({
  ...{ routingKey, exchange, queue, type, replyTo, contentEncoding },
  headers: { ...headers },
});

export const reading: Theme = (test) => {
  test('a handler gets bodies as text or bytes, as it says, whatever their content type, empty ones, too', async (fx) => {
    const [texts, bytes] = [fx.recorder(), fx.recorder()];
    const bus = fx.bus('plant', { concurrency: 1 });
    bus.handle('text', texts.handle, { body: 'text' });
    bus.handle('bytes', bytes.handle, { body: 'bytes' });
    await bus.start();
    const send = (routingKey: string, body: string | Buffer, properties = {}) =>
      fx.foreign.publish({ exchange: fx.events, routingKey, body, properties });
    await send('text', 'ON');
    await send('text', '', { contentType: 'application/json' });
    await send('text', Buffer.from('größe', 'latin1'), { contentType: 'text/plain; charset=iso-8859-1' });
    await send('bytes', PNG, { contentType: 'image/png', contentEncoding: 'utf-16' });
    await send('bytes', VALUE, { type: 'amqp-1.0' });
    await send('bytes', '');
    await fx.eventually(() => assert.deepEqual(texts.payloads, ['ON', '', 'größe']));
    await fx.eventually(() => assert.deepEqual(bytes.payloads, [PNG, VALUE, Buffer.alloc(0)]));
  });

  test('text that is none is dead-lettered as undecodable', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('plant').handle('k', seen.handle, { body: 'text' });
    await bus.start();
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: PNG });
    const { reason, error } = ours(await fx.deadLetter(fx.name('plant')));
    assert.equal(reason, 'undecodable');
    assert.match(String(error), /its body is not valid UTF-8/);
    assert.deepEqual(seen.calls, []);
  });

  test('what a handler does to its bytes is not seen by its next attempt, nor in the dead letter', async (fx) => {
    const seen: string[] = [];
    const spoil = (body: Buffer) => {
      seen.push(body.toString());
      body.fill('x');
      throw new Error('once more');
    };
    const retry = { tries: 3, backoff: [0, '100ms'] } as const;
    const bus = fx.bus('plant').handle('k', spoil, { body: 'bytes', retry });
    await bus.start();
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: 'intact' });
    const letter = await fx.deadLetter(fx.name('plant'));
    assert.deepEqual(seen, ['intact', 'intact', 'intact']);
    assert.equal(letter.body.toString(), 'intact');
  });

  test('a queue says it for its handlers, and a handler of its own goes first, decorated ones, too', async (fx) => {
    const given: Record<string, unknown> = {};
    @Queue({ body: 'text' })
    class Devices {
      @Handles('plant.switch')
      onSwitch(payload: string): void {
        given.switch = payload;
      }

      @Handles('plant.photo', { body: 'bytes' })
      onPhoto(payload: Buffer, { contentType }: MessageContext): void {
        given.photo = [contentType, payload];
      }
    }
    const bus = fx.bus('plant', { handlers: handlers([Devices]) });
    await bus.start();
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'plant.switch', body: 'ON' });
    const properties = { contentType: 'image/png' };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'plant.photo', body: PNG, properties });
    await fx.eventually(() => assert.deepEqual(given, { switch: 'ON', photo: ['image/png', PNG] }));
  });

  test('a handler says it where its queue is said with options', async (fx) => {
    const [texts, parsed] = [fx.recorder(), fx.recorder()];
    const queue = { name: fx.name('mixed'), body: 'text' } as const;
    const bus = fx.bus('plant').handle('text', texts.handle, { queue });
    await bus.handle('json', parsed.handle, { queue, body: 'json' }).start();
    for (const routingKey of ['text', 'json'])
      await fx.foreign.publish({ exchange: fx.events, routingKey, body: '[1]' });
    await fx.eventually(() => assert.deepEqual([texts.payloads, parsed.payloads], [['[1]'], [[1]]]));
  });

  test('a deserializer is told what came with the body, on each attempt the same', async (fx) => {
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once more');
    });
    const retry = { backoff: '100ms' } as const;
    const bus = fx.bus('plant').handle('k.*', seen.handle, { body: asTold, retry });
    await bus.start();
    const properties = {
      ...{ type: 'reading', replyTo: 'answers', contentEncoding: 'snappy, gzip' },
      headers: { schema: 7, compression: 'application/x-bz2' },
    };
    const body = zlib.gzipSync('read me');
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k.1', body, properties });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    const { type, replyTo, headers } = properties;
    const told = {
      ...{ routingKey: 'k.1', exchange: fx.events, queue: fx.name('plant'), type, replyTo, headers },
      contentEncoding: 'snappy, gzip, application/x-bz2',
      body: body.toString(),
    };
    assert.deepEqual(seen.payloads, [told, told]);
  });

  test('a deserializer may answer later; one that fails is a failed attempt, and what it refuses is undecodable', async (fx) => {
    const seen = fx.recorder();
    let asked = 0;
    const late: Deserializer = {
      async deserialize(body) {
        asked += 1;
        if (asked === 1) throw new Error('no schema at hand');
        if (body.toString() === 'bad') throw new UndecodableError('of no schema', 'Send another.');
        return body.toString();
      },
    };
    const retry = { backoff: '100ms' } as const;
    const bus = fx.bus('plant').handle('k', seen.handle, { body: late, retry });
    await bus.start();
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: 'good' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['good']));
    assert.equal(seen.at(0).attempt, 2);
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: 'bad' });
    assert.equal(ours(await fx.deadLetter(fx.name('plant'))).reason, 'undecodable');
  });

  test('a deserializer may answer by a promise of any make', async (fx) => {
    const seen = fx.recorder();
    const foreign: Deserializer = {
      // Of a realm with a Promise of its own, as that of a test runner or of a library may be.
      deserialize: (body) => runInNewContext('(async () => text)()', { text: body.toString() }),
    };
    const bus = fx.bus('plant').handle('k', seen.handle, { body: foreign });
    await bus.start();
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: 'good' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['good']));
  });

  test("a definition's schema checks what is made of the body", async (fx) => {
    const seen = fx.recorder();
    const switched = defineMessage('plant.switch', z.enum(['ON', 'OFF']));
    const bus = fx.bus('plant').handle(switched, seen.handle, { body: 'text' });
    await bus.start();
    for (const body of ['ON', 'MAYBE'])
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'plant.switch', body });
    assert.equal(ours(await fx.deadLetter(fx.name('plant'))).reason, 'invalid');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['ON']));
  });

  for (const { encode, ...properties } of ENCODED) {
    const what = [properties.contentEncoding, properties.headers?.compression].filter(Boolean).join(' and ');
    test(`bodies in ${what} are undone, however they are read, and travel as they came`, async (fx) => {
      const text = JSON.stringify({ list: Array.from({ length: 500 }, (_, index) => index) });
      const readings: [BodyOption, unknown][] = [
        ['json', JSON.parse(text)],
        ['text', text],
        ['bytes', Buffer.from(text)],
      ];
      const seen = fx.recorder(() => {
        throw new Error('no');
      });
      const bus = fx.bus('plant', { concurrency: 1 });
      for (const [body] of readings)
        bus.handle(String(body), seen.handle, { body, retry: { tries: 2, backoff: '100ms' } });
      await bus.start();
      const body = encode(text);
      for (const [routingKey] of readings)
        await fx.foreign.publish({
          exchange: fx.events,
          routingKey: String(routingKey),
          body,
          properties,
        });
      for (const letter of await fx.deadLetters(fx.name('plant'), 3)) {
        assert.ok(letter.body.equals(body));
        assert.equal(letter.properties.contentEncoding, properties.contentEncoding);
      }
      for (const [key, payload] of readings) {
        const calls = seen.calls.filter(({ routingKey }) => routingKey === key);
        assert.deepEqual(
          calls.map(({ payload: its }) => its),
          [payload, payload],
        );
        for (const { context } of calls) assert.equal(context.contentEncoding, properties.contentEncoding);
      }
    });
  }

  test('a bomb is dead-lettered as undecodable, with the cap', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('plant', { maxBodyBytes: 10_000 }).handle('k', seen.handle, { body: 'bytes' });
    await bus.start();
    const [body, properties] = [zlib.gzipSync(Buffer.alloc(1_000_000)), { contentEncoding: 'gzip' }];
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body, properties });
    const letter = await fx.deadLetter(fx.name('plant'));
    const { reason, error } = ours(letter);
    assert.equal(reason, 'undecodable');
    assert.match(String(error), /decoded from 'gzip', its body is over the cap of 10000 bytes/);
    assert.ok(letter.body.equals(body));
    assert.deepEqual(seen.calls, []);
  });

  test('encrypted, packed and gathered messages are read as their handler says, and its context has what is inside', async (fx) => {
    const key = randomBytes(32);
    const encryption = { keys: staticKeys({ current: 'k', keys: { k: key } }) };
    const [sealed, packs] = [fx.recorder(), fx.recorder()];
    const gathered: string[] = [];
    const bus = fx.bus('plant', { encryption, concurrency: 2 });
    bus.handle('sealed', sealed.handle, { body: 'text', encrypted: true });
    bus.handle('pack', packs.handle, { body: 'bytes', queue: fx.name('packs') });
    bus.handle('gathered', (payloads) => void gathered.push(...payloads), {
      ...{ body: 'text', bulk: { max: 2 }, queue: fx.name('gathered') },
    });
    await bus.start();
    await bus.publish('sealed', { a: 1 }, { encrypted: true });
    await bus.publishMany('pack', [1, { two: 2 }], { pack: 2 });
    await bus.publishMany('gathered', ['x', 'y']);
    await fx.eventually(() => assert.deepEqual(sealed.payloads, ['{"a":1}']));
    assert.equal(sealed.at(0).context.contentType, 'application/json');
    assert.deepEqual(Object.keys(sealed.at(0).context.headers), []);
    await fx.eventually(() => assert.equal(packs.calls.length, 2));
    assert.deepEqual(packs.payloads.map(String).toSorted(), ['1', '{"two":2}']);
    await fx.eventually(() => assert.deepEqual(gathered.toSorted(), ['"x"', '"y"']));
  });

  test('the steps of a chain are read each as its handler says', async (fx) => {
    const [first, second] = [fx.recorder(({ context }) => context.step?.pass('done')), fx.recorder()];
    const bus = fx.bus('plant').handle('first', first.handle, { body: 'text' });
    await bus.handle('second', second.handle).start();
    await bus
      .chain([
        { key: 'first', payload: { n: 1 } },
        { key: 'second', payload: { n: 2 } },
      ])
      .dispatch();
    await fx.eventually(() => assert.deepEqual(second.payloads, [{ n: 2 }]));
    assert.deepEqual(first.payloads, ['{"n":1}']);
    assert.equal(second.at(0).context.step?.result, 'done');
  });
};
