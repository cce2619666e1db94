import fc from 'fast-check';
import { unreadable } from './unreadable.js';

const FIELDS = ['name', 'message', 'stack', 'cause', 'code', 'then', 'toJSON', 'toString'] as const;

const kind = fc.constantFrom(...Object.keys(unreadable()));

/** Makes anything that a handler may throw. A function: the library itself reads what it generates. */
export const thrownValue: fc.Arbitrary<() => unknown> = fc.oneof(
  { weight: 3, arbitrary: kind.map((which) => () => unreadable()[which]) },
  fc
    .anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true })
    .map((value) => () => value),
  fc.string().map((message) => () => new TypeError(message)),
  fc.dictionary(fc.constantFrom(...FIELDS), kind).map((fields) => () => {
    const error = new Error('declined');
    // Made when it is first read, of name and message as they are then.
    void error.stack;
    const kinds = unreadable();
    for (const [name, which] of Object.entries(fields))
      Object.defineProperty(error, name, { value: kinds[which] });
    return error;
  }),
);
