/** Values that a handler may throw and that can't be read as an error is, by what is wrong with them. Each call makes new ones. */
export function unreadable(): Record<string, unknown> {
  const { proxy: revoked, revoke } = Proxy.revocable(new Error('declined'), {});
  revoke();
  const cycle = Object.assign(new Error('declined'), { stack: [{ file: 'Charge.java', line: 7 }] });
  cycle.cause = cycle;
  return {
    'a stack that is a list': Object.assign(new Error('declined'), {
      stack: [{ file: 'Charge.java', line: 7 }],
    }),
    'a message that is no text': Object.assign(new Error('declined'), { message: { code: 51 } }),
    'a name that is a symbol': Object.defineProperty(new Error('declined'), 'name', {
      value: Symbol('name'),
    }),
    'a cause that leads back to it': cycle,
    'a message that throws': throwing(new Error('declined'), 'message'),
    'a stack that throws': throwing(new Error('declined'), 'stack'),
    'a name that throws': throwing(new Error('declined'), 'name'),
    'a cause that throws': throwing(new Error('declined'), 'cause'),
    'a cause that is revoked': new Error('declined', { cause: revoked }),
    'a proxy that is revoked': revoked,
    'a proxy that throws whatever it is asked': new Proxy(new Error('declined'), REFUSING),
    'a toString that throws': { toString: () => refuse(), toJSON: () => refuse() },
    'no prototype': Object.create(null),
    'a symbol': Symbol('declined'),
    'a bigint': 51n,
    'a function': () => {},
    'nothing at all': undefined,
    'a promise': Promise.resolve(),
    'a very long message': new Error('declined '.repeat(200_000)),
  };
}

function refuse(): never {
  throw new TypeError('not to be read');
}

function throwing(error: Error, name: string): Error {
  return Object.defineProperty(error, name, { get: refuse });
}

const REFUSING: ProxyHandler<Error> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, refuse]),
);
