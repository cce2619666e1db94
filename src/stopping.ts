import type { Runners } from './consume/runners.js';
import { StopDeadlineError } from './errors.js';
import type { TransportSession } from './transport/transport.js';
import type { Deadline } from './util/deadline.js';
import { type Duration, formatMs } from './util/duration.js';
import type { Logger } from './util/logger.js';
import { awaitSignal } from './util/signals.js';

/** How a bus is to stop. */
export interface StopOptions {
  /** For all stages together. @default the bus's `stopDeadline` */
  deadline?: Duration;
  /** Fires the signals of running handlers at once, not only near the deadline. @default false */
  cancel?: boolean;
}

/** Time kept back from the handlers' stage of stopping for the stages after it. */
export const CLOSING_RESERVE_MS = 3_000;

/** What has to stop, in this order. */
export interface Stoppable {
  readonly session: TransportSession;
  readonly runners: Runners;
  /** What has been taken from the outbox is published, or can't be. */
  readonly relayed: Promise<void> | undefined;
  /** What was overdue of batches is sent, or can't be. */
  readonly lookedAfter: Promise<void>;
  /** No handler is waited for any more: what they hold because it can't be published is let go, the rest is sent. */
  handlersEnded(): void;
}

/**
 * Takes no more messages, lets handlers finish and settles what they did, waits for confirms, closes. No stage takes
 * longer than to the deadline, and all of them run.
 *
 * @returns what had to be left behind, as sentences
 */
export async function stopInStages(
  { session, runners, relayed, lookedAfter, handlersEnded }: Stoppable,
  deadline: Deadline,
): Promise<string[]> {
  const problems: string[] = [];
  const stage = async (name: string, work: Promise<unknown>) => {
    const late = () => new Error(`${name} took too long`);
    await deadline.race(work, late).catch((error: Error) => problems.push(error.message));
  };
  await stage('cancelling the consumers', runners.stopConsuming());
  const handlersEnd = deadline.before(CLOSING_RESERVE_MS);
  for (const queue of await runners.finish(handlersEnd))
    problems.push(`handlers of queue '${queue}' were still running`);
  handlersEnded();
  await stage('relaying the outbox', relayed ?? Promise.resolve());
  await stage('looking after batches', lookedAfter);
  await stage('waiting for confirms', session.drain(deadline));
  await stage('closing the channels', runners.close());
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
    'What was not settled is delivered again. Let handlers end on context.signal, or raise stopDeadline.',
  );
}

/** What runs until a signal comes. */
interface SignalledBus {
  readonly service: string;
  start(): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
}

/** Starts, and stops at the first signal; the second one cancels what still runs, the third ends the process at once. */
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
    // A handler that ignores its signal would keep the process alive for as long as it likes.
    process.exit(1);
  } finally {
    second.end();
  }
}
