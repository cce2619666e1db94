import assert from 'node:assert/strict';
import { Passage } from '../../../src/failures/reading/passage.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import type { Consumer, Session } from '../../../src/transport/transport.js';

describe('a passage through dead letters', () => {
  it('that leaves some where they lie ends when the others lie beside them again', async () => {
    const clock = new ManualClock();
    // Eight, of which the broker has what was held back after two looks only.
    const ready = [4, 4, 8];
    const session = queueOf(4, () => (ready.length > 1 ? ready.shift() : ready[0]));
    const options = { queue: 'mails.dead', pick: () => undefined };
    const passage = new Passage(session, clock, options, { most: 4, isBounded: true, waiting: 8 });
    const ending = passage.toEnd();
    for (let step = 0; step < 10; step += 1) await clock.advance(10);
    assert.equal(await ending, 4);
    assert.deepEqual(ready, [8]);
  });
});

/** A session with one queue that hands out so many letters, and says what is asked of it. */
function queueOf(letters: number, ready: () => number | undefined): Session {
  const consumer: Consumer = { setPrefetch: async () => {}, cancel: async () => {}, close: async () => {} };
  return {
    inspect: async () => ({ ready: ready() ?? 0, consumers: 0 }),
    consume: async (_queue, _options, sink) => {
      for (let each = 0; each < letters; each += 1) sink.deliver({} as never);
      return consumer;
    },
  } as Partial<Session> as Session;
}
