import { atControl, type ControlFlags, printAnswers, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';

/**
 * `hopline restart SERVICE`: replaces all workers of a service, one after the other, so that some consume at
 * any time.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withControl(command)
    .argument('<service>', 'its name')
    .action(async (service: string, flags: ControlFlags) => {
      const answers = await atControl(flags, terminal, (control) => control.restart(service));
      if (answers.length === 0) terminal.tell(`no process of service '${service}' has answered`);
      exit(answers.length === 0 ? 1 : printAnswers(answers, 'is replaced when its turn comes', terminal));
    });
};
