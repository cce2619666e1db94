import { isRate, type Rate } from '../../../failures/acting/pace.js';
import type { ReplayTarget } from '../../../failures/acting/replay.js';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { runActing } from '../../dead-letters/acting.js';
import { chosenLetters } from '../../dead-letters/chosen-letters.js';
import { confirm } from '../../dead-letters/confirm.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { type FilterFlags, filterOf, withFilters } from '../../dead-letters/filters.js';
import { wholeGroup, withIndex } from '../../dead-letters/letter-index.js';
import { operationsOf, runOperation } from '../../dead-letters/run-operation.js';
import { selectedLetters } from '../../dead-letters/selected-letters.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags, FilterFlags {
  readonly all?: boolean;
  readonly toQueue?: boolean;
  readonly republish?: boolean;
  readonly rate?: string;
  readonly canary?: boolean;
  readonly yes?: boolean;
}

/** `hopline failed retry`: replays dead letters; each is confirmed before it leaves its dead-letter queue. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  const asCanary = (ids: readonly string[], flags: Flags, rate: Rate | undefined) => {
    const given = groupOf(ids, flags);
    return withDeadLetters(flags, terminal, ({ failures }) =>
      withIndex(failures, async (index) => {
        const selection = { group: await wholeGroup(index, given) };
        const request = { kind: 'canary', selection, ...(rate === undefined ? {} : { rate }) } as const;
        return await runOperation(terminal, operationsOf(failures, index), request);
      }),
    );
  };
  command.argument('[ids...]', 'their ids, or the beginnings of them');
  withFilters(withTarget(command))
    .option('--all', 'all dead letters that the filters select')
    .option('--to-queue', 'to exactly the queue each failed in (the default)')
    .option('--republish', 'through exchange and routing key: every subscriber gets the messages again')
    .option('--rate <rate>', 'maximum rate, per second or minute: 50/s, 30/m')
    .option('--canary', 'all of a --group: first one, then ten, then the rest, as long as they are handled')
    .option('--yes', 'do it without asking')
    .action(async (ids: string[], flags: Flags) => {
      const to = targetOf(flags);
      const rate = rateOf(flags.rate);
      if (flags.canary) return exit(await asCanary(ids, flags, rate));
      const filter = selectedLetters(ids, flags);
      await withDeadLetters(flags, terminal, async ({ failures, target }) => {
        const { count, reasons, selection } = await chosenLetters(failures, filter, flags);
        if (flags.all) {
          const where =
            to === 'queue' ? 'to the queues they failed in' : 'to every subscriber of their routing keys';
          if (count === 0) return terminal.print('0 dead letters: nothing to replay');
          const what = `${lettersText(count)}${reasons} will be replayed ${where}, on ${target.broker.name}`;
          await confirm(what, terminal, flags.yes);
        }
        const options = { to, ...(rate === undefined ? {} : { rate }) };
        exit(
          await runActing(terminal, count, 'replayed', (hooks) =>
            failures.retry(selection, { ...options, ...hooks }),
          ),
        );
      });
    });
};

/** @throws UsageError */
function groupOf(ids: readonly string[], flags: Flags): string {
  const { group, ...filter } = filterOf(flags);
  if (group === undefined)
    throw new UsageError(
      '--canary without --group',
      'Give --group, with an id that `hopline failed groups` prints',
    );
  if (ids.length > 0 || Object.keys(filter).length > 0)
    throw new UsageError(
      '--canary is given with ids or filters',
      'Leave them out: a canary is of a whole group',
    );
  if (flags.republish)
    throw new UsageError(
      'both --canary and --republish are given',
      'Give one of them: a canary goes to the queue in which its letters failed',
    );
  return group;
}

function targetOf({ toQueue, republish }: Flags): ReplayTarget {
  if (toQueue && republish)
    throw new UsageError('both --to-queue and --republish are given', 'Give one of them');
  return republish ? 'republish' : 'queue';
}

function rateOf(rate: string | undefined): Rate | undefined {
  if (rate !== undefined && !isRate(rate))
    throw new UsageError(`--rate is '${rate}'`, 'Write it as 50/s, or 30/m');
  return rate as Rate | undefined;
}
