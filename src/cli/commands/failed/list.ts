import type { DeadLetterSummary } from '../../../failures/letters/dead-letter.js';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { numberText } from '../../../util/text/count-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { type FilterFlags, filterOf, reasonsText, withFilters } from '../../dead-letters/filters.js';
import { refuseUnknown } from '../../default-command.js';
import { printTable } from '../../output/table.js';
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
      const letters = await withDeadLetters(flags, terminal, ({ failures }) => failures.list(filter));
      if (group) printCounts(terminal, letters, flags.by ?? '', group, flags.json);
      else if (flags.json) await terminal.write(`${JSON.stringify(letters, undefined, 2)}\n`);
      else printLetters(terminal, letters);
    });
};

function groupOf(by: string): (letter: DeadLetterSummary) => string {
  const group = Object.hasOwn(GROUPS, by) ? GROUPS[by] : undefined;
  if (!group) throw new UsageError(`--by is '${by}'`, `It may be ${Object.keys(GROUPS).join(', ')}`);
  return group;
}

function printCounts(
  terminal: Terminal,
  letters: readonly DeadLetterSummary[],
  by: string,
  group: (letter: DeadLetterSummary) => string,
  json = false,
): void {
  const counts = new Map<string, number>();
  for (const letter of letters) counts.set(group(letter), (counts.get(group(letter)) ?? 0) + 1);
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
  terminal.tell(lettersText(letters.length));
}

function printLetters(terminal: Terminal, letters: readonly DeadLetterSummary[]): void {
  // The column is shown only if at least one row has a value in it.
  const isAnyEncrypted = letters.some(({ encryptedWith }) => encryptedWith !== undefined);
  const rows = letters.map((letter) => [
    letter.id,
    letter.queue ?? letter.deadQueue,
    letter.routingKey,
    letter.reason,
    letter.attempts === undefined ? '-' : String(letter.attempts),
    timeText(letter.failedAt),
    ...(isAnyEncrypted ? [encryptionText(letter)] : []),
    oneLine(letter.error ?? '-'),
  ]);
  const encryption = isAnyEncrypted ? ['encryption'] : [];
  const head = ['id', 'queue', 'routing key', 'reason', 'attempts', 'failed at', ...encryption, 'error'];
  if (rows.length > 0) printTable(terminal, head, rows, head.length - 1);
  const reasons = rows.length > 0 ? `: ${reasonsText(letters)}` : '';
  terminal.tell(`${lettersText(rows.length)}${reasons}`);
}
