import assert from 'node:assert/strict';
import { validate, version } from 'uuid';
import { newMessageId } from '../../../src/message/message-id.js';
import { publishedAtOf } from '../../../src/message/wire/published-at.js';

/** More than are made of random bits at once. */
const MANY = 1_000;

const idsAt = (now: number) => Array.from({ length: MANY }, () => newMessageId(now));

describe('a new message id', () => {
  it('is a UUIDv7, with the millisecond that it is made in', () => {
    for (const now of [0, 1, 1_700_000_000_000, 1_700_000_000_001.75, 2 ** 48 - 1])
      for (const id of idsAt(now)) {
        assert.ok(validate(id) && version(id) === 7, id);
        assert.equal(publishedAtOf({ messageId: id, headers: {} }), Math.floor(now), id);
      }
  });

  it('is of now if no time is given', () => {
    const before = Date.now();
    const at = publishedAtOf({ messageId: newMessageId(), headers: {} }) as number;
    assert.ok(at >= before && at <= Date.now());
  });

  it('differs from every other, in each of its digits but those of time, version and variant', () => {
    const ids = [...idsAt(1), ...idsAt(1)];
    assert.equal(new Set(ids).size, ids.length);
    for (let at = 15; at < 36; at += 1) {
      const seen = new Set(ids.map((id) => id[at]));
      const digits = at === 18 || at === 23 ? 1 : at === 19 ? 4 : 16;
      assert.equal(seen.size, digits, `${at}: ${[...seen]}`);
    }
  });
});
