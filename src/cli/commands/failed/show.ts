import type { KeyProvider } from '../../../encryption/key-provider.js';
import type { Failures } from '../../../failures/failures.js';
import type { DeadLetter } from '../../../failures/letters/dead-letter.js';
import { headersJson, propertiesJson } from '../../../failures/letters/letter-json.js';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { type KeysFlags, keysOf } from '../../broker/keys.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import type { Terminal } from '../../output/terminal.js';
import { bodyText, printable, timeText } from '../../output/text.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags, KeysFlags {
  readonly raw?: boolean;
}

/** `hopline failed show ID`: shows one dead letter completely. */
export const define: DefineCommand = (command, { terminal }) => {
  command.argument('<id>', 'its id, or the beginning of it');
  withTarget(command)
    .option('--raw', 'only the body, byte for byte')
    .option(
      '--keys <file>',
      'keys to decrypt it with, as JSON; else they are taken from HOPLINE_KEYS, if set',
    )
    .action(async (id: string, flags: Flags) => {
      const keys = keysOf(flags, terminal.env);
      const letters = await withDeadLetters(
        flags,
        terminal,
        ({ failures }) => opened(failures, id, keys),
        keys,
      );
      if (flags.raw) await terminal.write(onlyOne(id, letters).plain);
      else for (const letter of letters) show(terminal, letter);
      if (letters.length > 1)
        terminal.tell(`${lettersText(letters.length)} have this id: duplicates, or copies of several queues`);
      const wrong = letters.find(({ plain }) => plain instanceof Error);
      if (wrong) throw wrong.plain;
    });
};

/** A dead letter, and its body, decrypted if possible. */
interface Opened<Plain = Buffer | Error> extends DeadLetter {
  /** The decrypted body; the encrypted one if no keys are given. */
  readonly plain: Plain;
}

async function opened(failures: Failures, id: string, keys: KeyProvider | undefined): Promise<Opened[]> {
  const letters = await failures.get(id);
  return Promise.all(
    letters.map(async (letter) => {
      const plain = keys ? await failures.decrypted(letter).catch((error: Error) => error) : letter.body;
      // The letter itself is extended, and not a copy: more is kept about the letter under its object.
      return Object.assign(letter, { plain });
    }),
  );
}

/**
 * The only letter with this id.
 *
 * @throws UsageError, and the error for which its body could not be decrypted
 */
function onlyOne(id: string, letters: readonly Opened[]): Opened<Buffer> {
  for (const { plain } of letters) if (plain instanceof Error) throw plain;
  const [first, ...others] = letters as [Opened<Buffer>, ...Opened<Buffer>[]];
  if (others.some(({ plain }) => !plain.equals(first.plain)))
    throw new UsageError(
      `${letters.length} dead letters have the id '${id}', with different bodies`,
      'Narrow it with --queue',
    );
  return first;
}

function show(terminal: Terminal, letter: Opened): void {
  const { messageId, ...properties } = propertiesJson(letter);
  const fields: [string, string | undefined][] = [
    ['id', letter.id],
    // A messageId of bytes is shown as JSON: as text, as `id` has it, it has lost bytes.
    ['messageId', typeof messageId === 'object' ? JSON.stringify(messageId) : undefined],
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
      .filter(([name]) => name !== 'deliveryMode')
      .map(([name, value]): [string, string] => [
        name,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]),
    ['encrypted', letter.encryptedWith && `key ${letter.encryptedWith}`],
    ['left out', letter.droppedHeaders],
    ['chain', chainText(letter)],
  ];
  for (const [name, value] of fields)
    if (value !== undefined && value !== '-')
      terminal.print(`${terminal.strong(name.padEnd(15))} ${printable(value)}`);
  section(terminal, 'headers', headersText(letter));
  section(terminal, 'error', letter.stack ?? letter.error ?? '');
  section(terminal, `body (${letter.bytes} bytes)`, textOf(letter));
  terminal.print('');
}

/** The headers as text. A value's type is shown only where the value alone would mislead. */
function headersText(letter: DeadLetter): string {
  const headers = headersJson(letter, { isForEyes: true });
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(headers)
    ? headers
    : Object.entries(headers);
  return pairs
    .map(
      ([name, value]) =>
        `${typeof name === 'string' ? name : JSON.stringify(name)}: ${JSON.stringify(value)}`,
    )
    .join('\n');
}

/** The body as text, made harmless for a terminal where it becomes readable. */
function textOf({ plain, body, encryptedWith }: Opened): string {
  if (plain instanceof Error) return `encrypted; ${plain.message}`;
  if (encryptedWith !== undefined && plain === body)
    return `encrypted, key ${encryptedWith}; --keys FILE decrypts it`;
  return bodyText(plain);
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
