import { atControl, type ControlFlags, printResult, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';

/** `hopline pause QUEUE`: no process starts a message of the queue until `hopline resume QUEUE`. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withControl(command)
    .argument('<queue>', 'its name in the broker; of a queue with lanes, all of them, or one by its own name')
    .action(async (queue: string, flags: ControlFlags) => {
      const result = await atControl(flags, terminal, (control) => control.pause(queue));
      exit(printResult(result, `begins nothing more of '${queue}'`, terminal));
      if (result.processes.length === 0 && result.consumers === 0)
        terminal.tell(
          'note: nobody consumes it, and nobody who serves it has answered: is it the right one?',
        );
      terminal.tell(
        `queue '${queue}' is paused, also for processes that start later, until: hopline resume ${queue}`,
      );
    });
};
