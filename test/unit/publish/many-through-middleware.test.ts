import assert from 'node:assert/strict';
import { ManyEntries } from '../../../src/features/outbox/many-entries.js';
import type { Published } from '../../../src/message/published.js';
import type { WrapEach } from '../../../src/pipeline/sender.js';
import { type PublishManyParts, publishMany } from '../../../src/publish/publish-many.js';
import { systemClock } from '../../../src/util/clock.js';

const published = (messageId: string): Published => ({ messageId, confirmed: true, dueAt: undefined });

/** Middleware that lets one payload go on at a time, until its result is there. */
function oneByOne(): { wrap: WrapEach; results: string[] } {
  const results: string[] = [];
  let before: Promise<unknown> = Promise.resolve();
  const wrap = (payload: unknown, publish: Parameters<WrapEach>[1]) => {
    const own = before.then(() => publish(payload, {}, undefined));
    before = own.then(
      ({ messageId }) => results.push(messageId),
      (error: Error) => results.push(error.message),
    );
    return own;
  };
  return { wrap: wrap as WrapEach, results };
}

function* breaking() {
  yield 'a';
  throw new Error('no more');
}

describe('many payloads through middleware', () => {
  const parts = (wrap: WrapEach): PublishManyParts => ({
    ...{ routingKey: 'k', pack: 10, packBytes: 1_000, wrap, clock: systemClock },
    prepare: async (payload) => ({
      call: { options: {} } as never,
      body: Buffer.from(JSON.stringify(payload)),
    }),
    send: async (items) => published(items.map(({ body }) => body.toString()).join()),
  });
  const entries = (wrap: WrapEach, added: string[][]) =>
    new ManyEntries(
      async (all) => void added.push(all.map(({ messageId }) => messageId)),
      wrap,
      async (payload) => ({ messageId: String(payload), routingKey: 'k', orderKey: undefined, message: '' }),
      published,
      systemClock,
    );

  it('that lets a payload wait for the result of the one before are published, in packs that are not full', async () => {
    const { wrap, results } = oneByOne();
    assert.equal((await publishMany(['a', 'b', 'c'], parts(wrap))).count, 3);
    assert.deepEqual(results, ['"a"', '"b"', '"c"']);
  });

  it('that lets a payload wait for the result of the one before are added to an outbox', async () => {
    const { wrap, results } = oneByOne();
    const added: string[][] = [];
    assert.deepEqual(await entries(wrap, added).addAll(['a', 'b', 'c']), { count: 3, failures: [] });
    assert.deepEqual(
      [added, results],
      [
        [['a'], ['b'], ['c']],
        ['a', 'b', 'c'],
      ],
    );
  });

  it('end for the middleware, too, if there are no more because of an error', async () => {
    for (const run of [
      (wrap: WrapEach) => publishMany(breaking(), parts(wrap)),
      (wrap: WrapEach) => entries(wrap, []).addAll(breaking()),
    ]) {
      const { wrap, results } = oneByOne();
      await assert.rejects(run(wrap), /no more/);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(results, ['no more']);
    }
  });
});
