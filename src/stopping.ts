import type { Runners } from './consume/runners.js';
import type { TransportSession } from './transport/transport.js';
import type { Deadline } from './util/deadline.js';
import type { Duration } from './util/duration.js';

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
  { session, runners, handlersEnded }: Stoppable,
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
  await stage('waiting for confirms', session.drain(deadline));
  await stage('closing the channels', runners.close());
  await session.close(deadline).catch((error: Error) => problems.push(error.message));
  return problems;
}
