import { atControl, type ControlFlags, whoText, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';

/**
 * `hopline cancel MESSAGE-ID`: fires the signal of the handler that runs the message, in whichever process.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withControl(command)
    .argument('<message-id>', 'as logs and events name it')
    .action(async (messageId: string, flags: ControlFlags) => {
      const processes = await atControl(flags, terminal, (control) => control.cancel(messageId));
      for (const each of processes) terminal.print(`${whoText(each)}: its signal was fired`);
      if (processes.length > 0) return;
      terminal.tell(
        `no handler runs message '${messageId}' at the moment, or its process did not answer in time`,
      );
      exit(1);
    });
};
