import { atControl, type ControlFlags, tellHeeded, withControl } from '../control.js';
import type { AddCommand } from '../program.js';

/** `hopline pause QUEUE`: nothing of the queue begins any more, wherever, until `hopline resume QUEUE`. */
export const addPause: AddCommand = (parent, { terminal, exit }) => {
  withControl(parent.command('pause').description('let no message of a queue begin, now and after restarts'))
    .argument('<queue>', 'its name in the broker; of a queue with lanes, all of them, or one by its own name')
    .action(async (queue: string, flags: ControlFlags) => {
      const heeded = await atControl(flags, terminal, (control) => control.pause(queue));
      exit(tellHeeded(heeded, `begins nothing more of '${queue}'`, terminal));
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
      exit(tellHeeded(heeded, `goes on with '${queue}'`, terminal));
      terminal.tell(`queue '${queue}' is not paused`);
    });
};
