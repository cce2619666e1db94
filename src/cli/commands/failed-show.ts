import type { DeadLetter } from '../../failures/dead-letter.js';
import { encodeHeaders } from '../../message/header-codec.js';
import { atDesk } from '../desk.js';
import type { AddCommand } from '../program.js';
import { type TargetFlags, withTarget } from '../target.js';
import type { Terminal } from '../terminal.js';
import { bodyText, lettersText, printable, timeText } from '../text.js';
import { UsageError } from '../usage-error.js';

interface Flags extends TargetFlags {
  readonly raw?: boolean;
}

/** `hopline failed show ID`: all of one dead letter. */
export const addShow: AddCommand = (parent, { terminal }) => {
  const command = parent
    .command('show')
    .description('show one dead letter, whole')
    .argument('<id>', 'its id, or the beginning of it');
  withTarget(command)
    .option('--raw', 'only the body, byte for byte')
    .action(async (id: string, flags: Flags) => {
      const letters = await atDesk(flags, terminal, ({ failures }) => failures.get(id));
      if (flags.raw) await terminal.write(onlyOne(id, letters).body);
      else for (const letter of letters) show(terminal, letter);
      if (letters.length > 1)
        terminal.tell(`${lettersText(letters.length)} have this id: duplicates, or copies of several queues`);
    });
};

function onlyOne(id: string, letters: readonly DeadLetter[]): DeadLetter {
  const [first, ...others] = letters as [DeadLetter, ...DeadLetter[]];
  if (others.some(({ body }) => !body.equals(first.body)))
    throw new UsageError(
      `${letters.length} dead letters have the id '${id}', with different bodies`,
      'Narrow it with --queue',
    );
  return first;
}

function show(terminal: Terminal, letter: DeadLetter): void {
  const { properties, headers } = letter;
  const fields: [string, string | undefined][] = [
    ['id', letter.id],
    ['queue', letter.queue],
    ['dead queue', letter.deadQueue],
    ['exchange', letter.exchange],
    ['routing key', letter.routingKey],
    ['reason', letter.by === 'broker' ? `${letter.reason} (the broker's)` : letter.reason],
    ['attempts', numberOf(letter.attempts)],
    ['exceptions', numberOf(letter.exceptions)],
    ['releases', numberOf(letter.releases)],
    ['published at', timeText(letter.publishedAt)],
    ['first attempt', timeText(letter.firstAttemptAt)],
    ['failed at', timeText(letter.failedAt)],
    ...Object.entries(properties)
      .filter(([name]) => name !== 'messageId' && name !== 'deliveryMode')
      .map(([name, value]): [string, string] => [name, String(value)]),
    ['left out', letter.droppedHeaders],
    ['chain', chainText(letter)],
  ];
  for (const [name, value] of fields)
    if (value !== undefined && value !== '-')
      terminal.print(`${terminal.strong(name.padEnd(15))} ${printable(value)}`);
  section(
    terminal,
    'headers',
    Object.entries(encodeHeaders(headers))
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      .join('\n'),
  );
  section(terminal, 'error', letter.stack ?? letter.error ?? '');
  // Its control characters are dealt with where it is made readable.
  section(terminal, `body (${letter.bytes} bytes)`, bodyText(letter.body));
  terminal.print('');
}

function chainText({ chain, chainHeader }: DeadLetter): string | undefined {
  if (chainHeader === undefined) return undefined;
  if (!chain) return "its header can't be read";
  const { id, number, of, rest, finished, failed } = chain;
  const what = failed === undefined ? `step ${number} of ${of}` : `the failure step for '${failed}'`;
  const then = rest.length > 0 ? `; then ${rest.join(', ')}` : '';
  return `${what} of ${id}${finished ? '; it was handled, a replay sends the next' : ''}${then}`;
}

const numberOf = (count: number | undefined): string | undefined =>
  count === undefined ? undefined : String(count);

function section(terminal: Terminal, title: string, text: string): void {
  if (text === '') return;
  terminal.print(`\n${terminal.strong(title)}`);
  for (const line of printable(text).split('\n')) terminal.print(`  ${line}`);
}
