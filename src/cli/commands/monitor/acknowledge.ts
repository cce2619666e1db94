import { atControl, type ControlFlags, whoText, withControl } from '../../broker/control.js';
import type { DefineCommand } from '../../command.js';
import { oneLine } from '../../output/text.js';

/** `hopline monitor ack`: has the running monitors remind nobody of some alerts until they get worse or end. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withControl(command.argument('<pattern>', "alerts, by id, subject or queue: 'orders*'")).action(
    async (pattern: string, flags: ControlFlags) => {
      const answers = await atControl(flags, terminal, (control) => control.acknowledge(pattern));
      if (answers.length === 0) terminal.tell('no monitor has answered: none runs for this prefix');
      for (const answer of answers)
        terminal.print(
          `${whoText(answer)}: ${oneLine((answer.acknowledged ?? []).join(', ')) || 'none fires'}`,
        );
      exit(answers.length === 0 ? 1 : 0);
    },
  );
};
