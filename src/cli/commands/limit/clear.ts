import { limitedText } from '../../../control/limit-text.js';
import { atControl } from '../../broker/control.js';
import type { DefineCommand } from '../../command.js';
import { oneLine } from '../../output/text.js';
import { type LimitFlags, printLimited, targetOf, withLimitTarget } from './target.js';

/** `hopline limit clear HANDLER`: the handler's own limits are in force again. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withLimitTarget(command).action(async (handler: string | undefined, flags: LimitFlags) => {
    const target = targetOf(handler, flags);
    const { processes, changed } = await atControl(flags, terminal, ({ limits }) => limits.clear(target));
    exit(printLimited(processes, 'as its options say', terminal));
    terminal.tell(`${oneLine(limitedText(changed))} has the limits of its options again`);
  });
};
