import assert from 'node:assert/strict';
import { warnOfClassNames } from '../../../src/consume/handlers/class-names.js';
import type { HandlerDefinition } from '../../../src/consume/handlers/definition.js';
import { planSubscriptions } from '../../../src/consume/handlers/subscription.js';
import { defineMessage } from '../../../src/message/define-message.js';
import { silentLogger } from '../../../src/util/logger.js';
import { problemsOf } from '../option-problems.js';
import { defaults } from './fixtures.js';

/** What `handlers()` makes of a method of a class. */
function method(ownName: string, name?: string, pattern: HandlerDefinition['patterns'][number] = 'order.*') {
  const queue = { ownName, ...(name === undefined ? {} : { name }) };
  return { name: `${ownName}.on`, patterns: [pattern], queue, options: {}, handle: () => {} };
}

const plan = (...definitions: HandlerDefinition[]) => planSubscriptions(definitions, defaults);
const problems = (...definitions: HandlerDefinition[]) => problemsOf(() => plan(...definitions));

describe('the name of a class whose queue has none', () => {
  it('is refused if a minifier gave it: it has two characters at most', () => {
    for (const name of ['e', 'ra', '$', '_e']) {
      const [problem, ...others] = problems(method(name));
      assert.match(problem as string, /^class '.*' names no queue, and 'shop\..*' would not last: /);
      assert.match(problem as string, /@Queue\(\{ name: 'shop\.…' \}\).*keepNames.*keep_classnames/);
      assert.deepEqual(others, []);
    }
    assert.deepEqual(problems(method('Pay')), []);
  });

  it('is refused if a compiler or bundler gave it to a class that has none: others may be called alike', () => {
    for (const name of [
      'default_1',
      'default_12',
      'orders_default',
      'orders_default2',
      '_default',
      'class_1',
      '_class',
      'default',
    ])
      assert.match(problems(method(name))[0] ?? '', /^class '.*' names no queue/, name);
    for (const name of ['Defaults', 'Class', 'UseDefault', 'FirstClass', 'SendDefault2', 'class_of_1'])
      assert.deepEqual(problems(method(name)), [], name);
  });

  it('is told once for all methods of the class', () => {
    assert.equal(problems(method('ra'), method('ra', undefined, 'order.paid.*')).length, 1);
  });

  it('does not matter if the queue has one', () => {
    assert.deepEqual(problems(method('ra', 'orders'), method('default_1', 'users')), []);
  });

  it('must be there in any case: events, logs and stores know the class by it', () => {
    const placed = defineMessage('order.placed');
    for (const name of [undefined, 'orders'])
      assert.deepEqual(problems(method('', name, placed)), [
        "the class that handles 'order.placed' has no name: give it one, by which its logs and stores know it, and its queue one with @Queue({ name: 'shop.…' })",
      ]);
  });
});

describe('in production', () => {
  const before = process.env.NODE_ENV;
  const warnings: [object, string][] = [];
  const log = {
    ...silentLogger,
    warn: (fields: object, message: string) => void warnings.push([fields, message]),
  };
  const warnedOf = (env: string, ...definitions: HandlerDefinition[]) => {
    process.env.NODE_ENV = env;
    warnings.length = 0;
    warnOfClassNames(plan(...definitions), log);
    return warnings;
  };

  afterEach(() => {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  });

  it('one warning lists the queues that are called after classes, and asks for names', () => {
    const [warning, ...others] = warnedOf(
      'production',
      method('Billing'),
      method('Billing', undefined, 'x'),
      method('Ledger', 'ledger'),
      method('SendWelcomeEmail2'),
      { ...method(''), queue: {} },
    );
    assert.deepEqual(others, []);
    assert.deepEqual(warning?.[0], {
      queues: { Billing: 'shop.Billing', SendWelcomeEmail2: 'shop.SendWelcomeEmail2' },
    });
    assert.match(warning?.[1] ?? '', /@Queue\(\{ name: 'shop\.Billing' \}\)$/);
  });

  it('nothing is said where all have names', () => {
    assert.deepEqual(warnedOf('production', method('Ledger', 'ledger'), { ...method(''), queue: {} }), []);
  });

  it('only', () => {
    assert.deepEqual(warnedOf('development', method('Billing')), []);
  });
});
