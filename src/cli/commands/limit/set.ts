import { limitedText, setText } from '../../../control/limit-text.js';
import { atControl } from '../../broker/control.js';
import type { DefineCommand } from '../../command.js';
import { startRate, wholeNumber } from '../../flag-values.js';
import { oneLine } from '../../output/text.js';
import { UsageError } from '../../usage-error.js';
import { type LimitFlags, printLimited, targetOf, withLimitTarget } from './target.js';

interface Flags extends LimitFlags {
  readonly rate?: string;
  readonly concurrency?: string;
}

/** `hopline limit set HANDLER --rate 50/1m --concurrency 4`: limits in the place of the handler's own, in all processes and from now on. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withLimitTarget(command)
    .option('--rate <rate>', 'starts in any time of a length, over all processes: 50/1m, 5/1s')
    .option('--concurrency <number>', 'its messages at once, in each process')
    .action(async (handler: string | undefined, flags: Flags) => {
      const target = targetOf(handler, flags);
      const { rate, concurrency } = flags;
      if (rate === undefined && concurrency === undefined)
        throw new UsageError('no limit is named', 'Give --rate, --concurrency, or both');
      const change = {
        rate: rate === undefined ? undefined : startRate('--rate', rate),
        concurrency: concurrency === undefined ? undefined : wholeNumber('--concurrency', concurrency),
      };
      const { processes, changed } = await atControl(flags, terminal, ({ limits }) =>
        limits.set(target, change),
      );
      exit(printLimited(processes, setText(changed), terminal));
      if (changed.rate && processes.some(({ limited }) => limited?.some(({ alone }) => alone)))
        terminal.tell('note: each of these processes counts alone, since its bus has no stores');
      terminal.tell(
        `${oneLine(limitedText(changed))}: ${setText(changed)}, also in processes that start later, until: hopline limit clear`,
      );
    });
};
