import assert from 'node:assert/strict';
import fc from 'fast-check';
import { v4, v7 } from 'uuid';
import { publishedAtOf } from '../../../src/message/wire/published-at.js';

describe('publishedAt', () => {
  it('has the milliseconds of a UUIDv7 message id', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (msecs) => {
        const messageId = v7({ msecs });
        assert.equal(publishedAtOf({ messageId, timestamp: 1 }), msecs);
        assert.equal(publishedAtOf({ messageId: messageId.toUpperCase() }), msecs);
        assert.equal(publishedAtOf({ messageId: `${messageId}.17` }), msecs);
        assert.equal(publishedAtOf({ messageId: `urn:uuid:${messageId}` }), msecs);
      }),
    );
  });

  it("has the protocol's seconds when the id is none of ours", () => {
    for (const messageId of [
      undefined,
      '',
      'order-17',
      v4(),
      `${v7()}0`,
      ` ${v7()}`,
      `uuid:${v7()}`,
      `urn:uuid:${v4()}`,
      7 as unknown as string,
    ]) {
      const properties = messageId === undefined ? {} : { messageId };
      assert.equal(publishedAtOf({ ...properties, timestamp: 1_767_603_600 }), 1_767_603_600_000);
      assert.equal(publishedAtOf(properties), undefined);
    }
  });

  it('has the milliseconds of a timestamp that would be thousands of years away in seconds', () => {
    assert.equal(publishedAtOf({ timestamp: 1_767_603_600_123 }), 1_767_603_600_123);
    assert.equal(publishedAtOf({ timestamp: 99_999_999_999 }), 99_999_999_999_000);
  });

  it('is unknown when the timestamp is thousands of years away in milliseconds, too', () => {
    for (const timestamp of [1_767_603_600_000_000, 1e14, 2 ** 63])
      assert.equal(publishedAtOf({ timestamp }), undefined);
  });

  it('is unknown when the timestamp is no number', () => {
    assert.equal(publishedAtOf({ timestamp: new Date() as unknown as number }), undefined);
  });
});
