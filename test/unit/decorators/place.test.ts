import assert from 'node:assert/strict';
import { Handles, Queue, Retry } from '../../../decorators/index.js';

type Call = (...args: unknown[]) => unknown;

const retry = Retry({ tries: 2 }) as Call;

describe('a decorator that stands where it can do nothing', () => {
  class Billing {
    onPlaced() {}
  }
  const cases: Record<string, [args: unknown[], where: string]> = {
    'a private method': [
      [() => {}, { kind: 'method', name: '#onPlaced', static: false, private: true, metadata: {} }],
      '@Retry on private method #onPlaced: who calls it is outside of its class, so it has no #',
    ],
    'an auto-accessor': [
      [{ get: () => 1 }, { kind: 'accessor', name: 'onPlaced', metadata: {} }],
      '@Retry on accessor onPlaced: it stands on a class, or on a method of one',
    ],
    'a parameter of a constructor': [
      [Billing, undefined, 1],
      '@Retry on parameter 1: it stands on a class, or on a method of one',
    ],
    'a method that there is not': [
      [Billing.prototype, 'onRefund', {}],
      '@Retry on Billing.onRefund, which is no method: it stands on a class, or on a method of one',
    ],
    'an object that is no prototype': [
      [{ onPlaced() {} }, 'onPlaced', {}],
      "@Retry on an object (Object), which is no class's prototype: it stands on a class, or on a method of one",
    ],
    'an instance': [
      [new Billing(), 'onPlaced', {}],
      "@Retry on an object (Billing), which is no class's prototype: it stands on a class, or on a method of one",
    ],
    'no class at all': [
      [undefined, undefined],
      '@Retry on undefined and undefined: it stands on a class, or on a method of one',
    ],
  };
  for (const [where, [args, message]] of Object.entries(cases))
    it(`says so: on ${where}`, () => {
      assert.throws(() => retry(...args), { name: 'OptionsError', message: `decorators: ${message}` });
    });

  // As TypeScript 5.0 and 5.1 call them, and Babel with version 2023-01 and before.
  for (const [where, args] of [
    ['class Billing', [Billing, { kind: 'class', name: 'Billing' }]],
    ['method onPlaced', [() => {}, { kind: 'method', name: 'onPlaced', static: false, private: false }]],
  ] as const)
    it(`says so: on ${where}, of which its compiler keeps no metadata`, () => {
      for (const decorator of [retry, Handles('a') as unknown as Call])
        assert.throws(
          () => decorator(...args),
          (error: Error) =>
            error.message.includes(`on ${where}: its compiler gives standard decorators no metadata`) &&
            /TypeScript did before 5\.2 .*2023-05.*experimentalDecorators/.test(error.message),
        );
    });

  it('may stand without a descriptor, as plain JavaScript calls it, and on a method that is inherited', () => {
    class Derived extends Billing {}
    retry(Billing.prototype, 'onPlaced');
    retry(Derived.prototype, 'onPlaced', {});
    (Queue({ name: 'billing' }) as Call)(Derived, undefined);
  });
});
