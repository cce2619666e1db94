import type { Attempt } from '../../pipeline/attempt.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { type Outcome, RETURN } from '../../pipeline/outcome.js';
import type { Handling, Later } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import type { Clock } from '../../util/clock.js';
import type { AttemptEvents } from '../report/attempt-events.js';
import { untilOf } from './retry-until.js';
import { type Ending, runHandler, type TimedCode } from './run-handler.js';
import type { Verdicts } from './verdicts.js';

export interface RunningOptions {
  readonly clock: Clock;
  readonly events: AttemptEvents;
  readonly verdicts: Pick<Verdicts, 'ended'>;
  /** Called with how each attempt's code ended: whether it threw or ran too long. */
  readonly onEnded?: ((work: Work, isFailure: boolean) => void) | undefined;
}

/** Code of an attempt that has begun and not ended. */
export interface UnderWay {
  readonly work: Work;
  readonly handler: PlannedHandler;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
}

/** Code that goes on though its attempt is over: nothing but itself can stop it. */
export type LeftRunning = Pick<UnderWay, 'handler' | 'startedAt'>;

/** Executes the code of attempts, reports how it ends, and keeps the contexts of what runs. */
export class Running {
  /** When each has begun, in monotonic milliseconds. */
  private readonly contexts = new Map<Attempt, number>();
  private readonly left = new Set<LeftRunning>();

  constructor(private readonly options: RunningOptions) {}

  /** Fires the signals of the running attempts that `picks` names, and says how many that are. */
  abort(reason: Error, picks: (work: Work, handler: PlannedHandler) => boolean): number {
    const picked = [...this.contexts.keys()].filter(({ work, handler }) => picks(work, handler));
    for (const context of picked) context.abort(reason);
    return picked.length;
  }

  /** What runs now, in the order in which it has begun. */
  get underWay(): UnderWay[] {
    return [...this.contexts].map(([{ work, handler }, startedAt]) => ({ work, handler, startedAt }));
  }

  /** What has outlived its timeout and its grace, and has not returned. */
  get leftRunning(): LeftRunning[] {
    return [...this.left];
  }

  /** The end of a handler's way: its code. */
  handling(code: TimedCode): Handling {
    const { clock, events } = this.options;
    return (context) => {
      const { payload, work } = context;
      // A message that was lost while a stage asked a store, or whose lease was, comes again, and nothing would stop a handler that begins now.
      if (work.comesAgain) return RETURN;
      // Before the handler can change its payload.
      const until = untilOf(context);
      const startedAt = clock.monotonic();
      work.beganAt ??= startedAt;
      events.started(work, startedAt);
      const ending = runHandler(code, payload, context);
      if (!(ending instanceof Promise)) return this.ended(context, ending, startedAt, until);
      // Only code that has not returned can be stopped.
      this.contexts.set(context, startedAt);
      return ending.then((late) => {
        this.contexts.delete(context);
        if (late.kind === 'timed-out' && late.leftRunning) {
          context.leftRunning = late.leftRunning;
          this.keep({ handler: context.handler, startedAt }, late.leftRunning);
        }
        return this.ended(context, late, startedAt, until);
      });
    };
  }

  private keep(code: LeftRunning, returned: Promise<void>): void {
    this.left.add(code);
    void returned.then(() => this.left.delete(code));
  }

  private ended(context: Attempt, ending: Ending, startedAt: number, until: number): Later<Outcome> {
    const { events, onEnded, verdicts } = this.options;
    const { recorded, work, transacted, locks } = context;
    context.phase = 'over';
    const isFailure = ending.kind !== 'returned';
    const durationMs =
      events.ended(work, startedAt, isFailure || recorded?.kind === 'dead-letter') - startedAt;
    // Code that was told to stop has not failed.
    if (ending.kind !== 'threw' || context.abortReason === undefined) onEnded?.(work, isFailure);
    if (ending.kind !== 'returned') events.failed('handler.failed', work, ending.error, durationMs);
    else if (recorded?.kind === 'dead-letter')
      events.failed('handler.failed', work, recorded.error, durationMs);
    else if (!recorded) events.succeeded(work, durationMs);
    // The code may still run, and use the transaction.
    if (ending.kind === 'timed-out') transacted?.abandon();
    const outcome = transacted?.outcome ?? verdicts.ended(context, ending, until);
    return locks ? locks.giveBack().then(() => outcome) : outcome;
  }
}
