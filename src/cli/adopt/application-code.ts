import { isArguments } from '../../message/exchange-option.js';
import type { ManagedExchange, ManagedQueueInUse } from '../../oversight/management/managed.js';
import { countText, numberText } from '../../util/text/count-text.js';
import { Identifiers, inComment, stringLiteral } from './code-text.js';
import type { Adoptable, AdoptableQueue, LeftOut } from './found-vhost.js';
import { leftOutTexts } from './left-out-text.js';

export interface CodeOptions {
  readonly service: string;
  /** Where it was read, without credentials. */
  readonly at: string;
}

/** A module of TypeScript that consumes the queues as they are. */
export function applicationCode({ exchanges, queues, leftOut }: Adoptable, options: CodeOptions): string {
  const lines = [
    ...headOf(options),
    '',
    `import { Bus, type MessageContext, rabbitmq } from 'hopline';`,
    '',
    ...exchangeLines(exchanges),
    `export const bus = new Bus({`,
    `  service: ${stringLiteral(options.service)},`,
    '  transport: rabbitmq({ url: process.env.AMQP_URL }),',
    '});',
    ...queues.flatMap((queue) => ['', ...queueLines(queue, exchanges)]),
    ...(queues.length > 0 ? ['', ...NOT_WRITTEN] : []),
    ...(leftOut.length > 0 ? ['', ...leftOutLines(leftOut)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

const headOf = ({ at }: CodeOptions): string[] => [
  comment(`What hopline adopt has found on ${at}.`),
  comment(
    'Its queues and exchanges belong to others: they are used as they are, and neither declared nor changed. Patterns',
  ),
  comment(
    'only say which messages of a queue a handler takes. hopline topology plan shows what a start makes beside them.',
  ),
];

/** Until it is written, no message is taken for handled. */
const NOT_WRITTEN = [
  comment(
    'Until a handler is written, its messages fail, are tried again, and end in <queue>.dead, where none is lost.',
  ),
  'function notWritten(_payload: unknown, { queue }: MessageContext): Error {',
  `  return new Error(\`nothing is written yet for messages of queue '\${queue}'\`);`,
  '}',
];

function exchangeLines(exchanges: readonly ManagedExchange[]): string[] {
  if (exchanges.length === 0) return [];
  const identifiers = new Identifiers();
  return [
    comment("To publish to: bus.publish('order.placed', payload, { exchange: … })."),
    ...exchanges.flatMap((exchange) => exchangeConstant(exchange, identifiers)),
    '',
  ];
}

function exchangeConstant(
  { name, type, durable, autoDelete, arguments: its }: ManagedExchange,
  identifiers: Identifiers,
): string[] {
  const isKnown = /^(topic|direct|fanout|headers|x-.+)$/s.test(type);
  const given = Object.entries(its).filter(([key, value]) => isArguments({ [key]: value }));
  const notes = [
    ...(isKnown ? [] : [`type ${shown(type)}, which has no word here`]),
    ...(durable ? [] : ['not durable']),
    ...(autoDelete ? ['auto-delete'] : []),
    ...Object.keys(its)
      .filter((key) => !given.some(([known]) => known === key))
      .map((key) => `argument ${key} = ${shown(its[key])}, which has no word here`),
  ];
  const fields = [
    `name: ${stringLiteral(name)}`,
    ...(isKnown ? [`type: ${stringLiteral(type)}`] : []),
    ...(given.length > 0 ? [`arguments: { ${given.map(argumentCode).join(', ')} }`] : []),
    'declare: false',
  ];
  return [
    ...notes.map(comment),
    `export const ${identifiers.take(name, 'Exchange')} = { ${fields.join(', ')} } as const;`,
  ];
}

const argumentCode = ([name, value]: readonly [string, unknown]): string =>
  `${stringLiteral(name)}: ${typeof value === 'string' ? stringLiteral(value) : String(value)}`;

function queueLines(
  { queue, bindings, patterns }: AdoptableQueue,
  exchanges: readonly ManagedExchange[],
): string[] {
  const types = new Map(exchanges.map(({ name, type }) => [name, type]));
  const [first = '#', ...others] = patterns;
  const taken = others.length === 0 ? stringLiteral(first) : `[${patterns.map(stringLiteral).join(', ')}]`;
  return [
    ...queueNotes(queue).map(comment),
    ...bindings.map(({ source, pattern, arguments: its = {} }) => {
      const type = types.get(source);
      const key = [`key ${shown(pattern)}`, ...tableText(its)].join(', ');
      return comment(
        `  bound to exchange ${shown(source)}${type === undefined ? '' : ` (${type})`} by ${key}`,
      );
    }),
    'bus.handle(',
    `  ${taken},`,
    '  async (payload, context) => {',
    '    throw notWritten(payload, context);',
    '  },',
    `  { name: ${stringLiteral(queue.name)}, queue: { ${queueOptions(queue).join(', ')} } },`,
    ');',
  ];
}

const queueOptions = ({ name, arguments: its }: ManagedQueueInUse): string[] => [
  `name: ${stringLiteral(name)}`,
  'declare: false',
  ...(its['x-single-active-consumer'] === true ? ['singleActiveConsumer: true'] : []),
];

function queueNotes(queue: ManagedQueueInUse): string[] {
  const { name, type, durable, counts, consumers, arguments: its, ofPolicies } = queue;
  const { 'x-queue-type': _type, ...rest } = its;
  const there = [
    ...(counts === undefined ? [] : [`${countText(counts.ready, 'message')} there`]),
    ...(counts === undefined || counts.unsettled === 0 ? [] : [`${numberText(counts.unsettled)} in hand`]),
    ...(consumers === undefined ? [] : [countText(consumers, 'consumer')]),
  ];
  const policies = [
    ...(queue.policy === undefined ? [] : [`policy ${shown(queue.policy)}`]),
    ...(queue.operatorPolicy === undefined ? [] : [`operator policy ${shown(queue.operatorPolicy)}`]),
  ];
  const deadTo = its['x-dead-letter-exchange'] ?? ofPolicies['dead-letter-exchange'];
  const deadKey = its['x-dead-letter-routing-key'] ?? ofPolicies['dead-letter-routing-key'];
  return [
    `queue ${shown(name)}: ${[type, ...(durable ? [] : ['not durable']), ...there].join(', ')}`,
    ...listed('  arguments', tableText(rest)),
    ...listed(`  by ${policies.join(' and ')}`, policies.length > 0 ? tableText(ofPolicies) : []),
    ...(deadTo === undefined
      ? []
      : [
          `  what the broker itself gives up goes to exchange ${shown(deadTo)}${deadKey === undefined ? '' : ` as ${shown(deadKey)}`}`,
        ]),
    ...(consumers ? ['  its other consumers share the messages with this one'] : []),
  ];
}

const listed = (what: string, parts: readonly string[]): string[] =>
  parts.length === 0 ? [] : [`${what}: ${parts.join(', ')}`];

const tableText = (table: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(table).map(([name, value]) => `${name} = ${shown(value)}`);

const shown = (value: unknown): string => JSON.stringify(value);

const leftOutLines = (leftOut: readonly LeftOut[]): string[] => [
  comment('Left out:'),
  ...leftOutTexts(leftOut).map((text) => comment(`- ${text}`)),
];

function comment(text: string): string {
  return `// ${inComment(text)}`;
}
