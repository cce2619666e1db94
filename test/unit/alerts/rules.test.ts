import assert from 'node:assert/strict';
import { MEASURES } from '../../../src/observe/alerts/measuring/measures.js';
import { readRules } from '../../../src/observe/alerts/rules/read-rules.js';
import { type AlertRule, matches } from '../../../src/observe/alerts/rules/rule.js';

describe('rules of alerts', () => {
  const read = (rule: AlertRule) => {
    const { rules, problems } = readRules([rule], false);
    assert.deepEqual(problems, []);
    return rules[0];
  };

  it('are read from a text, with limits in the unit of what is measured', () => {
    const { limits } = read('queue_length > 1000 warning, > 5000 critical') ?? {};
    assert.deepEqual(limits, { warning: 1_000, critical: 5_000 });
    assert.deepEqual(read('oldest > 5m')?.limits, { warning: 300_000 });
    assert.deepEqual(read('failure_rate > 5% critical')?.limits, { critical: 0.05 });
  });

  it('have clauses in any order', () => {
    assert.deepEqual(read('failure_rate > 5% clear at 50% at least 3 within 5m on orders.* for 10s'), {
      measure: 'failure_rate',
      on: 'orders.*',
      limits: { warning: 0.05 },
      forMs: 10_000,
      withinMs: 300_000,
      atLeast: 3,
      clearAt: 0.5,
    });
  });

  it('have shares as percent or as numbers', () => {
    for (const share of ['50%', '0.5']) {
      const { limits, clearAt } = read(`failure_rate > ${share} clear at ${share}`) ?? {};
      assert.deepEqual([limits, clearAt], [{ warning: 0.5 }, 0.5]);
    }
  });

  it('mean the same as an object', () => {
    const text = 'queue_length > 10 warning, > 20 critical on a* for 5s';
    const object = { measure: 'queue_length', warning: 10, critical: 20, on: 'a*', for: '5s' } as const;
    assert.deepEqual(read(text), read(object));
  });

  it('are taken by default for each measure that has one', () => {
    const { rules } = readRules([], true);
    const measures = Object.entries(MEASURES).filter(([, measure]) => 'byDefault' in measure);
    assert.deepEqual(
      rules.map(({ measure }) => measure),
      measures.map(([name]) => name),
    );
  });

  const wrong: readonly (readonly [AlertRule, RegExp])[] = [
    [
      'queue_lenght > 5',
      /rule "queue_lenght > 5": there is no measure "queue_lenght", did you mean queue_length\?/,
    ],
    ['queue_length 5', /expected '>' and a limit, or 'off' at character 14, got '5'/],
    ['queue_length >', /expected a limit at character 15, it ends/],
    ['queue_length > 5 until 3', /expected 'on', .* at character 18, got 'until'/],
    ['queue_length > 5, > 6', /expected one limit for 'warning' at character 21, got '6'/],
    ['queue_length > 9, > 5 critical', /limit for critical to be above that for a warning/],
    ['queue_length > 5m', /limit of queue_length to be a number from 0 on, got "5m"/],
    ['oldest > 5%', /limit of oldest to be a duration such as '5m', got "5%"/],
    ['failure_rate > 5', /limit of failure_rate to be a share below 1, such as '5%' or 0\.05, got 5/],
    ['near_alarm > 850%', /limit of near_alarm to be a share below 1/],
    ['failure_rate > 1', /a share below 1, such as '5%' or 0\.05, got 1/],
    [{ measure: 'busy_slots', warning: 90 }, /limit of busy_slots to be a share .* got 90/],
    ['oldest > 5m clear at 80', /expected a share such as '80%' or 0\.8 at character 22, got '80'/],
    ['oldest > 5m for ever', /expected for to be a duration/],
    ['oldest > 5m within 1m', /oldest is a value of the moment: leave out 'within'/],
    ['blocked > 5s on orders', /blocked belongs to no queue: leave out the pattern/],
    [{ measure: 'oldest' }, /rules\[0\]: expected a limit: warning, critical or both/],
    [{ measure: 'oldest', off: true, warning: 1 }, /rules\[0\]: a rule that is off has no limit/],
    [{ measure: 'oldest', warning: 1, clearAt: 2 }, /expected clearAt to be a share from 0 to 1, got 2/],
    [7 as unknown as AlertRule, /rules\[0\]: expected a text or an object/],
  ];
  for (const [rule, problem] of wrong)
    it(`are refused with the place and what was expected: ${JSON.stringify(rule)}`, () => {
      const { problems } = readRules([rule], false);
      assert.equal(problems.length, 1);
      assert.match(problems[0] as string, problem);
    });

  it('take names by patterns', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['orders', 'orders', true],
      ['orders', 'orders.high', false],
      ['orders*', 'orders.high', true],
      ['*.high', 'orders.high', true],
      ['a*b*c', 'aXbYc', true],
      ['a*b*c', 'aXc', false],
      ['aa*a', 'aa', false],
      ['*', '', true],
    ];
    for (const [pattern, text, is] of cases) assert.equal(matches(pattern, text), is, `${pattern} ${text}`);
  });
});
