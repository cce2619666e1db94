import assert from 'node:assert/strict';
import { HandlerContext } from '../../../src/consume/attempt/context.js';
import { failedStage } from '../../../src/consume/attempt/failed-stage.js';
import { type Ending, runHandler, type TimedCode } from '../../../src/consume/attempt/run-handler.js';
import { Running } from '../../../src/consume/attempt/running.js';
import type { AttemptEvents } from '../../../src/consume/report/attempt-events.js';
import { HandlerTimeoutError } from '../../../src/errors.js';
import type { BatchSender } from '../../../src/features/batch/context.js';
import type { StepSender } from '../../../src/features/chain/context.js';
import type { Sender } from '../../../src/message/publisher.js';
import type { RequestSender } from '../../../src/message/requests/requester.js';
import type { AttemptLease } from '../../../src/pipeline/lease.js';
import { RETURN } from '../../../src/pipeline/outcome.js';
import type { Stores } from '../../../src/stores/stores.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { handler, workFor } from './fixtures.js';

describe('running a handler', () => {
  let clock: ManualClock;
  let context: HandlerContext;
  let timeouts: number[];
  beforeEach(() => {
    clock = new ManualClock();
    timeouts = [];
    const its = handler('Slow', ['slow']);
    context = new HandlerContext(workFor(its), its, {
      service: 'shop',
      sender: {} as Sender,
      requests: {} as RequestSender,
      steps: {} as StepSender,
      batches: {} as BatchSender,
      stores: {} as Stores,
      clock,
      log: silentLogger,
      stopping: { isStopping: false },
      jobs: { progress: () => {} },
    });
  });
  afterEach(() => assert.equal(clock.armed, 0, 'a timer was left behind'));

  const code = (run: TimedCode['run']): TimedCode => ({
    name: 'Slow',
    run,
    timeoutMs: 1_000,
    graceMs: 500,
    clock,
    onTimeout: () => timeouts.push(clock.monotonic()),
  });

  /** Runs the code, and tells when it ended. */
  const run = (its: TimedCode['run']) => {
    const ended: { ending?: Ending; at?: number } = {};
    void Promise.resolve(runHandler(code(its), 'payload', context)).then((ending) => {
      Object.assign(ended, { ending, at: clock.monotonic() });
    });
    return ended;
  };

  it('does not begin under a lease that was lost while its message waited: another run has it, or will; nor does failed()', async () => {
    const calls: string[] = [];
    const running = new Running({
      clock,
      events: {} as AttemptEvents,
      verdicts: { ended: () => assert.fail() },
    });
    context.work.lease = { isLost: true } as AttemptLease;
    assert.equal(running.handling(code(() => calls.push('handler')))(context), RETURN);
    const dead = { kind: 'dead-letter', reason: 'exhausted', error: new Error('failed') } as const;
    const failed = failedStage(() => void calls.push('failed'), code(assert.fail));
    assert.equal(await failed(() => dead)(context), dead);
    assert.deepEqual(calls, []);
  });

  it('that returns at once costs no promise and no timer', () => {
    for (const result of [undefined, 0, 'text', { then: 'no function' }, null]) {
      const ending = runHandler(
        code(() => result),
        'payload',
        context,
      );
      assert.deepEqual(ending, { kind: 'returned' });
      assert.equal(clock.armed, 0);
    }
  });

  it('gives it payload and context', () => {
    const seen: unknown[] = [];
    void runHandler(
      code((...given) => void seen.push(...given)),
      'payload',
      context,
    );
    assert.deepEqual(seen, ['payload', context]);
  });

  it('tells what it threw, at once, later, or as no Error at all', async () => {
    for (const error of [new Error('failed'), null, 'text', undefined]) {
      const now = runHandler(
        code(() => {
          throw error;
        }),
        'payload',
        context,
      );
      assert.deepEqual(now, { kind: 'threw', error });
      const later = await runHandler(
        code(() => Promise.reject(error)),
        'payload',
        context,
      );
      assert.deepEqual(later, { kind: 'threw', error });
    }
  });

  it('waits for whatever has a then, as await does', async () => {
    const ended = run(() => ({ then: (resolve: () => void) => clock.setTimer(resolve, 300) }));
    await clock.advance(299);
    assert.equal(ended.ending, undefined);
    await clock.advance(1);
    assert.deepEqual(ended.ending, { kind: 'returned' });
  });

  it('at its timeout fires the signal and tells it, but leaves it its place for the grace', async () => {
    const work = deferred();
    const ended = run(() => work.promise);
    const { signal } = context;
    await clock.advance(999);
    assert.equal(signal.aborted, false);
    await clock.advance(1);
    assert.equal(signal.aborted, true);
    assert.ok(signal.reason instanceof HandlerTimeoutError);
    assert.match(signal.reason.message, /handler Slow did not finish within 1s/);
    assert.deepEqual(timeouts, [1_000]);
    assert.equal(ended.ending, undefined);
    await clock.advance(499);
    assert.equal(ended.ending, undefined);
    await clock.advance(1);
    const { ending } = ended as { readonly ending?: Ending };
    assert.ok(ending?.kind === 'timed-out' && ending.leftRunning);
    assert.deepEqual([ending.error, ended.at], [signal.reason, 1_500]);
    work.resolve();
    await ending.leftRunning;
  });

  it('that ends within the grace, however, has timed out all the same', async () => {
    for (const end of ['resolve', 'reject'] as const) {
      const work = deferred();
      const ended = run(() => work.promise);
      await clock.advance(1_200);
      work[end](undefined as never);
      await clock.settle();
      assert.equal(ended.ending?.kind, 'timed-out');
      assert.equal(clock.armed, 0, 'the grace ends with it');
      context.abortReason = undefined;
    }
  });

  it('that ends on its signal ends at the timeout', async () => {
    const ended = run((_payload, its) => {
      const work = deferred();
      its.signal.addEventListener('abort', () => work.reject(its.signal.reason));
      return work.promise;
    });
    await clock.advance(5_000);
    assert.equal(ended.at, 1_000);
    assert.equal(ended.ending?.kind, 'timed-out');
  });

  it('that returns, or throws, after the grace changes nothing any more, and is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    try {
      const work = deferred();
      const ended = run(() => work.promise);
      await clock.advance(2_000);
      const { ending } = ended;
      work.reject(new Error('much too late'));
      await clock.settle();
      assert.equal(ended.ending, ending);
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
  });

  it('reads the signal late and finds it fired already', async () => {
    const ended = run(() => deferred().promise);
    await clock.advance(1_000);
    assert.equal(context.signal.aborted, true);
    await clock.advance(500);
    assert.equal(ended.ending?.kind, 'timed-out');
  });
});
