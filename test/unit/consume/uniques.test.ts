import assert from 'node:assert/strict';
import { Uniques } from '../../../src/features/unique/uniques.js';
import { HEADER } from '../../../src/message/headers.js';
import { encodeUnique } from '../../../src/message/unique.js';
import { DONE, RETURN } from '../../../src/pipeline/outcome.js';
import type { Work } from '../../../src/pipeline/work.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { silentLogger } from '../../../src/util/logger.js';
import { TestDelivery, workFor } from './fixtures.js';

describe('the key of a unique message', () => {
  const clock = new ManualClock();
  const stores = memoryStores(clock);
  const uniques = new Uniques({ stores, log: silentLogger, timeoutGraceMs: 5_000 });

  const work = (messageId: string | undefined = 'mine') => {
    const mark = encodeUnique({ key: 'k', until: 'done', forMs: 60_000, number: undefined });
    const properties = { messageId, headers: { [HEADER.unique]: mark } };
    return workFor(undefined, new TestDelivery({ properties } as never));
  };
  const holder = () => stores.unique.acquire('k', 'another', 1);

  beforeEach(() => stores.unique.acquire('k', 'mine', 60_000));

  const end = async (its: Work) => {
    for (const effect of uniques.effectsOf(its, DONE)) await effect.run();
  };

  it('stays with what goes back', async () => {
    assert.deepEqual(uniques.effectsOf(work(), RETURN), []);
    assert.equal(await holder(), 'mine');
  });

  it('is given back by what is done, and by nobody under another id', async () => {
    await end(work('other'));
    assert.equal(await holder(), 'mine');
    await end(work());
    assert.equal(await holder(), undefined);
    await stores.unique.release('k', 'another');
  });

  it('costs a message nothing that is not unique, or has no id', () => {
    assert.deepEqual(uniques.effectsOf(workFor(), DONE), []);
    const withoutId = workFor(
      undefined,
      new TestDelivery({ properties: { headers: work().received.delivery.properties.headers } }),
    );
    assert.deepEqual(uniques.effectsOf(withoutId, DONE), []);
  });
});
