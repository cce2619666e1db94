import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PublishFields } from '../../../src/transport/amqp/wire/publish-fields.js';
import { NOT_ORDINARY, PublishWriter, spaceFor } from '../../../src/transport/amqp/wire/publish-writer.js';
import { anyBody, anyProperties, publishFrames, shortText } from './library-frames.js';

const body = Buffer.from('{"id":1}');

function spaceOf(options: object, routingKey = 'a.b'): number {
  return spaceFor(publishFrames(1, 'e', routingKey, options, body).fields as unknown as PublishFields, body);
}

describe('a publish that is written in one pass', () => {
  it('is byte for byte what the client library writes, and takes no more space than was said', () => {
    const writer = new PublishWriter();
    const target = fc.tuple(fc.integer({ min: 1, max: 65_535 }), shortText, shortText);
    fc.assert(
      fc.property(target, anyProperties, anyBody, fc.boolean(), (to, properties, bytes, mandatory) => {
        const { fields, write } = publishFrames(...to, { ...properties, mandatory }, bytes);
        const space = spaceFor(fields as unknown as PublishFields, bytes);
        assert.notEqual(space, NOT_ORDINARY);
        const place = Buffer.alloc(space + 10, 0xff);
        const end = writer.write(place, 10, to[0], fields as unknown as PublishFields, bytes);
        assert.deepEqual(place.subarray(10, end), write());
      }),
      { numRuns: 2_000 },
    );
  });

  it('fits where all that can be long is as long as it can be', () => {
    const longest = 'é'.repeat(127);
    const options = Object.fromEntries(
      [
        'contentType',
        'contentEncoding',
        'correlationId',
        'replyTo',
        'messageId',
        'type',
        'userId',
        'appId',
      ].map((name) => [name, longest]),
    );
    const all = { ...options, expiration: '1'.repeat(255), headers: { ['n'.repeat(85)]: '€'.repeat(500) } };
    const { fields, write } = publishFrames(1, longest, longest, { ...all, timestamp: 1, priority: 1 }, body);
    const space = spaceFor(fields as unknown as PublishFields, body);
    const place = Buffer.alloc(space);
    const end = new PublishWriter().write(place, 0, 1, fields as unknown as PublishFields, body);
    assert.deepEqual(place.subarray(0, end), write());
  });

  it('takes a longer way if it is rare or wrong', () => {
    assert.notEqual(spaceOf({}), NOT_ORDINARY);
    const wrong: object[] = [
      { messageId: 'x'.repeat(256) },
      { type: 'é'.repeat(128) },
      { messageId: 5 },
      { appId: null },
      { priority: 256 },
      { priority: 0.5 },
      { timestamp: -1 },
      { timestamp: new Date() },
      { headers: { when: { '!': 'timestamp', value: 1 } } },
      { headers: { list: [] } },
      { headers: { nothing: null } },
      { headers: { ratio: 0.5 } },
      { headers: { large: 2 ** 40 } },
      { headers: { ['n'.repeat(86)]: 1 } },
      { CC: 'elsewhere' },
    ];
    for (const options of wrong) assert.equal(spaceOf(options), NOT_ORDINARY, JSON.stringify(options));
    assert.equal(spaceOf({}, 'é'.repeat(128)), NOT_ORDINARY);
  });

  it('carries inherited headers, as the library hands them on', () => {
    const { fields, write } = publishFrames(1, '', 'q', { headers: { traceparent: '00-ab-cd-01' } }, body);
    assert.equal(
      Object.keys(fields.headers as object).length,
      0,
      'the library has changed: they are its own now',
    );
    const place = Buffer.alloc(spaceFor(fields as unknown as PublishFields, body));
    const end = new PublishWriter().write(place, 0, 1, fields as unknown as PublishFields, body);
    assert.deepEqual(place.subarray(0, end), write());
    assert.ok(place.subarray(0, end).includes('00-ab-cd-01'));
  });
});
