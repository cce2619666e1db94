import assert from 'node:assert/strict';
import { policyProblem, RETRY_DEFAULTS, RETRY_FIELDS, retryPolicy } from '../../../src/retry/policy.js';
import { problemsOf } from '../../../src/util/check.js';

describe('a retry policy', () => {
  it('takes each option from the first that gives it, and the rest from the defaults', () => {
    const handler = { tries: 2 };
    const bus = { tries: 9, backoff: '7s', jitter: 0.5 } as const;
    assert.deepEqual(retryPolicy(handler, bus), { ...RETRY_DEFAULTS, tries: 2, backoff: '7s', jitter: 0.5 });
    assert.deepEqual(retryPolicy(undefined, bus), { ...RETRY_DEFAULTS, ...bus });
    assert.deepEqual(retryPolicy(undefined, undefined), RETRY_DEFAULTS);
    assert.deepEqual(retryPolicy(), RETRY_DEFAULTS);
  });

  it('takes undefined for not given, and 0 for given', () => {
    const handler = { tries: undefined, jitter: 0, backoff: 0 } as never;
    const policy = retryPolicy(handler, { tries: 3, jitter: 0.9, backoff: '1s' });
    assert.deepEqual([policy.tries, policy.jitter, policy.backoff], [3, 0, 0]);
  });

  it('has the defaults that the docs name', () => {
    assert.deepEqual(RETRY_DEFAULTS, {
      tries: 5,
      backoff: ['1s', '4s', '16s', '1m', '4m'],
      jitter: 0,
      maxExceptions: Number.POSITIVE_INFINITY,
      retryFor: Number.POSITIVE_INFINITY,
      retryUntil: undefined,
      on: [],
      failOnTimeout: false,
    });
  });

  it('must end every message: endless tries need another limit', () => {
    const endless = { tries: Number.POSITIVE_INFINITY };
    assert.match(
      policyProblem(retryPolicy(endless)) ?? '',
      /tries is Infinity.*maxExceptions, retryFor or retryUntil/,
    );
    for (const end of [{ maxExceptions: 9 }, { retryFor: '1d' as const }, { retryUntil: () => new Date() }])
      assert.equal(policyProblem(retryPolicy(endless, end)), undefined);
    assert.equal(policyProblem(retryPolicy()), undefined);
  });
});

describe("a retry policy's options", () => {
  const problems = (options: object) => problemsOf(options, 'retry', RETRY_FIELDS);

  it('may be any of the documented forms', () => {
    const good = [
      {},
      { tries: Number.POSITIVE_INFINITY, retryUntil: () => new Date() },
      { on: [] },
      {
        on: [
          { error: RangeError, then: 'dead-letter' },
          { error: () => true, then: 'retry', backoff: [0, '1s'] },
          { error: class {}, then: 'discard' },
        ],
      },
      { tries: 1, maxExceptions: 1, retryFor: '24h', jitter: 0 },
      { jitter: 1, backoff: 0 },
      { backoff: '30s' },
      { backoff: ['30s', 500] },
      { backoff: () => '1s' },
      { backoff: { exponential: { first: '1s' } } },
      { backoff: { exponential: { first: '1s', factor: 1, max: '1h' } } },
    ];
    for (const options of good) assert.deepEqual(problems(options), []);
  });

  it('are refused one by one, and all at once', () => {
    const wrong = [
      ...[
        { tries: 0 },
        { tries: 1.5 },
        { tries: '3' },
        { tries: Number.NaN },
        { retryUntil: new Date() },
        { maxExceptions: 0 },
      ],
      ...[{ jitter: -0.1 }, { jitter: 1.1 }, { jitter: Number.NaN }, { jitter: '0.5' }, { retryFor: 'soon' }],
      ...[{ backoff: [] }, { backoff: ['1s', 'x'] }, { backoff: 'x' }, { backoff: -1 }, { backoff: null }],
      ...[{ backoff: {} }, { backoff: { exponential: {} } }, { backoff: { exponential: { first: 'x' } } }],
      { backoff: { exponential: { first: '1s', factor: 0.5 } } },
      { backoff: { exponential: { first: '1s', factor: Number.POSITIVE_INFINITY } } },
      { backoff: { exponential: { first: '1s', max: 'x' } } },
      { backoff: { exponential: { first: '1s', fist: '1s' } } },
      { backoff: { exponential: { first: '1s' }, linear: 1 } },
      { on: RangeError },
      { on: [{ error: 'RangeError', then: 'retry' }] },
      { on: [{ error: RangeError }] },
      { on: [{ error: RangeError, then: 'ignore' }] },
      { on: [{ error: RangeError, then: 'retry', backoff: 'x' }] },
      { on: [{ error: RangeError, then: 'discard', backoff: '1s' }] },
      { on: [{ error: RangeError, then: 'retry', tries: 3 }] },
      { trise: 3 },
    ];
    for (const options of wrong) assert.equal(problems(options).length, 1, JSON.stringify(options));
    assert.deepEqual(problems({ tries: 0, jitter: 2, tryes: 3 }), [
      'unknown option retry.tryes, did you mean tries?',
      'expected retry.tries to be a positive integer or Infinity, got 0',
      'expected retry.jitter to be a number from 0 to 1, got 2',
    ]);
  });
});
