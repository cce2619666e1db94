import assert from 'node:assert/strict';
import { OutboxSender } from '../../../src/features/outbox/outbox-publisher.js';
import type { OutboxEntry } from '../../../src/stores/outbox.js';
import { systemClock } from '../../../src/util/clock.js';

describe('a publisher into an outbox', () => {
  it('adds many in few statements, and of large ones only a few at once', async () => {
    const added: (readonly OutboxEntry[])[] = [];
    const publisher = new OutboxSender(
      {
        compose: ({ key = '', payload }) => {
          const body = Buffer.from(JSON.stringify(payload));
          const options = { exchange: 'e' };
          return {
            message: { key, type: key, body, contentType: 'application/json', options },
            checking: undefined,
          };
        },
        plan: () => Promise.reject(new Error('no chains here')),
      },
      async (entries) => void added.push(entries),
      'shop',
      systemClock,
    );
    const sizes = async (payloads: readonly unknown[]) => {
      await publisher.dispatchMany('send', 'k', payloads);
      return added.splice(0).map(({ length }) => length);
    };
    assert.deepEqual(await sizes(Array.from({ length: 700 }, () => 1)), [500, 200]);
    const large = 'x'.repeat(3_000_000);
    assert.deepEqual(await sizes([large, large, large, 1, 1]), [2, 3]);
    assert.deepEqual(await sizes([]), []);
  });
});
