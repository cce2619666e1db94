import { type Clock, pause } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import {
  asEnded,
  isActive,
  type KeptOperation,
  type OperationsDocument,
  type OperationsKept,
  shown,
  withChanged,
} from './kept-operations.js';
import type { Operation } from './operation.js';

/** How a run ends: `lost` if another process has the operation now, `released` if one is to take it on. */
export type End =
  | 'lost'
  | 'released'
  | { readonly state: 'done' | 'stopped' | 'failed'; readonly why?: string };

export interface SignsOptions {
  readonly kept: OperationsKept;
  readonly clock: Clock;
  readonly log: Logger;
  readonly id: string;
  /** Token of this process. */
  readonly owner: string;
  /** The operation as it is now. */
  now(): KeptOperation;
  endAs(end: End): void;
}

/** Between two signs of life, in which a wish to stop is seen as well. */
const BEAT_MS = 2_000;
const WRITE_AGAIN_MS = 1_000;
/** Writes after which the end of one that another process is to take on is given up. */
const MOST_WRITES = 3;

/** Writes how an operation is going into the list in the broker, and reads there that it is to stop. */
export class Signs {
  constructor(private readonly options: SignsOptions) {}

  /** Gives a sign of life each few seconds until `over` aborts. */
  async beatOn(over: AbortSignal, beaten: () => void): Promise<void> {
    const { clock, log, id } = this.options;
    for (;;) {
      await pause(clock, BEAT_MS, over).catch(() => {});
      if (over.aborted) return;
      beaten();
      await this.beat().catch((error) =>
        log.warn({ operation: id, error }, 'an operation on dead letters could not be noted'),
      );
    }
  }

  /**
   * Writes the end, again and again until that is confirmed: whoever sees none would go on with what has stopped.
   *
   * @param closing aborts when this process can't wait for it any more
   * @throws the error of the last write
   */
  async end(end: End, closing: AbortSignal): Promise<Operation> {
    const { kept, clock, log, id } = this.options;
    const now = this.options.now();
    const isOver = typeof end === 'object';
    // Others need not wait until its silence is noticed.
    const last = isOver ? asEnded(now, end.state, end.why, clock.now()) : { ...now, beatAt: 0 };
    for (let writes = 1; end !== 'lost'; writes += 1) {
      try {
        await kept.change((before) => this.withEnd(before, last, end));
        break;
      } catch (error) {
        if (writes >= MOST_WRITES && (!isOver || closing.aborted)) throw error;
        if (writes === MOST_WRITES)
          log.warn(
            { operation: id, error },
            'the end of an operation on dead letters could not be noted yet',
          );
        if (writes < MOST_WRITES) await pause(clock, WRITE_AGAIN_MS);
        else await pause(clock, BEAT_MS, closing).catch(() => {});
      }
    }
    return shown(last, clock.now());
  }

  private async beat(): Promise<void> {
    const { kept, clock, id, owner, endAs, now } = this.options;
    await kept.change((before) => {
      const its = activeIn(before, id);
      if (its?.owner !== owner) {
        endAs('lost');
        return before;
      }
      const { state, why } = its;
      if (state === 'stopping') endAs({ state: 'stopped', why: why ?? 'it was stopped' });
      return withChanged(before, { ...now(), state, why, beat: its.beat + 1, beatAt: clock.now() });
    });
  }

  private withEnd(before: OperationsDocument, last: KeptOperation, end: End): OperationsDocument {
    const { id, owner } = this.options;
    const its = activeIn(before, id);
    if (!its) return before;
    const { state } = its;
    if (its.owner === owner) return withChanged(before, typeof end === 'object' ? last : { ...last, state });
    // Another has taken it on meanwhile, and can't know why it had stopped.
    if (typeof end === 'object' && end.state === 'stopped')
      return withChanged(before, { ...its, state: 'stopping', why: last.why });
    return before;
  }
}

function activeIn({ operations }: OperationsDocument, id: string): KeptOperation | undefined {
  return operations.find((each) => each.id === id && isActive(each));
}
