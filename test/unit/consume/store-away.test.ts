import assert from 'node:assert/strict';
import { storeAway } from '../../../src/pipeline/errors/store-away.js';

describe('a store that can not be asked about a message', () => {
  it('has the message come back in 5 s without a failed attempt, and is named in a warning', () => {
    const lines: [object, string][] = [];
    const log = { warn: (fields: object, message: string) => void lines.push([fields, message]) };
    const error = new Error('connection refused');
    assert.deepEqual(storeAway(log, error, 'no transaction could be begun', { batchId: 'b' }), {
      kind: 'release',
      delayMs: 5_000,
      unhandled: false,
    });
    assert.deepEqual(lines, [
      [{ batchId: 'b', error }, 'no transaction could be begun: the message comes back later'],
    ]);
  });
});
