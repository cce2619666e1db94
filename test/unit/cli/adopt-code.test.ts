import assert from 'node:assert/strict';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import ts from 'typescript';
import { applicationCode } from '../../../src/cli/adopt/application-code.js';
import { Identifiers, stringLiteral } from '../../../src/cli/adopt/code-text.js';
import { adoptable, type Selection, unknownNames, type Vhost } from '../../../src/cli/adopt/found-vhost.js';
import type {
  ManagedBinding,
  ManagedExchange,
  ManagedQueueInUse,
} from '../../../src/oversight/management/managed.js';
import { root } from '../../project/repository.js';

const exchange = (name: string, type: string, its: Partial<ManagedExchange> = {}): ManagedExchange => ({
  ...{ name, type, durable: true, autoDelete: false, internal: false, arguments: {} },
  ...its,
});

const queue = (name: string, its: Partial<ManagedQueueInUse> = {}): ManagedQueueInUse => ({
  ...{ name, type: 'classic', exclusive: false, durable: true, autoDelete: false, arguments: {} },
  ...{ members: [], online: [], unsettled: 0, departing: 0, counts: { ready: 0, unsettled: 0 } },
  ...{ consumers: 0, policy: undefined, operatorPolicy: undefined, ofPolicies: {} },
  ...its,
});

const binding = (source: string, destination: string, pattern: string, its = {}): ManagedBinding => ({
  ...{ source, destination, destinationType: 'queue', pattern, arguments: its, propertiesKey: 'k' },
});

const NOTHING: Selection = { queues: [], exchanges: [] };

/** Names as nobody should give them, and somebody may. */
const HOSTILE = [
  `it's "quoted" and \`ticked\` \${process.exit()}`,
  'ends */ process.exit() /*',
  'of two\nprocess.exit()\r\nlines',
  'of two\u2028process.exit()\u2029lines',
  'back\\slash\\',
  '\u202eturned round\u2066',
  'half \ud800 of one',
  '\u0000 and \u007f',
];

const vhost: Vhost = {
  exchanges: [
    exchange('', 'direct'),
    exchange('amq.topic', 'topic'),
    exchange('erp.orders', 'topic'),
    exchange('erp-orders', 'direct', { durable: false }),
    exchange('1st', 'headers', { arguments: { 'alternate-exchange': "the 'lost'", nested: { a: 1 } } }),
    exchange('hash', 'x-consistent-hash', { arguments: { 'hash-header': 'tenant' } }),
    exchange('odd', 'rtopic'),
    exchange('hopline.events', 'topic'),
    exchange('hopline.dead', 'direct'),
    ...HOSTILE.map((name) => exchange(name, 'fanout')),
  ],
  queues: [
    queue('ledger', {
      type: 'quorum',
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 5, 'x-dead-letter-exchange': 'dlx' },
      policy: 'ttl',
      ofPolicies: { 'message-ttl': 60_000 },
      counts: { ready: 1_200, unsettled: 3 },
      consumers: 2,
    }),
    queue('mixed'),
    queue('alone'),
    queue('literal'),
    queue('log', { type: 'stream' }),
    queue('mine', { exclusive: true }),
    queue('passing', { autoDelete: true }),
    queue('shop.orders', { arguments: { 'x-dead-letter-exchange': 'hopline.dead' } }),
    queue('shop.orders.dead'),
    queue('orders.dead'),
    ...HOSTILE.map((name) => queue(name, { policy: name, arguments: { [name]: name } })),
  ],
  bindings: [
    binding('', 'ledger', 'ledger'),
    binding('erp.orders', 'ledger', 'order.*'),
    binding('erp-orders', 'ledger', 'refund'),
    binding('erp.orders', 'mixed', 'order.*'),
    binding('1st', 'mixed', '', { 'x-match': 'all', tenant: 'acme' }),
    binding('erp-orders', 'literal', 'any.*'),
    binding('hopline.dead', 'shop.orders.dead', 'shop.orders'),
    ...HOSTILE.map((name) => binding(name, name, name, { [name]: name })),
  ],
};

describe('a string literal of the text of others', () => {
  it('is that text and nothing else, in characters that show what they are', () => {
    for (const text of HOSTILE) {
      const literal = stringLiteral(text);
      assert.equal(runInNewContext(literal), text);
      assert.doesNotMatch(literal, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }
  });
});

describe('a name for a constant', () => {
  it('is made of the words of another name, and given once', () => {
    const identifiers = new Identifiers();
    const named = ['erp.orders', 'erp-orders', '1st', 'class', 'Exchange', 'äö', ''].map((text) =>
      identifiers.take(text, 'Exchange'),
    );
    assert.deepEqual(named, [
      'erpOrdersExchange',
      'erpOrdersExchange2',
      '_1stExchange',
      'classExchange',
      'exchange',
      'exchange2',
      'exchange3',
    ]);
  });
});

describe('the queues of a vhost that can be adopted', () => {
  it('are not those that go with somebody, streams, or what Hopline has declared: each is named with the reason', () => {
    const { queues, leftOut } = adoptable({ ...vhost, exchanges: vhost.exchanges.slice(1, 9) }, NOTHING);
    assert.deepEqual(
      queues.slice(0, 4).map(({ queue: { name } }) => name),
      ['ledger', 'mixed', 'alone', 'literal'],
    );
    assert.deepEqual(
      leftOut.map(({ kind, name, why }) => `${kind} ${name}: ${why}`),
      [
        'queue log: it is a stream, whose messages stay in it',
        'queue mine: it is exclusive: it belongs to one connection, and goes with it',
        'queue passing: it is auto-delete: it goes with its last consumer',
        "queue shop.orders: it is one of Hopline's own",
        "queue shop.orders.dead: it is one of Hopline's own",
        "queue orders.dead: the queue name 'orders.dead' ends in .dead, which names a queue of Hopline's own",
        "exchange hopline.events: it is one of Hopline's own",
        "exchange hopline.dead: it is one of Hopline's own",
      ],
    );
  });

  it('are those that are adopted already, which Hopline leads retries to', () => {
    const land = { 'x-dead-letter-exchange': 'hopline.land', 'x-dead-letter-routing-key': 'alone' };
    const adopted: Vhost = {
      ...vhost,
      exchanges: [...vhost.exchanges, exchange('hopline.land', 'direct')],
      queues: [queue('alone'), queue('alone.land', { arguments: land })],
      bindings: [binding('hopline.land', 'alone', 'alone')],
    };
    const { queues, leftOut } = adoptable(adopted, { ...NOTHING, queues: ['alone*'] });
    assert.deepEqual(
      queues.map((each) => [each.queue.name, each.bindings]),
      [['alone', []]],
    );
    assert.deepEqual(
      leftOut.map(({ name }) => name),
      ['alone.land'],
    );
  });

  it('have the keys of topic and direct exchanges for patterns, and take everything where these do not tell', () => {
    const { queues } = adoptable(vhost, NOTHING);
    const patterns = Object.fromEntries(queues.map((each) => [each.queue.name, each.patterns]));
    assert.deepEqual(
      ['ledger', 'mixed', 'alone', 'literal'].map((name) => patterns[name]),
      [['order.*', 'refund'], ['#'], ['#'], ['#']],
    );
  });

  it('are chosen by name, by part of it, or by an exchange that leads to them', () => {
    const chosen = (selection: Partial<Selection>) => {
      const { queues, exchanges } = adoptable(vhost, { ...NOTHING, ...selection });
      return [queues.map((each) => each.queue.name), exchanges.map(({ name }) => name)];
    };
    const named = (...queues: string[]) => chosen({ queues });
    assert.deepEqual(named('ledger'), [['ledger'], ['erp.orders', 'erp-orders']]);
    assert.deepEqual(named('*e*', 'nothing').at(0)?.slice(0, 4), ['ledger', 'mixed', 'alone', 'literal']);
    assert.deepEqual(chosen({ exchanges: ['1st'] }), [['mixed'], ['erp.orders', '1st']]);
    assert.deepEqual(unknownNames(vhost, { queues: ['ledger', 'l?dger'], exchanges: ['erp*', 'crm*'] }), [
      'l?dger',
      'crm*',
    ]);
  });
});

describe('the code of an adopted vhost', function () {
  this.timeout(180_000);
  const code = applicationCode(adoptable(vhost, NOTHING), { service: 'ledgers', at: "rabbit, vhost '\n*/'" });

  it('says of each queue what it is, and consumes it as it is', () => {
    const [, block = ''] = code.split('\n\n// queue "ledger"');
    assert.equal(
      `// queue "ledger"${block.split('\n\n')[0]}`,
      `// queue "ledger": quorum, 1,200 messages there, 3 in hand, 2 consumers
//   arguments: x-delivery-limit = 5, x-dead-letter-exchange = "dlx"
//   by policy "ttl": message-ttl = 60000
//   what the broker itself gives up goes to exchange "dlx"
//   its other consumers share the messages with this one
//   bound to exchange "erp.orders" (topic) by key "order.*"
//   bound to exchange "erp-orders" (direct) by key "refund"
bus.handle(
  ['order.*', 'refund'],
  async (payload, context) => {
    throw notWritten(payload, context);
  },
  { name: 'ledger', queue: { name: 'ledger', declare: false } },
);`,
    );
  });

  it('says of a queue that serves one consumer at a time that it does', () => {
    const one = queue('one', { arguments: { 'x-single-active-consumer': true } });
    const found = adoptable({ exchanges: [], queues: [one], bindings: [] }, NOTHING);
    assert.match(
      applicationCode(found, { service: 'ledgers', at: 'rabbit' }),
      /queue: \{ name: 'one', declare: false, singleActiveConsumer: true \}/,
    );
  });

  it('has exchanges as constants, with what can be said of them', () => {
    for (const line of [
      "export const erpOrdersExchange = { name: 'erp.orders', type: 'topic', declare: false } as const;",
      "// not durable\nexport const erpOrdersExchange2 = { name: 'erp-orders', type: 'direct', declare: false } as const;",
      `// argument nested = {"a":1}, which has no word here\nexport const _1stExchange = { name: '1st', type: 'headers', arguments: { 'alternate-exchange': 'the \\'lost\\'' }, declare: false } as const;`,
      "export const hashExchange = { name: 'hash', type: 'x-consistent-hash', arguments: { 'hash-header': 'tenant' }, declare: false } as const;",
      `// type "rtopic", which has no word here\nexport const oddExchange = { name: 'odd', declare: false } as const;`,
    ])
      assert.ok(code.includes(`\n${line}\n`), line);
  });

  it('is made of the statements that it should have, whatever names hold', () => {
    const source = ts.createSourceFile('adopted.ts', code, ts.ScriptTarget.ES2023, true);
    const called = source.statements.map((statement) => {
      if (ts.isImportDeclaration(statement)) return 'import';
      if (ts.isVariableStatement(statement)) return 'constant';
      if (ts.isFunctionDeclaration(statement)) return 'function';
      assert.ok(ts.isExpressionStatement(statement) && ts.isCallExpression(statement.expression));
      return statement.expression.expression.getText();
    });
    const { exchanges, queues } = adoptable(vhost, NOTHING);
    assert.deepEqual(called, [
      'import',
      ...Array(exchanges.length + 1).fill('constant'),
      ...Array(queues.length).fill('bus.handle'),
      'function',
    ]);
    const literals = new Set<string>();
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteral(node)) literals.add(node.text);
      node.forEachChild(visit);
    };
    visit(source);
    assert.deepEqual(
      HOSTILE.filter((name) => !literals.has(name)),
      [],
    );
  });

  it('compiles as the sources of this repository do', () => {
    const [errors, ofWrong] = compileErrors([code, code.replace("name: 'ledger'", 'name: 7')]);
    assert.deepEqual(errors, []);
    assert.notDeepEqual(ofWrong, []);
  });
});

/** What the compiler says of modules in the place of examples. */
function compileErrors(texts: readonly string[]): string[][] {
  const files = new Map(
    texts.map((text, number) => [join(root, 'examples', `adopted-by-a-test-${number}.ts`), text]),
  );
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    { noEmit: true, incremental: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  assert.ok(config);
  const { tsBuildInfoFile: _of, ...options } = config.options;
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, version, ...others) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, version, ...others)
      : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].map((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
    );
  });
}
