import { countText } from '../../../util/text/count-text.js';
import { withSession } from '../../broker/session.js';
import type { DefineCommand } from '../../command.js';
import { confirm } from '../../dead-letters/confirm.js';
import { missingQueue, type QueueFlags, queueOf, withQueue } from '../../queues/queue-flags.js';

interface Flags extends QueueFlags {
  readonly yes?: boolean;
}

/** `hopline queue purge QUEUE`: deletes what waits in a work queue. */
export const define: DefineCommand = (command, { terminal }) => {
  withQueue(command)
    .option('--yes', 'do it without asking')
    .action(async (queue: string, flags: Flags) => {
      const { broker, names } = await queueOf(queue, flags, terminal);
      await withSession(broker, names, async ({ session }) => {
        const state = await session.inspect(queue);
        if (!state) throw missingQueue(queue, broker);
        const { ready, consumers } = state;
        if (ready === 0) return terminal.print(`0 messages wait in '${queue}': nothing to purge`);
        const what = `all that waits in '${queue}', ${countText(ready, 'message')}, and what comes there meanwhile, will be deleted for good, on ${broker.name}`;
        await confirm(what, terminal, flags.yes);
        terminal.print(`${countText(await session.purge(queue), 'message')} deleted`);
        if (consumers > 0)
          terminal.tell(
            `note: it has ${countText(consumers, 'consumer')}; what they hold was not deleted, nor what waits for a retry or a delay`,
          );
      });
    });
};
