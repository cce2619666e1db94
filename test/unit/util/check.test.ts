import assert from 'node:assert/strict';
import {
  type Check,
  callable,
  didYouMean,
  duration,
  durationOrForever,
  type Fields,
  flag,
  having,
  objectWith,
  oneOf,
  positiveInteger,
  problemsOf,
  required,
  show,
  text,
} from '../../../src/util/check.js';

const CANARY = 'canary-3f9a';

describe('checking options', () => {
  const fields: Fields = {
    name: required(text),
    prefetch: positiveInteger,
    pause: duration,
    mode: oneOf('fast', 'safe'),
    retry: objectWith({ tries: positiveInteger, backoff: duration }),
  };

  it('finds nothing in a good object, with or without what is optional', () => {
    assert.deepEqual(problemsOf({ name: 'a' }, '', fields), []);
    const full = { name: 'a', prefetch: 1, pause: '1s', mode: 'safe', retry: { tries: 2, backoff: 0 } };
    assert.deepEqual(problemsOf(full, '', fields), []);
  });

  it('takes an undefined field for one that is left out, and null for a value', () => {
    assert.deepEqual(problemsOf({ name: 'a', prefetch: undefined, retry: undefined }, '', fields), []);
    assert.deepEqual(problemsOf({ name: 'a', prefetch: null }, '', fields), [
      'expected prefetch to be a positive integer, got null',
    ]);
  });

  it('reports all problems at once, nested ones with their path', () => {
    const options = { prefech: 5, prefetch: '3', mode: 'fats', retry: { tries: 0, trise: 1 } };
    assert.deepEqual(problemsOf(options, '', fields), [
      'unknown option prefech, did you mean prefetch?',
      'expected name to be a non-empty string, got undefined',
      'expected prefetch to be a positive integer, got "3"',
      "expected mode to be 'fast' or 'safe', got \"fats\"",
      'unknown option retry.trise, did you mean tries?',
      'expected retry.tries to be a positive integer, got 0',
    ]);
  });

  it('calls the fields by the path that it is given', () => {
    assert.deepEqual(problemsOf({ name: '' }, 'queue', { name: text }), [
      'expected queue.name to be a non-empty string, got ""',
    ]);
  });

  it('does not look into a nested value that is no object', () => {
    for (const retry of [null, 5, 'x', []]) {
      const [problem, ...more] = problemsOf({ name: 'a', retry }, '', fields);
      assert.match(problem ?? '', /^expected retry to be an object, got /);
      assert.deepEqual(more, []);
    }
  });

  it('takes no inherited name for a known option', () => {
    assert.deepEqual(problemsOf(JSON.parse('{"name":"a","constructor":1,"__proto__":2}'), '', fields), [
      'unknown option constructor',
      'unknown option __proto__',
    ]);
  });

  it('suggests the nearest known name, and none where nothing is near', () => {
    const known = ['prefetch', 'concurrency', 'name'];
    assert.equal(didYouMean('prefech', known), ', did you mean prefetch?');
    assert.equal(didYouMean('concurency', known), ', did you mean concurrency?');
    assert.equal(didYouMean('nmae', known), ', did you mean name?');
    assert.equal(didYouMean('heartbeat', known), '');
    assert.equal(didYouMean('name', []), '');
  });

  it('shows what it got: texts quoted and shortened, functions by name, objects by kind', () => {
    class Secretive {
      readonly password = CANARY;
    }
    const table: [unknown, string][] = [
      ['a"b', '"a\\"b"'],
      ['x'.repeat(61), `"${'x'.repeat(57)}..."`],
      ['x'.repeat(60), `"${'x'.repeat(60)}"`],
      [undefined, 'undefined'],
      [null, 'null'],
      [Number.NaN, 'NaN'],
      [12n, '12'],
      [Symbol('s'), 'Symbol(s)'],
      [function named() {}, 'function named'],
      [() => {}, 'function (anonymous)'],
      [[CANARY, CANARY], 'an array of 2'],
      [{ password: CANARY }, 'an object (Object)'],
      [Object.create(null, { password: { value: CANARY, enumerable: true } }), 'an object (null prototype)'],
      [new Secretive(), 'an object (Secretive)'],
      [new Map([[CANARY, CANARY]]), 'an object (Map)'],
    ];
    for (const [value, shown] of table) assert.equal(show(value), shown);
  });

  it("never shows an object's inside, however it would print itself", () => {
    const chatty = {
      toString: () => CANARY,
      toJSON: () => CANARY,
      [Symbol.toPrimitive]: () => CANARY,
      [Symbol.toStringTag]: CANARY,
    };
    for (const value of [chatty, [chatty], { deep: chatty }, new Error(CANARY), Buffer.from(CANARY)]) {
      assert.doesNotMatch(show(value), new RegExp(CANARY));
    }
  });

  it('never shows a text that may be a URL with credentials', () => {
    for (const url of [
      `amqp://user:${CANARY}@host/vhost`,
      `amqps://user:${CANARY}/with#odd@signs@host`,
      `amqp://${CANARY}@host`,
      `  postgres://user:${CANARY}@host`,
    ]) {
      assert.doesNotMatch(show(url), new RegExp(CANARY), url);
      assert.doesNotMatch(problemsOf({ name: 'a', mode: url }, '', fields).join(), new RegExp(CANARY));
    }
    assert.equal(show('amqp://host'), '"amqp://host"');
    assert.equal(show('someone@example.org'), '"someone@example.org"');
  });

  const accepts = (check: Check, good: readonly unknown[], bad: readonly unknown[]) => {
    for (const value of good) assert.equal(check.accepts(value), true, `${check.expected}: ${show(value)}`);
    for (const value of bad) assert.equal(check.accepts(value), false, `${check.expected}: ${show(value)}`);
  };

  it('knows what each rule accepts', () => {
    const forever = Number.POSITIVE_INFINITY;
    accepts(positiveInteger, [1, 2 ** 40], [0, -1, 1.5, Number.NaN, forever, '1', 1n, null]);
    accepts(text, ['a', ' '], ['', 1, null, ['a']]);
    accepts(flag, [true, false], [0, 'true', null]);
    accepts(callable, [() => {}, class {}], [{}, 'f', null]);
    accepts(duration, [0, '1s'], [forever, '1', -1]);
    accepts(durationOrForever, [0, '1s', forever], [-forever, Number.NaN, 'Infinity']);
    accepts(oneOf('a', 'b'), ['a', 'b'], ['c', '', ['a'], null]);
    accepts(
      having('a logger', 'info', 'warn'),
      [{ info() {}, warn() {} }, console],
      [{ info() {} }, { info() {}, warn: 1 }, null, 'x', () => {}],
    );
    accepts(
      having('a date', 'getTime'),
      [new (class extends Date {})()],
      [Object.assign(() => {}, { getTime() {} })],
    );
  });
});
