import assert from 'node:assert/strict';
import type { BusOptions } from '../../../src/bus/options.js';
import type { HandleOptions } from '../../../src/consume/handlers/definition.js';
import { Bus, memory, OptionsError } from '../../../src/index.js';
import type { ExchangeOption } from '../../../src/message/exchange-option.js';

type Handlers = readonly (readonly [pattern: string | string[], options: HandleOptions])[];

/** Problems of a bus with these handlers. */
function problemsOf(handlers: Handlers, options: Partial<BusOptions> = {}): readonly string[] {
  const bus = new Bus({ service: 'shop', transport: memory(), ...options });
  for (const [index, [pattern, own]] of handlers.entries())
    bus.handle(pattern, () => {}, { name: `h${index}`, ...own });
  try {
    bus.describe();
    return [];
  } catch (error) {
    assert.ok(error instanceof OptionsError);
    return error.problems;
  }
}

const of = (exchange: ExchangeOption, binding?: HandleOptions['binding']): HandleOptions => ({
  exchange,
  ...(binding && { binding }),
});

describe('what a handler says of its exchange', () => {
  const direct = { name: 'd', type: 'direct' } as const;
  const headers = { name: 'h', type: 'headers' } as const;
  const hash = { name: 'c', type: 'x-consistent-hash' } as const;

  for (const [what, handlers, problem] of [
    [
      'a wildcard on a direct exchange',
      [['order.*', of(direct)]],
      /h0: the direct exchange 'd' takes 'order.\*' for a key/,
    ],
    ['# on a direct exchange', [['#', of(direct)]], /takes '#' for a key/],
    ['a binding on a direct exchange', [['k', of(direct, { key: 'k' })]], /'d' goes by the keys alone/],
    [
      'a binding on a topic exchange',
      [['k', of('t', { key: 'k' })]],
      /the topic exchange 't' goes by the patterns alone/,
    ],
    [
      'a binding on a fanout exchange',
      [['k', of({ name: 'f', type: 'fanout' }, { key: 'k' })]],
      /gives each queue everything/,
    ],
    [
      'a headers exchange without headers',
      [['#', of(headers)]],
      /'h' compares headers, not keys: say which in binding/,
    ],
    [
      'a key on a headers exchange',
      [['#', of(headers, { key: 'k', arguments: { a: 1 } })]],
      /leave binding.key out/,
    ],
    [
      'an unknown x-match',
      [['#', of(headers, { arguments: { 'x-match': 'some', a: 1 } })]],
      /one of all, any, all-with-x, any-with-x, got "some"/,
    ],
    [
      'headers that are not compared',
      [['#', of(headers, { arguments: { 'x-match': 'all', 'x-kind': 'a' } })]],
      /does not compare x-kind with x-match 'all': say 'all-with-x'/,
    ],
    [
      'any of no headers',
      [['#', of(headers, { arguments: { 'x-match': 'any-with-x' } })]],
      /gives nothing to a binding/,
    ],
    [
      'a weight that is no number',
      [['#', of(hash, { key: 'much' })]],
      /the weight at the x-consistent-hash exchange 'c', to be a number from 1, got "much"/,
    ],
    ['a weight of nothing', [['#', of(hash, { key: '0' })]], /number from 1/],
    [
      'the default exchange',
      [['#', of('')]],
      /has no bindings: name another, or send to a queue with sendToQueue/,
    ],
    [
      'another type of one of the broker’s own',
      [['#', of({ name: 'amq.direct', type: 'topic' })]],
      /'amq.direct' is of type direct in every broker, not topic/,
    ],
    [
      'a new name that the broker keeps for itself',
      [['#', of('amq.mine')]],
      /begins with amq., which the broker keeps for itself/,
    ],
    [
      'two types of one exchange',
      [
        ['k', of(direct)],
        ['k', of({ name: 'd', type: 'fanout' })],
      ],
      /exchange 'd' is direct in h0, and fanout in h1: say it once, or alike/,
    ],
    [
      'other arguments of one exchange',
      [
        ['k', of({ ...hash, arguments: { 'hash-header': 'a' } })],
        ['k.b', of(hash)],
      ],
      /is x-consistent-hash \(hash-header: "a"\) in h0, and x-consistent-hash in h1/,
    ],
    [
      'lanes on one of the broker’s own',
      [['k', { exchange: 'amq.topic', queue: { lanes: ['high', 'default'] } }]],
      /a lane needs an exchange of its own/,
    ],
    [
      'a binding where the queue is somebody else’s',
      [['k', { ...of(headers, { arguments: { a: 1 } }), queue: { name: 'q', declare: false } }]],
      /queue 'q' belongs to someone else.*leave the binding of h0 out/,
    ],
    [
      'an exchange where the queue is somebody else’s',
      [['k', { exchange: direct, queue: { name: 'q', declare: false } }]],
      /queue 'q' belongs to someone else.*leave the exchange of h0 out/,
    ],
  ] as [string, Handlers, RegExp][])
    it(`is a problem: ${what}`, () => {
      const problems = problemsOf(handlers);
      assert.ok(
        problems.some((each) => problem.test(each)),
        problems.join('\n') || 'no problem',
      );
    });

  for (const [what, handlers] of [
    ['each key of a direct exchange', [[['order.placed', 'order.paid'], of(direct)]]],
    ['all headers, and none', [['#', of(headers, { arguments: { 'x-match': 'all' } })]]],
    [
      'what begins with x-, where it counts',
      [['#', of(headers, { arguments: { 'x-match': 'any-with-x', 'x-kind': 'a' } })]],
    ],
    ['a weight', [['#', of(hash, { key: '20' })]]],
    [
      'anything of a type that is not known',
      [['#', of({ name: 'x', type: 'x-lvc' }, { key: '', arguments: { a: 1 } })]],
    ],
    [
      'one of the broker’s own that is there',
      [
        ['k', of('amq.direct')],
        ['#', of({ name: 'amq.rabbitmq.trace', declare: false })],
      ],
    ],
    [
      'its type once, and then its name',
      [
        ['k', of(direct)],
        ['k.b', of('d')],
        ['k.c', of({ name: 'd', declare: false })],
      ],
    ],
  ] as [string, Handlers][])
    it(`may be ${what}`, () => {
      assert.deepEqual(problemsOf(handlers), []);
    });

  it('may be a wildcard where the queue is somebody else’s, whatever the bus’s exchange', () => {
    const handlers: Handlers = [['#', { queue: { name: 'q', declare: false } }]];
    assert.deepEqual(problemsOf(handlers, { exchange: direct }), []);
  });

  it('holds for handlers that say less, the bus’s own exchange too', () => {
    const problems = problemsOf([['order.*', {}]], { exchange: direct });
    assert.match(problems.join(), /the direct exchange 'd' takes 'order.\*' for a key/);
    const bus = new Bus({ service: 'shop', transport: memory(), exchange: 'd' });
    bus.handle('k', () => {}, { exchange: direct }).handle('k.b', () => {});
    const { plan, queues } = bus.describe();
    assert.deepEqual(plan.exchanges[0], { name: 'd', type: 'direct' });
    assert.deepEqual(
      queues[0]?.bindings.map(({ type }) => type),
      ['direct', 'direct'],
    );
  });

  it('becomes bindings that its exchange understands, each once', () => {
    const bus = new Bus({ service: 'shop', transport: memory() })
      .handle(['a', 'b'], () => {}, { exchange: { name: 'f', type: 'fanout' } })
      .handle('c', () => {}, of(headers, { arguments: { region: 'eu' } }))
      .handle('d', () => {}, of(hash));
    const { plan } = bus.describe();
    const bindings = plan.bindings.filter(({ source }) => ['f', 'h', 'c'].includes(source));
    assert.deepEqual(
      bindings.map(({ source, pattern, arguments: its }) => [source, pattern, its]),
      [
        ['f', '', undefined],
        ['h', '', { region: 'eu' }],
        ['c', '1', undefined],
      ],
    );
    const due = plan.bindings.filter(({ pattern }) => /\.e\./.test(pattern)).map(({ pattern }) => pattern);
    assert.deepEqual(due, ['*.*.*.*.*.*.e.f.#'], 'only what goes by the key is delayed');
  });
});

describe('the exchange option', () => {
  for (const option of [
    { name: 'e', type: 'topics' },
    { name: 'e', type: 'x-' },
    { name: 'e', typ: 'direct' },
    { name: 'e', arguments: { a: {} } },
    { name: 'e', arguments: { a: 1.5 } },
    { type: 'direct' },
  ])
    it(`is refused as ${JSON.stringify(option)}`, () => {
      const problems = problemsOf([['k', of(option as ExchangeOption)]]);
      assert.match(
        problems.join(),
        /expected exchange to be an exchange's name, or \{ name, type, arguments, declare \}/,
      );
    });
});
