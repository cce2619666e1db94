import { Encryption } from '../../../encryption/encryption.js';
import { requestQueueOf } from '../../../topology/names.js';
import { systemClock } from '../../../util/clock.js';
import { countText, numberText } from '../../../util/text/count-text.js';
import { cutLine } from '../../../util/text/cut-text.js';
import { type KeysFlags, keysOf } from '../../broker/keys.js';
import { withSession } from '../../broker/session.js';
import type { DefineCommand } from '../../command.js';
import { wholeNumber } from '../../flag-values.js';
import type { Terminal } from '../../output/terminal.js';
import { bodyText, printable, timeText } from '../../output/text.js';
import { missingQueue, type QueueFlags, queueOf, withQueue } from '../../queues/queue-flags.js';
import { type WaitingMessage, waitingMessage } from '../../queues/waiting-message.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends QueueFlags, KeysFlags {
  readonly count: string;
  readonly json?: boolean;
}

const MOST = 1_000;

/** Characters of a body that are printed; `--json` has all. */
const SHOWN = 2_000;

/** `hopline queue peek QUEUE`: shows the first messages that wait. Takes nothing, and counts as no delivery. */
export const define: DefineCommand = (command, { terminal }) => {
  withQueue(command)
    .option('--count <n>', `number of messages, ${numberText(MOST)} at most`, '10')
    .option('--json', 'one JSON array, with whole bodies')
    .option(
      '--keys <file>',
      'keys to decrypt bodies with, as JSON; else they are taken from HOPLINE_KEYS, if set',
    )
    .action(async (queue: string, flags: Flags) => {
      const count = countOf(flags);
      const { broker, names } = await queueOf(queue, flags, terminal);
      refuseRequests(queue);
      const keys = keysOf(flags, terminal.env);
      const encryption = keys && new Encryption(keys, systemClock);
      const [browsed, ready] = await withSession(broker, names, async ({ session }) => {
        const found = await session.browse(queue, count);
        if (!found) throw missingQueue(queue, broker);
        return [found, (await session.inspect(queue))?.ready ?? 0] as const;
      });
      const messages = await Promise.all(browsed.map((each) => waitingMessage(each, names, encryption)));
      if (flags.json) await terminal.write(`${JSON.stringify(messages.map(inJson), undefined, 2)}\n`);
      else for (const message of messages) show(terminal, message);
      const waiting = countText(Math.max(ready, messages.length), 'message');
      terminal.tell(`${numberText(messages.length)} of ${waiting} that wait in '${queue}'`);
    });
};

function countOf({ count }: Flags): number {
  const number = wholeNumber('--count', count);
  if (number <= MOST) return number;
  throw new UsageError(`--count is ${count}, more than ${numberText(MOST)}`, 'Look at fewer');
}

/** A look counts as a delivery there, and most handlers leave a request unanswered that may have been handled. */
function refuseRequests(queue: string): void {
  if (!queue.endsWith(requestQueueOf(''))) return;
  throw new UsageError(
    `'${queue}' holds requests: one that was looked at counts as delivered before, and may not be answered then`,
    'hopline status says how many wait',
  );
}

const inJson = ({ body, ...message }: WaitingMessage) => ({ ...message, body: jsonBody(body) });

/** The text, or an object of the bytes in base64. */
function jsonBody(body: Buffer): unknown {
  const text = body.toString('utf8');
  return Buffer.from(text).equals(body) ? text : { $bytes: body.toString('base64') };
}

function show(terminal: Terminal, message: WaitingMessage): void {
  const fields: [string, string | undefined][] = [
    ['id', message.id ?? '-'],
    ['exchange', message.exchange],
    ['routing key', message.routingKey],
    ['published at', timeText(message.publishedAt)],
    ['attempt', String(message.attempt)],
    ['redelivered', message.redelivered ? 'yes' : undefined],
    ['encrypted', message.encryptedWith && `key ${message.encryptedWith}`],
    ...Object.entries(message.properties)
      .filter(([name]) => name !== 'deliveryMode')
      .map(([name, value]): [string, string] => [
        name,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]),
  ];
  for (const [name, value] of fields)
    if (value !== undefined) terminal.print(`${terminal.strong(name.padEnd(15))} ${printable(value)}`);
  const headers = Object.entries(message.headers).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  section(terminal, 'headers', headers.join('\n'));
  section(terminal, `body (${message.bytes} bytes)`, textOf(message));
  terminal.print('');
}

const textOf = ({ body, sealed, encryptedWith }: WaitingMessage): string =>
  sealed === undefined ? cutLine(bodyText(body), SHOWN) : `encrypted, key ${encryptedWith}; ${sealed}`;

function section(terminal: Terminal, title: string, text: string): void {
  if (text === '') return;
  terminal.print(`\n${terminal.strong(title)}`);
  for (const line of printable(text).split('\n')) terminal.print(`  ${line}`);
}
