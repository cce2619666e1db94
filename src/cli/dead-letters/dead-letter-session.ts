import type { KeyProvider } from '../../encryption/key-provider.js';
import type { Failures } from '../../failures/failures.js';
import { unreadableText } from '../../failures/letters/unreadable-text.js';
import { openFailures } from '../../failures/open-failures.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import { silentLogger } from '../../util/logger.js';
import { numberText } from '../../util/text/count-text.js';
import { type Target, type TargetFlags, targetOf } from '../broker/target.js';
import type { Terminal } from '../output/terminal.js';

/** The dead-letter queues of a command, and its target. */
export interface DeadLetterSession {
  readonly failures: Failures;
  readonly target: Target;
}

/**
 * Connects for as long as `use` runs.
 *
 * @param keys keys of the application, if bodies are to be decrypted
 */
export async function withDeadLetters<T>(
  flags: TargetFlags,
  terminal: Terminal,
  use: (session: DeadLetterSession) => Promise<T>,
  keys?: KeyProvider | undefined,
): Promise<T> {
  const target = await targetOf(flags, terminal);
  const open = (queues: readonly string[]) =>
    openFailures({
      transport: rabbitmq(target.broker.options),
      // Where all that is meant are queues of others.
      queues: queues.length > 0 ? queues : () => queues,
      others: target.others,
      ...(target.prefix === undefined ? {} : { prefix: target.prefix }),
      ...(target.delayPrefix === undefined ? {} : { delayPrefix: target.delayPrefix }),
      ...(keys ? { encryption: { keys } } : {}),
      connectDeadline: '5s',
      log: silentLogger,
    });
  let failures = await open(target.queues);
  try {
    if (!target.named) {
      const present = await presentQueues(failures, terminal);
      const own = present.filter((queue) => !target.others.includes(queue));
      if (own.length > 0 && own.length < target.queues.length) {
        await failures.close();
        failures = await open(own);
      }
    }
    const result = await use({ failures, target });
    for (const letters of failures.unreadable) {
      const { message, help } = unreadableText(letters);
      terminal.tell(`warning: ${message}. ${help}`);
    }
    return result;
  } finally {
    await failures.close().catch(() => {});
  }
}

/** The application's queues that exist: one that is not declared yet has no dead letters. */
async function presentQueues(failures: Failures, terminal: Terminal): Promise<string[]> {
  const counts = await failures.count();
  const missing = counts.filter(({ count }) => count === undefined);
  if (missing.length > 0 && missing.length < counts.length)
    terminal.tell(
      `note: ${missing.map(({ deadQueue }) => deadQueue).join(', ')} not declared yet: ${numberText(missing.length)} left out`,
    );
  return counts.filter(({ count }) => count !== undefined).map(({ deadQueue }) => deadQueue);
}
