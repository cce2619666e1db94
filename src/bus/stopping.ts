import type { Consumption } from '../consume/intake/consumption.js';
import { StopDeadlineError } from '../errors.js';
import type { TransportSession } from '../transport/transport.js';
import type { Deadline } from '../util/deadline.js';
import { formatMs } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import { awaitSignal } from '../util/signals.js';
import { reasonText } from '../util/text/error-text.js';
import type { StopOptions } from './stop-options.js';

/** Time that is reserved for the stages after the handlers' one. */
export const CLOSING_RESERVE_MS = 3_000;

/** Parts that stop, in this order. */
export interface Stoppable {
  readonly session: TransportSession;
  readonly consumption: Consumption;
  /** Settles when the messages taken from the outbox are published, or can't be. */
  readonly relayed: Promise<void> | undefined;
  /** Settles when the messages of overdue batches are sent, or can't be. */
  readonly lookedAfter: Promise<void>;
  /**
   * Called when handlers are no longer waited for: lets go of messages whose retry or dead letter can't be
   * published, and sends the rest.
   */
  handlersEnded(): void;
  /** See {@link StopOptions.afterHandlers}. */
  readonly afterHandlers: StopOptions['afterHandlers'];
}

/**
 * Takes no more messages, lets handlers finish and settles their messages, waits for confirms, closes. Each
 * stage ends at the deadline at the latest, and all stages run.
 *
 * @returns work that had to be left behind, as sentences
 */
export async function stopInStages(
  { session, consumption, relayed, lookedAfter, handlersEnded, afterHandlers }: Stoppable,
  deadline: Deadline,
): Promise<string[]> {
  const problems: string[] = [];
  const stage = async (name: string, work: Promise<unknown>, end = deadline) => {
    const late = () => new Error(`${name} took too long`);
    await end.race(work, late).catch((error: unknown) => problems.push(reasonText(error)));
  };
  await stage('cancelling the consumers', consumption.stopConsuming());
  const handlersEnd = deadline.before(CLOSING_RESERVE_MS);
  for (const queue of await consumption.finish(handlersEnd))
    problems.push(`handlers of queue '${queue}' were still running`);
  if (afterHandlers)
    await stage(
      'what goes on after the handlers',
      Promise.resolve().then(afterHandlers),
      deadline.before(CLOSING_RESERVE_MS),
    );
  handlersEnded();
  await stage('relaying the outbox', relayed ?? Promise.resolve());
  await stage('sending overdue messages of batches', lookedAfter);
  await stage('waiting for confirms', session.drain(deadline));
  await stage('closing the channels', consumption.close());
  await session.close(deadline).catch((error: Error) => problems.push(error.message));
  return problems;
}

export function leftBehind(
  service: string,
  problems: readonly string[],
  deadlineMs: number,
): StopDeadlineError {
  return new StopDeadlineError(
    `service '${service}' did not stop cleanly within ${formatMs(deadlineMs)}: ${problems.join('; ')}`,
    'Let handlers stop on context.signal, or raise stopDeadline. Unsettled messages are delivered again.',
  );
}

/** A bus that runs until a signal comes. */
interface SignalledBus {
  readonly service: string;
  start(): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
}

/**
 * Starts the bus, and stops it at the first signal; the second cancels handlers that still run, the third ends
 * the process at once.
 */
export async function runUntilSignal(bus: SignalledBus, log: Logger): Promise<void> {
  const { service } = bus;
  const wait = awaitSignal('SIGTERM', 'SIGINT');
  const started = bus.start().then(() => wait.received);
  const signal = await Promise.race([wait.received, started]).finally(() => wait.end());
  log.info({ service, signal }, 'stopping');
  const second = awaitSignal('SIGTERM', 'SIGINT');
  void second.received.then(() => bus.stop({ cancel: true }).catch(() => {}));
  try {
    await bus.stop();
  } catch (error) {
    log.error({ service, error }, 'stopped, and left work behind');
    // A handler that ignores its signal could otherwise keep the process alive without end.
    process.exit(1);
  } finally {
    second.end();
  }
}
