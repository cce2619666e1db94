import type { KeyProvider } from '../encryption/key-provider.js';
import { type Failures, openFailures } from '../failures/failures.js';
import type { UnreadableLetter } from '../failures/unreadable.js';
import { rabbitmq } from '../transport/amqp/index.js';
import { silentLogger } from '../util/logger.js';
import { type Target, type TargetFlags, targetOf } from './target.js';
import type { Terminal } from './terminal.js';
import { numberText } from './text.js';

/** The dead letters that a command is about, and where they are. */
export interface Desk {
  readonly failures: Failures;
  readonly target: Target;
}

/**
 * Connects for as long as `use` takes.
 *
 * @param keys of the application, if something is to be decrypted
 */
export async function atDesk<T>(
  flags: TargetFlags,
  terminal: Terminal,
  use: (desk: Desk) => Promise<T>,
  keys?: KeyProvider | undefined,
): Promise<T> {
  const target = await targetOf(flags, terminal);
  const open = (queues: readonly string[]) =>
    openFailures({
      transport: rabbitmq(target.broker.options),
      queues,
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
      if (present.length > 0 && present.length < target.queues.length) {
        await failures.close();
        failures = await open(present);
      }
    }
    const result = await use({ failures, target });
    for (const letter of failures.unreadable) terminal.tell(unreadableText(letter));
    return result;
  } finally {
    await failures.close().catch(() => {});
  }
}

function unreadableText({ deadQueue, waiting }: UnreadableLetter): string {
  const pattern = `^${deadQueue.replaceAll('.', '\\.')}$`;
  const policy = `{"max-length":${waiting - 1},"dead-letter-exchange":"","dead-letter-routing-key":"QUEUE"}`;
  return (
    `warning: a letter in ${deadQueue} ends each connection over which it is delivered: it can't be read, and lies first now; all others were dealt with as usual. ` +
    `While as many lie there, this moves it alone into another queue, inside the broker: rabbitmqctl set_policy move-head '${pattern}' '${policy}' --apply-to queues --priority 1000, and then rabbitmqctl clear_policy move-head. ` +
    `This deletes all: hopline failed flush --queue ${deadQueue.replace(/\.dead$/, '')}`
  );
}

/** What the application would declare, but has not yet, holds no dead letters. */
async function presentQueues(failures: Failures, terminal: Terminal): Promise<string[]> {
  const counts = await failures.count();
  const missing = counts.filter(({ count }) => count === undefined);
  if (missing.length > 0 && missing.length < counts.length)
    terminal.tell(
      `note: ${missing.map(({ deadQueue }) => deadQueue).join(', ')} not declared yet: ${numberText(missing.length)} left out`,
    );
  return counts.filter(({ count }) => count !== undefined).map(({ deadQueue }) => deadQueue);
}
