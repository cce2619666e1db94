import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import {
  errorKind,
  errorText,
  isA,
  loggableError,
  readableError,
  reasonText,
  stackText,
} from '../../../src/util/text/error-text.js';
import { thrownValue } from '../../support/thrown-value.js';
import { unreadable } from '../../support/unreadable.js';

describe('the kind of an error', () => {
  it('is its name, or that of its class, and its code', () => {
    class DeclinedError extends Error {}
    const named = Object.assign(new Error('no'), { name: 'Refusal' });
    const table: [unknown, string][] = [
      [new TypeError('no such thing'), 'TypeError'],
      [new Error('first'), 'Error'],
      [new DeclinedError('no'), 'DeclinedError'],
      [named, 'Refusal'],
      [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'Error ECONNREFUSED'],
      [Object.assign(new Error('refused'), { code: 17 }), 'Error'],
      ['text', 'threw string'],
      [null, 'threw null'],
      [{ status: 503 }, 'threw object'],
    ];
    for (const [error, expected] of table) assert.equal(errorKind(error), expected);
  });

  it('is short, and there is one for whatever was thrown', () => {
    for (const error of Object.values(unreadable())) assert.ok(errorKind(error).length > 0);
    assert.equal(errorKind(Object.assign(new Error('no'), { name: 'x'.repeat(1_000) })).length, 100);
  });
});

describe('the text of an error', () => {
  it('exists for whatever was thrown', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const table: [unknown, string][] = [
      [new TypeError('no such thing'), 'TypeError: no such thing'],
      [Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'Error: ECONNREFUSED'],
      [runInNewContext('new RangeError("too far")'), 'RangeError: too far'],
      ['text', 'threw "text"'],
      [null, 'threw null'],
      [undefined, 'threw undefined'],
      [42, 'threw 42'],
      [{ status: 503 }, 'threw {"status":503}'],
      [Symbol('s'), 'threw Symbol(s)'],
      [1n, "threw a bigint that can't be shown"],
      [cycle, "threw a object that can't be shown"],
    ];
    for (const [error, expected] of table) assert.equal(errorText(error), expected);
  });

  it('says what can be read of one that can not be read whole', () => {
    const given = unreadable();
    const table: [string, string][] = [
      ['a stack that is a list', 'Error: declined'],
      ['a message that is no text', 'Error: {"code":51}'],
      ['a name that is a symbol', 'Symbol(name): declined'],
      ['a message that throws', 'Error: '],
      ['a name that throws', 'Error: declined'],
      ['a proxy that is revoked', "threw a object that can't be shown"],
      ['a toString that throws', "threw a object that can't be shown"],
      ['no prototype', 'threw {}'],
    ];
    for (const [what, expected] of table) assert.equal(errorText(given[what]), expected, what);
    assert.equal(stackText(given['a stack that is a list']), '[{"file":"Charge.java","line":7}]');
    assert.equal(stackText(given['a stack that throws']), undefined);
  });

  it('as a reason has no name, and of a text it is the text', () => {
    const table: [unknown, string][] = [
      [new TypeError('no such thing'), 'no such thing'],
      [new Error(), 'no reason is known'],
      ['deleted', 'deleted'],
      [null, 'null'],
    ];
    for (const [error, expected] of table) assert.equal(reasonText(error), expected);
  });

  for (const [what, value] of Object.entries(unreadable())) {
    it(`can be read by others of ${what}`, () => {
      const readable = readableError(value);
      assert.equal(typeof readable.message, 'string');
      assert.equal(typeof readable.name, 'string');
      assert.ok(readable === value || readable.cause === value, 'the original is there');
      const logged = loggableError(value);
      for (let each: unknown = logged, depth = 0; depth < 3; depth += 1) {
        inspect(each);
        if (!isA(each, Error)) break;
        JSON.stringify([each.name, each.message, each.stack]);
        each = each.cause;
      }
    });
  }

  it('never throws', () => {
    fc.assert(
      fc.property(thrownValue, (make) => {
        const thrown = make();
        for (const text of [errorText(thrown), reasonText(thrown)]) assert.equal(typeof text, 'string');
        assert.ok(['string', 'undefined'].includes(typeof stackText(thrown)));
        assert.ok(readableError(thrown) instanceof Error);
        loggableError(thrown);
        isA(thrown, Error);
      }),
      { numRuns: 500 },
    );
  });
});
