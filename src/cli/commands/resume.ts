import type { PauseResult } from '../../control/results.js';
import { atControl, type ControlFlags, printResult, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';
import type { Terminal } from '../output/terminal.js';
import { oneLine } from '../output/text.js';

/** `hopline resume QUEUE`: ends the pause of `hopline pause QUEUE`. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withControl(command)
    .argument('<queue>', 'name that the queue was paused by')
    .action(async (queue: string, flags: ControlFlags) => {
      const result = await atControl(flags, terminal, (control) => control.resume(queue));
      exit(printResumed(queue, result, terminal));
    });
};

/**
 * Prints whether the queue runs again, and returns the exit code: 1 if all or a part of it stays paused under
 * another name.
 */
export function printResumed(queue: string, result: PauseResult, terminal: Terminal): number {
  const { processes, paused, pausedBy } = result;
  const goesOn = pausedBy.length === 0;
  const code = printResult(result, goesOn ? `goes on with '${queue}'` : 'has heard it', terminal);
  for (const name of pausedBy) terminal.tell(oneLine(`${stillPaused(queue, name)}: hopline resume ${name}`));
  if (goesOn) terminal.tell(`queue '${queue}' is not paused`);
  if (processes.length === 0 && paused.length > 0)
    terminal.tell(
      oneLine(
        `note: nobody who serves it has answered, so whether it is a lane of what is still paused is not known: ${paused.join(', ')}`,
      ),
    );
  return goesOn ? code : 1;
}

/**
 * The warning for a queue that stays paused: a lane is paused with its queue, and lanes may be paused by
 * themselves.
 */
const stillPaused = (queue: string, by: string): string =>
  by.startsWith(`${queue}.`) ? `lane '${by}' is still paused` : `'${queue}' is still paused with '${by}'`;
