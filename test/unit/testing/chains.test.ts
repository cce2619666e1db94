import assert from 'node:assert/strict';
import type { Bus } from '../../../src/index.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { explore, NotSettledError, type TestKit, testKit } from '../../../src/testing/index.js';
import { ManualClock } from '../../../src/util/manual-clock.js';

describe('chains in the test kit', () => {
  let kit: TestKit;
  afterEach(() => kit?.stop());

  const steps = (...keys: string[]) => keys.map((key) => ({ key, payload: key }));

  /** Each step passes on what it got, with its own key behind. */
  const collect = (bus: Bus) =>
    bus.handle('step.*', function collect(_payload, { step, routingKey }) {
      step?.pass([...((step.result as string[] | undefined) ?? []), routingKey]);
    });

  it('run to their end, each step published by the handler of the one before', async () => {
    kit = await testKit({ configure: collect });
    await kit.chain([...steps('step.a', 'step.b'), { key: 'step.c', payload: 1, delay: '1h' }]).dispatch();
    await kit.settled();
    kit.handled('step.c').assertNone();
    await kit.advance('1h');
    kit.handled('step.c').assertOnce();
    assert.deepEqual(
      kit.published().all.map(({ routingKey, by, delayMs }) => [routingKey, by, delayMs]),
      [
        ['step.a', 'test', 0],
        ['step.b', 'collect', 0],
        ['step.c', 'collect', 3_600_000],
      ],
    );
  });

  it('tell their failure step what went wrong', async () => {
    const failures: unknown[] = [];
    kit = await testKit({
      retry: { tries: 2, backoff: '1m' },
      configure: (bus) =>
        bus
          .handle('bad', () => {
            throw new Error('out of order');
          })
          .handle('undo', (_payload, { step }) => void failures.push(step?.failure)),
    });
    await kit
      .chain([{ key: 'bad', payload: 1 }, ...steps('never')])
      .onFailure({ key: 'undo', payload: 1 })
      .dispatch();
    await kit.advance('1m');
    const { messageId } = kit.deadLettered('bad').assertOnce();
    const failure = { key: 'bad', number: 1, messageId, reason: 'exhausted', error: 'Error: out of order' };
    assert.deepEqual(failures, [failure]);
    kit.published('never').assertNone();
  });

  it('send the same successor twice when the process dies between its confirm and the ack', async () => {
    kit = await testKit({ configure: collect });
    await kit.crash({ at: 'after-publish', key: 'step.b' });
    await kit.chain(steps('step.a', 'step.b')).dispatch();
    await kit.settled();
    kit.handled('step.a').assertTimes(2);
    // The first may have been handled before the process died, and then comes again as well.
    const [first, second] = kit.published('step.b').assertTimes(2);
    assert.equal(first?.messageId, second?.messageId);
    kit.handled('step.b').assertSome();
  });

  it('go on after a crash before the next step is sent, though the step is idempotent', async () => {
    const clock = new ManualClock();
    const idempotent = { idempotent: {}, name: 'Once', timeout: '10s' } as const;
    const seen: string[] = [];
    kit = await testKit({
      stores: memoryStores(clock),
      configure: (bus) =>
        bus.handle('step.*', (_payload, { routingKey }) => void seen.push(routingKey), idempotent),
    });
    await kit.crash({ at: 'before-publish', key: 'step.b' });
    await kit.chain(steps('step.a', 'step.b')).dispatch();
    await kit.settled();
    assert.deepEqual(seen, ['step.a']);
    await clock.advance(60_000); // the claim of the process that is no more runs out
    await kit.advance('1m');
    assert.deepEqual(seen, ['step.a', 'step.a', 'step.b']);
  });

  it('hold a step while the confirm of the next one is lost, and send that once more', async () => {
    kit = await testKit({ configure: collect });
    kit.loseConfirm({ key: 'step.b' });
    await kit.chain(steps('step.a', 'step.b')).dispatch();
    await kit.settled();
    await kit.advance('1s');
    kit.handled('step.a').assertOnce();
    const [first, second] = kit.handled('step.b').assertTimes(2);
    assert.equal(first?.messageId, second?.messageId);
    assert.match(kit.timeline(), /warning: the next step of a chain cannot be published/);
  });

  it('redeliver: a step that comes again leads to its successor again', async () => {
    kit = await testKit({ configure: collect });
    await kit.chain(steps('step.a', 'step.b')).dispatch();
    await kit.settled();
    kit.redeliver('step.a');
    await kit.settled();
    const [first, second] = kit.handled('step.b').assertTimes(2);
    assert.equal(first?.messageId, second?.messageId);
  });

  it('that never end are found out', async () => {
    kit = await testKit({
      configure: (bus) =>
        bus.handle('round', (_payload, { step }) => step?.append({ key: 'round', payload: 1 })),
    });
    await kit.chain(steps('round')).dispatch();
    await assert.rejects(kit.settled(), (error: NotSettledError) => {
      assert.ok(error instanceof NotSettledError);
      assert.match(error.message, /a cascade does not end/);
      assert.match(error.message, /round → round/);
      return true;
    });
  });

  it('end whatever fault at-least-once delivery allows, if their handlers can tell a duplicate', async () => {
    const explored = await explore({
      runs: 60,
      seed: 7,
      scenario: async (start) => {
        const done = new Map<string | undefined, string>();
        const its = await start({
          configure: (bus) =>
            bus.handle(
              'step.*',
              (_payload, { messageId, routingKey }) => void done.set(messageId, routingKey),
            ),
        });
        const chain = its.chain(steps('step.a', 'step.b', 'step.c'));
        // Its publisher sends it again if it hears nothing.
        await chain.dispatch().catch(() => chain.dispatch());
        await its.advance('10m');
        assert.deepEqual([...done.values()].toSorted(), ['step.a', 'step.b', 'step.c']);
      },
    });
    assert.ok(explored.faults > 0);
  });
});
