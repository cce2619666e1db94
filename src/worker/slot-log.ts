import { formatMs } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import type { Occupant } from './occupant.js';
import type { Refusal, Suspect } from './protocol.js';
import type { Blame } from './suspects.js';
import type { Exit } from './worker-process.js';

/** Number of crashes in a row from which on they are reported as a loop. */
const LOOP_FROM = 3;

/** The log of one slot: a line for each event of its processes, with the worker's number and the process's id. */
export class SlotLog {
  constructor(
    private readonly log: Logger,
    private readonly number: number,
  ) {}

  replacing(occupant: Occupant, reason: string): void {
    this.info(occupant, `is replaced: ${reason}`);
  }

  ready(occupant: Occupant): void {
    this.info(occupant, 'is ready');
  }

  stopped(occupant: Occupant): void {
    this.info(occupant, 'has stopped');
  }

  late(occupant: Occupant, afterMs: number): void {
    const what = occupant.isLoaded ? 'its buses have not started' : 'its application is still being loaded';
    this.log.warn(
      this.fields(occupant),
      `worker ${this.number} is not ready after ${formatMs(afterMs)}: ${what}`,
    );
  }

  killed(occupant: Occupant): void {
    this.error(occupant, {}, 'does not stop, and is killed');
  }

  leftWork(occupant: Occupant, exit: Exit): void {
    this.error(occupant, exit, 'has stopped, and left work behind');
  }

  /** @param consequence what happens to the slot, as half a sentence */
  refused(occupant: Occupant, { message, help }: Refusal, isReplacement: boolean, consequence: string): void {
    const what = isReplacement ? 'replaced' : 'run';
    this.error(occupant, { help }, `can't be ${what}: ${message}; ${consequence}`);
  }

  crashedWhileReplaced(occupant: Occupant, exit: Exit): void {
    this.error(occupant, exit, `has ended with ${exitText(exit)}, while it was being replaced`);
  }

  /** @param crashes number of crashes in a row */
  crashed(occupant: Occupant, exit: Exit, crashes: number, retryInMs: number): void {
    const again = `it is started again in ${formatMs(retryInMs)}`;
    this.error(
      occupant,
      { ...exit, crashes, retryInMs },
      crashes < LOOP_FROM
        ? `has ended with ${exitText(exit)}; ${again}`
        : `crashes again and again, ${crashes} times so far, now with ${exitText(exit)}; ${again}`,
    );
  }

  /** @param limit deaths after which the message is given up */
  crashedByMessage(occupant: Occupant, exit: Exit, blame: Blame, limit: number, retryInMs: number): void {
    const { queue, messageId, deaths } = blame;
    this.error(
      occupant,
      { ...exit, queue, messageId, deaths, retryInMs },
      `has ended with ${exitText(exit)} while it ran nothing but one message of '${queue}', ${deaths} of ${limit} times; it is started again in ${formatMs(retryInMs)}`,
    );
  }

  /** @param deaths ends of the processes in which the message ran alone */
  messageGivenUp(occupant: Occupant, { queue, messageId }: Suspect, deaths: readonly string[]): void {
    this.log.error(
      { ...this.fields(occupant), queue, messageId, deaths },
      `a message of '${queue}' is dead-lettered as crashed: ${deaths.length} processes ended while they ran it alone`,
    );
  }

  private info(occupant: Occupant, what: string): void {
    this.log.info(this.fields(occupant), `worker ${this.number} ${what}`);
  }

  private error(occupant: Occupant, fields: object, what: string): void {
    this.log.error({ ...this.fields(occupant), ...fields }, `worker ${this.number} ${what}`);
  }

  private fields({ pid }: Occupant) {
    return { worker: this.number, pid };
  }
}

/** End of a process as text: its exit code, or the signal that ended it. */
export function exitText({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal;
}
