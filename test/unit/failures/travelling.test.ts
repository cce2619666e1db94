import assert from 'node:assert/strict';
import type { ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { deadLetter, delayedCopy, leastLetter, lightened } from '../../../src/consume/settle/republish.js';
import { republished, toQueue } from '../../../src/failures/acting/replay.js';
import { deadLetterOf, decodeLine, encodeLine } from '../../../src/failures/letters/export-line.js';
import { readLetter } from '../../../src/failures/letters/read-letter.js';
import { isBrokerHeader, isOwnHeader } from '../../../src/message/headers.js';
import type { OutgoingMessage } from '../../../src/message/message.js';
import { expirationOf } from '../../../src/message/wire/outgoing-fields.js';
import { receive } from '../../../src/pipeline/received.js';
import { addressOf } from '../../../src/topology/address.js';
import type { ChannelEpoch } from '../../../src/transport/amqp/connection/channel-epoch.js';
import { AmqpDelivery } from '../../../src/transport/amqp/consume/delivery.js';
import { ContentHeaderWriter } from '../../../src/transport/amqp/wire/content-header.js';
import { PropertiesReader } from '../../../src/transport/amqp/wire/properties-reader.js';
import { CARRIED } from '../../../src/transport/amqp/wire/publish-fields.js';
import type { Delivery } from '../../../src/transport/transport.js';
import { anyWildMessage, type WildHeader, type WildMessage, wildHeader } from '../../support/wild-message.js';
import { names } from '../consume/fixtures.js';

const AT = Date.UTC(2026, 0, 5, 9);
const epoch = { delivered: () => {} } as unknown as ChannelEpoch;
const reader = new PropertiesReader();
const contentHeaders = new ContentHeaderWriter();

/** A delivery of these properties, as they lie on the wire. */
function delivered(
  header: Buffer,
  body: Buffer,
  { exchange, routingKey, queue = 'billing' }: Partial<Delivery>,
): AmqpDelivery {
  const bytes = Buffer.concat([Buffer.from('before'), header]);
  const properties = reader.read(bytes, 6, bytes.length) ?? assert.fail('it can be read');
  const fields = { exchange, routingKey, redelivered: false, deliveryTag: 1, consumerTag: 'c' };
  const message = { fields, properties, content: body } as unknown as ConsumeMessage;
  return new AmqpDelivery(message, { queue, counts: () => false }, epoch, 1);
}

/** What is written of a message, as the payload of its content header. */
function written(message: OutgoingMessage): Buffer {
  const { properties, priority, ttlMs, body, mustRoute, source } = message;
  const carried = source && { [CARRIED]: { source, clusterId: properties.clusterId } };
  const headers = Object.assign(Object.create(null), properties.headers, carried);
  const { clusterId: _, ...others } = properties;
  const fields = { ...others, priority, expiration: expirationOf(ttlMs), mandatory: mustRoute };
  return contentHeaders.write({ ...fields, ...addressOf(names, message), headers }, body.length);
}

/** It travels to where somebody reads it. */
const travel = (message: OutgoingMessage, queue = 'billing') =>
  delivered(written(message), message.body, { ...addressOf(names, message), queue });

const publishedTo = ({ body, ...message }: WildMessage) =>
  delivered(wildHeader({ body, ...message }), body, {
    exchange: 'hopline.events',
    routingKey: 'order.placed',
  });

const next = {
  ...{ attempt: 2, exceptions: 1, releases: 0, firstAttemptAt: AT, elapsedMs: 4_000 },
  unhandledSince: undefined,
  follows: undefined,
};
const givenUp = {
  ...{ reason: 'exhausted' as const, error: new Error('no'), attempt: 1, exceptions: 0 },
  ...{ firstAttemptAt: AT, failedAt: AT },
};

const retried = (delivery: Delivery) => delayedCopy(receive(delivery, names), 4_000, next, 30_000);
const buried = (delivery: Delivery) => deadLetter(receive(delivery, names), givenUp, 30_000);

const PASSED: ReadonlySet<string> = new Set(['CC', 'BCC']);

/** What is the publisher's of its headers, each as it lies there. */
function headersOf(headers: readonly WildHeader[] = []): string[] {
  return headers
    .filter(({ name: bytes }) => {
      const name = bytes.toString();
      return !isOwnHeader(name) && !isBrokerHeader(name) && !PASSED.has(name);
    })
    .map(({ name, value }) => `${name.toString('hex')} ${value.toString('hex')}`);
}

const TEXTS = [
  ...(['contentType', 'contentEncoding', 'correlationId', 'replyTo', 'messageId', 'type', 'appId'] as const),
  ...(['clusterId', 'timestamp', 'priority'] as const),
];

/** That the delivery has all that was published, octet by octet. */
function assertWhole({ source }: Delivery, { values, headers }: WildMessage): void {
  const { encoded } = source ?? assert.fail('it has bytes');
  const theirs = encoded.headers.map(({ name, bytes }) => {
    const [length = 0] = bytes;
    return isBrokerHeader(name)
      ? []
      : [{ name: bytes.subarray(1, 1 + length), value: bytes.subarray(1 + length) }];
  });
  assert.deepEqual(headersOf(theirs.flat()), headersOf(headers));
  for (const name of TEXTS) {
    if (name === 'messageId' && !values.messageId?.length) continue;
    assert.deepEqual(encoded.value(name), values[name], name);
  }
}

describe('what any client has published', () => {
  it('travels through retries to the dead letters and back, byte for byte, headers and properties', () => {
    fc.assert(
      fc.property(anyWildMessage, (message) => {
        const first = publishedTo(message);
        const second = travel(retried(first));
        assertWhole(second, message);
        const third = travel(retried(second));
        const letter = travel(buried(third), 'billing.dead');
        assertWhole(letter, message);
        const read = readLetter(letter, names);
        assertWhole(travel(toQueue(read, 'billing', 30_000)), message);
        assertWhole(travel(republished(read, 30_000)), message);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is exported and imported byte for byte', () => {
    fc.assert(
      fc.property(anyWildMessage, (message) => {
        const letter = readLetter(travel(buried(publishedTo(message)), 'billing.dead'), names);
        const imported = travel(deadLetterOf(decodeLine(encodeLine(letter)), 30_000), 'billing.dead');
        assertWhole(imported, message);
        assert.deepEqual(readLetter(imported, names), letter);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is exported as one line, also to who takes other separators for its end', () => {
    const letter = readLetter(travel(buried(publishedTo(wild([]))), 'billing.dead'), names);
    const line = encodeLine({ ...letter, error: 'Error: a\u2028b\u2029c' });
    assert.doesNotMatch(line, /[\u2028\u2029]/);
    assert.equal(JSON.parse(line).error, 'Error: a\u2028b\u2029c');
  });

  it('is imported from a line of the version before, as values, and as it was edited from one of this', () => {
    const message = wild([header('a', Buffer.from('I\0\0\0\x05')), header('b', Buffer.from('V'))]);
    const line = JSON.parse(
      encodeLine(readLetter(travel(buried(publishedTo(message)), 'billing.dead'), names)),
    );
    assert.deepEqual([line.v, line.headers], [2, { a: { $int32: 5 }, b: null }]);
    const headersOfImported = (given: object) =>
      travel(
        deadLetterOf(decodeLine(JSON.stringify({ ...line, ...given })), 30_000),
      ).source?.encoded.headers.map(({ bytes }) => bytes.toString('latin1'));
    assert.deepEqual(headersOfImported({ headers: { a: { $uint8: 200 } } }), ['\x01aB\xc8']);
    assert.deepEqual(
      headersOfImported({ v: 1, headers: { a: 5, at: { '!': 'timestamp', value: 2 ** 45 } } }),
      ['\x01ab\x05', `\x02atT\0\0\x20${'\0'.repeat(5)}`],
    );
    assert.throws(() => headersOfImported({ v: 3 }), /expected v to be 1 or 2, got 3/);
    assert.throws(() => headersOfImported({ headers: { a: { $what: 1 } } }), /no type '\$what'/);
    assert.throws(
      () => headersOfImported({ properties: { priority: 256 } }),
      /priority to be a number of 8 bits/,
    );
    assert.throws(
      () => headersOfImported({ properties: { type: 'x'.repeat(256) } }),
      /type to have at most 255/,
    );
    assert.throws(() => headersOfImported({ properties: { size: 1 } }), /unknown property 'size'/);
  });

  it('has what somebody else has changed on the way, as a tracer does, once and as it is now', () => {
    const copy = retried(publishedTo(wild([header('traceparent', text('old')), header('a', text('b'))])));
    Object.assign(copy.properties.headers ?? {}, { traceparent: 'new' });
    assertWhole(travel(copy), wild([header('a', text('b')), header('traceparent', text('new'))]));
  });

  it('keeps the same id for those who handle it, however its bytes read', () => {
    fc.assert(
      fc.property(anyWildMessage, (message) => {
        const first = receive(publishedTo(message), names);
        const copy = receive(travel(delayedCopy(first, 4_000, next, 30_000)), names);
        if (message.values.messageId?.length) assert.equal(copy.messageId, first.messageId);
        else assert.match(copy.messageId ?? '', /^[0-9a-f-]{36}$/);
      }),
      { numRuns: 300 },
    );
  });
});

const text = (value: string) => Buffer.concat([Buffer.from('S'), counted(Buffer.from(value))]);
const header = (name: string, value: Buffer): WildHeader => ({ name: Buffer.from(name), value });
const wild = (headers: readonly WildHeader[], values: WildMessage['values'] = {}): WildMessage => ({
  values,
  headers,
  body: Buffer.from('{}'),
});

function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const entriesIn = (delivery: Delivery) =>
  (delivery.source ?? assert.fail('no bytes')).encoded.entries.map(({ name }) => name.toString());

describe('headers that can not travel as they are', () => {
  it('and were not read to their end travel as far as they were, and what is missing is named', () => {
    const five = Buffer.from('I\0\0\0\x05');
    const message = wild([
      header('twice', five),
      header('odd', Buffer.from('?')),
      header('twice', Buffer.from('I\0\0\0\x06')),
    ]);
    const letter = travel(buried(publishedTo(message)));
    assertWhole(letter, wild([header('twice', five)]));
    assert.equal(letter.properties.headers['hopline-dropped-headers'], 'header "odd"');
  });

  it('for want of room are left out by their true size, all of one name together', () => {
    const large = text('x'.repeat(40_000));
    const message = wild([
      header('twice', large),
      header('twice', text('y')),
      header('a', text('z'.repeat(100))),
    ]);
    const copy = retried(publishedTo(message));
    assert.equal(travel(copy).properties.headers.twice, 'y');
    const lighter = lightened(copy) ?? assert.fail('something is left out');
    assertWhole(travel(lighter), wild([header('a', text('z'.repeat(100)))]));
    assert.equal(lighter.properties.headers?.['hopline-dropped-headers'], 'twice');
  });

  it('since ours are forged in them, twice and large, leave the least dead letter as small as ever', () => {
    const message = wild([
      header('hopline-chain', text('x'.repeat(60_000))),
      header('hopline-chain', text('short')),
      header('theirs', text('x')),
    ]);
    const letter = leastLetter(receive(publishedTo(message), names), givenUp, 30_000);
    assert.ok(written(letter).length < 8_000);
    assert.deepEqual(
      entriesIn(travel(letter)).filter((name) => !name.startsWith('hopline-')),
      [],
    );
  });

  it('since the broker would act on them are set aside, shown, and sent as they were only if the broker takes them so', () => {
    const list = Buffer.concat([Buffer.from('A'), counted(text('copy'))]);
    const letterOf = (headers: readonly WildHeader[]) =>
      readLetter(travel(buried(travel(retried(publishedTo(wild(headers))))), 'billing.dead'), names);
    const good = letterOf([header('CC', list)]);
    assert.deepEqual({ ...good.headers }, { CC: ['copy'] });
    const again = republished(good, 30_000).properties.headers;
    assert.deepEqual([again?.CC, again?.['hopline-dropped-headers']], [['copy'], undefined]);

    const bad = letterOf([header('CC', text('text')), header('BCC', list), header('a', text('b'))]);
    assert.deepEqual({ ...bad.headers }, { CC: 'text', BCC: ['copy'], a: 'b' });
    const { 'hopline-run': _, ...refused } = republished(bad, 30_000).properties.headers ?? {};
    assert.deepEqual(refused, { a: 'b', 'hopline-dropped-headers': 'CC, BCC' });
    const queued = toQueue(bad, 'billing', 30_000).properties.headers ?? {};
    assert.deepEqual(
      [queued.CC, queued.BCC, queued['hopline-cc'], queued['hopline-bcc']],
      [undefined, undefined, 'text', ['copy']],
    );
  });
});
