import { atControl, type ControlFlags, printAnswers, withControl } from '../../broker/control.js';
import type { DefineCommand } from '../../command.js';
import { durationMs } from '../../flag-values.js';

interface Flags extends ControlFlags {
  readonly for: string;
}

/** `hopline monitor silence`: has the running monitors tell nobody of some alerts for a time. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withControl(command.argument('<pattern>', "alerts, by id, subject or queue: 'orders*'"))
    .option('--for <duration>', 'how long; 0s ends an earlier silence', '1h')
    .action(async (pattern: string, flags: Flags) => {
      const forMs = durationMs('--for', flags.for);
      const answers = await atControl(flags, terminal, (control) => control.silence(pattern, forMs));
      if (answers.length === 0) terminal.tell('no monitor has answered: none runs for this prefix');
      exit(
        answers.length === 0 ? 1 : printAnswers(answers, forMs === 0 ? 'tells again' : 'silent', terminal),
      );
    });
};
