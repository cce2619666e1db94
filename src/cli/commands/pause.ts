import type { PausesHeeded } from '../../control/control.js';
import { atControl, type ControlFlags, tellHeeded, withControl } from '../broker/control.js';
import type { Terminal } from '../output/terminal.js';
import { oneLine } from '../output/text.js';
import type { AddCommand } from '../program.js';

/** `hopline pause QUEUE`: nothing of the queue begins any more, wherever, until `hopline resume QUEUE`. */
export const addPause: AddCommand = (parent, { terminal, exit }) => {
  withControl(parent.command('pause').description('let no message of a queue begin, now and after restarts'))
    .argument('<queue>', 'its name in the broker; of a queue with lanes, all of them, or one by its own name')
    .action(async (queue: string, flags: ControlFlags) => {
      const heeded = await atControl(flags, terminal, (control) => control.pause(queue));
      exit(tellHeeded(heeded, `begins nothing more of '${queue}'`, terminal));
      if (heeded.processes.length === 0 && heeded.consumers === 0)
        terminal.tell(
          'note: nobody consumes it, and nobody who serves it has answered: is it the right one?',
        );
      terminal.tell(
        `queue '${queue}' is paused, also for processes that start later, until: hopline resume ${queue}`,
      );
    });
};

/** `hopline resume QUEUE` */
export const addResume: AddCommand = (parent, { terminal, exit }) => {
  withControl(parent.command('resume').description('let a paused queue go on'))
    .argument('<queue>', 'as it was paused')
    .action(async (queue: string, flags: ControlFlags) => {
      const heeded = await atControl(flags, terminal, (control) => control.resume(queue));
      exit(tellResumed(queue, heeded, terminal));
    });
};

/** Says whether it goes on, and returns the exit code: 1 if all or a part of it stays paused by another name. */
export function tellResumed(queue: string, heeded: PausesHeeded, terminal: Terminal): number {
  const { processes, paused, pausedBy } = heeded;
  const goesOn = pausedBy.length === 0;
  const code = tellHeeded(heeded, goesOn ? `goes on with '${queue}'` : 'has heard it', terminal);
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

/** A lane is paused with its queue, and a queue may have lanes that are paused by themselves. */
const stillPaused = (queue: string, by: string): string =>
  by.startsWith(`${queue}.`) ? `lane '${by}' is still paused` : `'${queue}' is still paused with '${by}'`;
