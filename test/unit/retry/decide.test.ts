import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HandlerTimeoutError, UnrecoverableError } from '../../../src/errors.js';
import type { BackoffPolicy } from '../../../src/retry/backoff.js';
import { decide, type FailedAttempt, type RetryDecision } from '../../../src/retry/decide.js';
import type { ErrorRule } from '../../../src/retry/error-rules.js';
import { RETRY_DEFAULTS, type RetryPolicy } from '../../../src/retry/policy.js';
import { type Duration, toMsOrForever } from '../../../src/util/duration.js';

const HOUR = 3_600_000;
const LONGEST_MS = 400 * 24 * HOUR;

const policy = (given: Partial<RetryPolicy> = {}): RetryPolicy => ({ ...RETRY_DEFAULTS, ...given });

const failure = (given: Partial<FailedAttempt> = {}): FailedAttempt => ({
  error: new Error('failed'),
  attempt: 1,
  exceptions: given.attempt ?? 1,
  sinceFirstMs: 0,
  leftMs: Number.POSITIVE_INFINITY,
  ...given,
});

/** The pauses after attempts 1, 2, 3 … of a policy that never gives up. */
function pauses(backoff: BackoffPolicy, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const decision = decide(policy({ backoff, tries: count + 1 }), failure({ attempt: index + 1 }));
    return decision.kind === 'retry' ? decision.delayMs : assert.fail(decision.kind);
  });
}

interface Life {
  readonly attempts: number;
  readonly end: Exclude<RetryDecision, { kind: 'retry' }>;
  /** When the last attempt began. */
  readonly lastBeganMs: number;
}

/** Lives a message through: each attempt takes `handlerMs` and fails with one of the errors; `untilMs` is its end. */
function live(
  retry: RetryPolicy,
  handlerMs: number,
  errors: readonly unknown[],
  untilMs = Number.POSITIVE_INFINITY,
): Life {
  let beganMs = 0;
  for (let attempt = 1; ; attempt += 1) {
    assert.ok(attempt <= 10_000, 'the message never ends');
    const sinceFirstMs = beganMs + handlerMs;
    const error = errors[attempt % errors.length];
    const decision = decide(retry, failure({ error, attempt, sinceFirstMs, leftMs: untilMs - sinceFirstMs }));
    if (decision.kind !== 'retry') return { attempts: attempt, end: decision, lastBeganMs: beganMs };
    beganMs += handlerMs + decision.delayMs;
  }
}

const durationArbitrary: fc.Arbitrary<Duration> = fc.oneof(
  fc.nat(10 * HOUR),
  fc
    .tuple(fc.nat(400), fc.constantFrom('ms', 's', 'm', 'h', 'd'))
    .map(([count, unit]) => `${count}${unit}` as Duration),
);

const backoffArbitrary: fc.Arbitrary<BackoffPolicy> = fc.oneof(
  durationArbitrary,
  fc.array(durationArbitrary, { minLength: 1, maxLength: 6 }),
  fc
    .record(
      {
        first: durationArbitrary,
        factor: fc.double({ min: 1, max: 10, noNaN: true }),
        max: durationArbitrary,
      },
      { requiredKeys: ['first'] },
    )
    .map((exponential) => ({ exponential }) as BackoffPolicy),
  fc.func(fc.anything()).map((answer) => answer as BackoffPolicy),
  fc.constant<BackoffPolicy>(() => {
    throw new Error("the user's own bug");
  }),
);

class CardRefused extends Error {}
class Elsewhere {}

const ERRORS = [
  new CardRefused('no'),
  new Error('any'),
  new HandlerTimeoutError('h', '1s'),
  'text',
  undefined,
];

const ruleArbitrary: fc.Arbitrary<ErrorRule> = fc.record(
  {
    error: fc.constantFrom<ErrorRule['error']>(
      CardRefused,
      Elsewhere,
      HandlerTimeoutError,
      (error) => error === 'text',
      () => {
        throw new Error("the user's own bug");
      },
    ),
    then: fc.constantFrom('dead-letter', 'retry', 'discard'),
    backoff: backoffArbitrary,
  },
  { requiredKeys: ['error', 'then'] },
);

const policyArbitrary: fc.Arbitrary<RetryPolicy> = fc.record({
  on: fc.array(ruleArbitrary, { maxLength: 3 }),
  failOnTimeout: fc.boolean(),
  retryUntil: fc.constant(undefined),
  tries: fc.integer({ min: 1, max: 60 }),
  backoff: backoffArbitrary,
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  maxExceptions: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(Number.POSITIVE_INFINITY)),
  retryFor: fc.oneof(durationArbitrary, fc.constant(Number.POSITIVE_INFINITY)),
});

const errorsArbitrary = fc.array(fc.constantFrom(...ERRORS), { minLength: 1, maxLength: 4 });
const untilArbitrary = fc.oneof(
  fc.integer({ min: -HOUR, max: 100 * HOUR }),
  fc.constant(Number.POSITIVE_INFINITY),
);

describe('the decision about a failed attempt', () => {
  it('lets every message end, after no more than its tries and its exceptions, and begins none after retryFor', () => {
    fc.assert(
      fc.property(
        policyArbitrary,
        fc.nat(HOUR),
        errorsArbitrary,
        untilArbitrary,
        (retry, handlerMs, errors, untilMs) => {
          const { attempts, end, lastBeganMs } = live(retry, handlerMs, errors, untilMs);
          const limit = Math.min(retry.tries, retry.maxExceptions);
          assert.ok(attempts <= limit, `${attempts} attempts of ${limit}`);
          const endsAtMs = Math.min(untilMs, toMsOrForever(retry.retryFor));
          if (attempts > 1) assert.ok(lastBeganMs <= endsAtMs, `an attempt began after ${lastBeganMs} ms`);
          const reason = end.kind === 'give-up' ? end.reason : end.kind;
          if (reason === 'exhausted') assert.equal(attempts, limit);
          if (reason === 'discard') assert.ok(retry.on.some((rule) => rule.then === 'discard'));
          if (reason === 'unrecoverable') assert.ok(retry.on.some((rule) => rule.then === 'dead-letter'));
          if (reason === 'timeout') assert.ok(retry.failOnTimeout);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('gives delays that the broker can carry: 0, or from 100 ms to 400 days, in whole milliseconds', () => {
    fc.assert(
      fc.property(policyArbitrary, fc.nat(100), (given, attempt) => {
        const decision = decide(
          { ...given, tries: 1_000, maxExceptions: 1_000 },
          failure({ attempt: attempt + 1 }),
        );
        if (decision.kind !== 'retry') return;
        const { delayMs } = decision;
        assert.ok(Number.isInteger(delayMs));
        assert.ok(delayMs === 0 || (delayMs >= 100 && delayMs <= LONGEST_MS), String(delayMs));
      }),
      { numRuns: 1_000 },
    );
  });

  it('allows the last try and no further one', () => {
    assert.equal(decide(policy({ tries: 3 }), failure({ attempt: 2 })).kind, 'retry');
    assert.deepEqual(decide(policy({ tries: 3 }), failure({ attempt: 3 })), {
      kind: 'give-up',
      reason: 'exhausted',
    });
    assert.deepEqual(decide(policy({ tries: 1 }), failure()), { kind: 'give-up', reason: 'exhausted' });
  });

  it('counts throws apart from tries', () => {
    const retry = policy({ tries: 10, maxExceptions: 3 });
    assert.equal(decide(retry, failure({ attempt: 5, exceptions: 2 })).kind, 'retry');
    assert.deepEqual(decide(retry, failure({ attempt: 5, exceptions: 3 })), {
      kind: 'give-up',
      reason: 'exhausted',
    });
  });

  it('gives up when the next attempt would begin after retryFor, to the millisecond', () => {
    const retry = policy({ backoff: '10s', retryFor: '1m' });
    assert.equal(decide(retry, failure({ sinceFirstMs: 50_000 })).kind, 'retry');
    assert.deepEqual(decide(retry, failure({ sinceFirstMs: 50_001 })), {
      kind: 'give-up',
      reason: 'expired',
    });
    assert.deepEqual(decide(policy({ backoff: '1d', retryFor: 0 }), failure()), {
      kind: 'give-up',
      reason: 'expired',
    });
  });

  it('gives an UnrecoverableError up at once, a class of its own included', () => {
    class CardRefused extends UnrecoverableError {}
    for (const error of [new UnrecoverableError('no'), new CardRefused('no')]) {
      const decision = decide(policy({ tries: 100 }), failure({ error }));
      assert.deepEqual(decision, { kind: 'give-up', reason: 'unrecoverable' });
    }
    const wrapped = new Error('no', { cause: new UnrecoverableError('no') });
    assert.equal(decide(policy(), failure({ error: wrapped })).kind, 'retry');
  });

  it('gives up when the next attempt would begin after the moment that retryUntil names, to the millisecond', () => {
    const retry = policy({ backoff: '10s' });
    assert.equal(decide(retry, failure({ leftMs: 10_000 })).kind, 'retry');
    assert.deepEqual(decide(retry, failure({ leftMs: 9_999 })), { kind: 'give-up', reason: 'expired' });
    assert.deepEqual(decide(policy({ backoff: 0 }), failure({ leftMs: -1 })), {
      kind: 'give-up',
      reason: 'expired',
    });
  });

  it('follows the first rule that matches the error: by class, subclasses included, or by predicate', () => {
    class Declined extends Error {}
    class Stolen extends Declined {}
    const on: ErrorRule[] = [
      { error: Stolen, then: 'discard' },
      { error: Declined, then: 'dead-letter' },
      { error: (error) => error === 'busy', then: 'retry', backoff: '7s' },
      { error: Elsewhere, then: 'retry' },
    ];
    const of = (error: unknown) => decide(policy({ on, backoff: '1s' }), failure({ error }));
    assert.deepEqual(of(new Stolen()), { kind: 'discard' });
    assert.deepEqual(of(new Declined()), { kind: 'give-up', reason: 'unrecoverable' });
    assert.deepEqual(of('busy'), { kind: 'retry', delayMs: 7_000 });
    assert.deepEqual(of(new Elsewhere()), { kind: 'retry', delayMs: 1_000 });
    assert.deepEqual(of(new Error('other')), { kind: 'retry', delayMs: 1_000 });
    // A rule for retrying grants no further try, and nothing overrules an UnrecoverableError but a discard.
    assert.equal(decide(policy({ on, tries: 1 }), failure({ error: 'busy' })).kind, 'give-up');
    const error = new UnrecoverableError('no');
    for (const [then, kind] of [
      ['retry', 'give-up'],
      ['discard', 'discard'],
    ] as const)
      assert.equal(
        decide(policy({ on: [{ error: UnrecoverableError, then }] }), failure({ error })).kind,
        kind,
      );
  });

  it('gives a timeout up at once if the policy says so, and counts it as a failed attempt if not', () => {
    const error = new HandlerTimeoutError('Slow', '30s');
    assert.equal(decide(policy(), failure({ error })).kind, 'retry');
    assert.deepEqual(decide(policy({ failOnTimeout: true }), failure({ error })), {
      kind: 'give-up',
      reason: 'timeout',
    });
    assert.equal(decide(policy({ failOnTimeout: true }), failure()).kind, 'retry');
  });

  it('decides about whatever was thrown', () => {
    for (const error of [undefined, null, 'text', 0, { odd: true }, Object.create(null)]) {
      assert.equal(decide(policy(), failure({ error })).kind, 'retry');
    }
  });
});

describe('backoff', () => {
  it('by default is 1 s, 4 s, 16 s, 1 min', () => {
    assert.deepEqual(pauses(RETRY_DEFAULTS.backoff, 5), [1_000, 4_000, 16_000, 60_000, 240_000]);
    const decision = decide(policy(), failure({ attempt: 4 }));
    assert.deepEqual(decision, { kind: 'retry', delayMs: 60_000 });
    assert.equal(decide(policy(), failure({ attempt: 5 })).kind, 'give-up');
  });

  it('as one duration is the same after each attempt', () => {
    assert.deepEqual(pauses('30s', 3), [30_000, 30_000, 30_000]);
    assert.deepEqual(pauses(2_500, 2), [2_500, 2_500]);
  });

  it('as a list goes through it, and repeats the last', () => {
    assert.deepEqual(pauses(['1s', '1m', 100], 5), [1_000, 60_000, 100, 100, 100]);
  });

  it('grows exponentially by the factor, up to the maximum', () => {
    assert.deepEqual(pauses({ exponential: { first: '1s' } }, 4), [1_000, 2_000, 4_000, 8_000]);
    assert.deepEqual(
      pauses({ exponential: { first: '100ms', factor: 10, max: '5s' } }, 4),
      [100, 1_000, 5_000, 5_000],
    );
    assert.equal(
      pauses({ exponential: { first: '1s' } }, 1_000).at(-1),
      HOUR,
      'where the power is no number any more',
    );
  });

  it('as a function is asked with the attempt that failed and its error', () => {
    const asked: unknown[] = [];
    const error = new Error('this one');
    const backoff = (attempt: number, reason: unknown): Duration => {
      asked.push([attempt, reason]);
      return `${attempt}m`;
    };
    assert.deepEqual(decide(policy({ backoff }), failure({ attempt: 3, error })), {
      kind: 'retry',
      delayMs: 180_000,
    });
    assert.deepEqual(asked, [[3, error]]);
  });

  it('as a function that throws or answers nonsense is a minute: the message neither loops nor is lost', () => {
    const broken = () => {
      throw new Error("the user's own bug");
    };
    const nonsense = [
      undefined,
      null,
      Number.NaN,
      -1,
      Number.POSITIVE_INFINITY,
      '',
      'soon',
      '1 s',
      5n,
      {},
      [1_000],
    ];
    for (const backoff of [broken, ...nonsense.map((answer) => () => answer), async () => '1s']) {
      assert.deepEqual(pauses(backoff as BackoffPolicy, 1), [60_000], String(backoff));
    }
  });

  it('of 0 means at once; anything else is at least 100 ms and at most 400 days', () => {
    assert.deepEqual(pauses([0, 1, '99ms', 100, 101], 5), [0, 100, 100, 100, 101]);
    const longest = { exponential: { first: '300d', factor: 1e9, max: '400d' } } as const;
    assert.deepEqual([pauses('400d', 1), pauses(longest, 2)[1]], [[LONGEST_MS], LONGEST_MS]);
  });

  it('with jitter takes off that share at the most, by the source that is given', () => {
    const retry = policy({ backoff: '10s', jitter: 0.4 });
    assert.deepEqual(
      decide(retry, failure(), () => 0),
      { kind: 'retry', delayMs: 10_000 },
    );
    assert.deepEqual(
      decide(retry, failure(), () => 0.5),
      { kind: 'retry', delayMs: 8_000 },
    );
    assert.deepEqual(
      decide(policy({ backoff: 0, jitter: 1 }), failure(), () => 0.5),
      { kind: 'retry', delayMs: 0 },
    );
    assert.deepEqual(
      decide(policy({ backoff: '1s', jitter: 1 }), failure(), () => 1),
      { kind: 'retry', delayMs: 100 },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: LONGEST_MS }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (backoff, jitter, chance) => {
          const decision = decide(policy({ backoff, jitter }), failure(), () => chance);
          assert.ok(decision.kind === 'retry');
          assert.ok(decision.delayMs <= backoff);
          assert.ok(decision.delayMs >= Math.max(100, Math.floor(backoff * (1 - jitter))));
        },
      ),
    );
  });
});
