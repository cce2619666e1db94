import type { DeadLetterReason } from '../../../events.js';
import type { DeadLetterFilter } from '../../../failures/filter.js';
import type { DeadLetterSummary } from '../../../failures/letters/dead-letter.js';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { numberText } from '../../../util/text/count-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { type FilterFlags, filterOf, reasonsText, withFilters } from '../../dead-letters/filters.js';
import { refuseUnknown } from '../../default-command.js';
import { Spool } from '../../output/spool.js';
import { LongTable, printTable } from '../../output/table.js';
import type { Terminal } from '../../output/terminal.js';
import { encryptionText, oneLine, timeText } from '../../output/text.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags, FilterFlags {
  readonly json?: boolean;
  readonly by?: string;
}

/** Values that a list can be grouped by. */
const GROUPS: Readonly<Record<string, (letter: DeadLetterSummary) => string>> = {
  reason: ({ reason }) => reason,
  queue: ({ queue, deadQueue }) => queue ?? deadQueue,
  key: ({ routingKey }) => routingKey,
  error: ({ error }) => error ?? '-',
  encryption: encryptionText,
};

/** `hopline failed`: lists dead letters and their reasons. Takes nothing and changes nothing. */
export const define: DefineCommand = (command, { terminal }) => {
  command.allowExcessArguments();
  withFilters(withTarget(command))
    .option('--by <what>', `count the dead letters by ${Object.keys(GROUPS).join(', ')} instead`)
    .option('--json', 'one JSON array; the fields are those of DeadLetterSummary')
    .action(async (flags: Flags) => {
      refuseUnknown(command);
      const filter = filterOf(flags);
      const group = flags.by === undefined ? undefined : groupOf(flags.by);
      if (group)
        return printCounts(
          terminal,
          await countedBy(flags, terminal, filter, group),
          flags.by ?? '',
          flags.json,
        );
      const spool = new Spool<DeadLetterSummary>();
      try {
        await withDeadLetters(flags, terminal, ({ failures }) =>
          failures.each(filter, (letter) => spool.add(letter)),
        );
        await (flags.json ? writeJson(terminal, spool) : printLetters(terminal, spool));
      } finally {
        spool.close();
      }
    });
};

function groupOf(by: string): (letter: DeadLetterSummary) => string {
  const group = Object.hasOwn(GROUPS, by) ? GROUPS[by] : undefined;
  if (!group) throw new UsageError(`--by is '${by}'`, `It may be ${Object.keys(GROUPS).join(', ')}`);
  return group;
}

type Counts = Map<string, number>;

async function countedBy(
  flags: Flags,
  terminal: Terminal,
  filter: DeadLetterFilter,
  group: (letter: DeadLetterSummary) => string,
): Promise<Counts> {
  const counts: Counts = new Map();
  await withDeadLetters(flags, terminal, ({ failures }) =>
    failures.each(filter, (letter) => addOne(counts, group(letter))),
  );
  return counts;
}

function printCounts(terminal: Terminal, counts: Counts, by: string, json = false): void {
  const sorted = [...counts].sort(([, left], [, right]) => right - left);
  if (json) {
    terminal.print(JSON.stringify(sorted.map(([value, count]) => ({ [by]: value, count }))));
    return;
  }
  if (sorted.length > 0)
    printTable(
      terminal,
      ['count', by],
      sorted.map(([value, count]) => [numberText(count), value]),
      1,
    );
  terminal.tell(lettersText(sorted.reduce((sum, [, count]) => sum + count, 0)));
}

/** As `JSON.stringify` writes the whole array. */
async function writeJson(terminal: Terminal, spool: Spool<DeadLetterSummary>): Promise<void> {
  let before = '[\n';
  for await (const letters of spool.blocks()) {
    const text = JSON.stringify(letters, undefined, 2);
    await terminal.write(`${before}${text.slice('[\n'.length, -'\n]'.length)}`);
    before = ',\n';
  }
  await terminal.write(spool.count === 0 ? '[]\n' : '\n]\n');
}

const HEAD = ['id', 'queue', 'routing key', 'reason', 'attempts', 'failed at'];

async function printLetters(terminal: Terminal, spool: Spool<DeadLetterSummary>): Promise<void> {
  const reasons = new Map<DeadLetterReason, number>();
  let table: LongTable | undefined;
  let showsEncryption = false;
  for await (const letters of spool.blocks()) {
    for (const { reason } of letters) addOne(reasons, reason);
    // The column is shown from the first block on in which at least one row has a value in it.
    if (!showsEncryption && letters.some(({ encryptedWith }) => encryptedWith !== undefined)) {
      showsEncryption = true;
      table = undefined;
    }
    const head = [...HEAD, ...(showsEncryption ? ['encryption'] : []), 'error'];
    table ??= new LongTable(terminal, head, head.length - 1);
    table.print(letters.map((letter) => rowOf(letter, showsEncryption)));
  }
  const text = spool.count > 0 ? `: ${reasonsText(reasons)}` : '';
  terminal.tell(`${lettersText(spool.count)}${text}`);
}

function rowOf(letter: DeadLetterSummary, showsEncryption: boolean): string[] {
  return [
    letter.id,
    letter.queue ?? letter.deadQueue,
    letter.routingKey,
    letter.reason,
    letter.attempts === undefined ? '-' : String(letter.attempts),
    // In a spool it may have become text.
    timeText(letter.failedAt && new Date(letter.failedAt)),
    ...(showsEncryption ? [encryptionText(letter)] : []),
    oneLine(letter.error ?? '-'),
  ];
}

function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
