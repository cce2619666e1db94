import { MIN_DELAY_MS } from '../message/delay-range.js';
import type { Publisher } from '../message/publisher.js';
import { compose, type Middleware } from '../middleware/middleware.js';
import type { Stores } from '../stores/stores.js';
import { isA, readableError } from '../util/error-text.js';
import { hearRejection } from '../util/hear-rejection.js';
import { Admission } from './admission.js';
import type { AttemptEvents } from './attempt-events.js';
import { Gathering } from './batch.js';
import { type BatchSender, jobOf, refusalOf } from './batch-job.js';
import { goingOn } from './chain-effects.js';
import type { Claim } from './claims.js';
import { HandlerContext, type Stopping } from './context.js';
import { type DecodeOptions, decoded } from './decode.js';
import type { BatchFunction, HandlerFunction } from './definition.js';
import { NO_EFFECTS } from './effect.js';
import type { ThroughOutbox } from './inbox.js';
import { type Outcome, RETURN } from './outcome.js';
import type { Received } from './received.js';
import { type Ending, runHandler, type TimedCode } from './run-handler.js';
import type { Settler } from './settle.js';
import type { StepSender } from './step.js';
import type { Handler } from './subscription.js';
import type { Uniques } from './uniques.js';
import { Verdicts, type VerdictsOptions } from './verdicts.js';
import type { Work } from './work.js';

export interface DispatcherOptions extends DecodeOptions, VerdictsOptions {
  readonly service: string;
  readonly events: AttemptEvents;
  readonly middleware: readonly Middleware[];
  readonly publisher: Publisher;
  readonly steps: StepSender;
  readonly batches: BatchSender;
  readonly stores: Stores;
  readonly throughOutbox: ThroughOutbox;
  readonly settler: Pick<Settler, 'settle' | 'endAttempt'>;
  readonly uniques: Uniques;
  readonly handlers: readonly Handler[];
  /** Told how each attempt's code ended: whether it threw or ran too long. */
  readonly onEnded?: (handler: Handler, isFailure: boolean) => void;
  /** Whether the circuit of this handler, or of one that it shares its places with, is open. */
  readonly isPaused?: () => boolean;
  /** What tells contexts that they should come to an end. */
  readonly stopping: Stopping;
  readonly timeoutGraceMs: number;
}

type DeadLetter = Extract<Outcome, { kind: 'dead-letter' }>;

/** The way of one delivery: decode → validate → admit → middleware → handler → outcome → settle. */
export class Dispatcher {
  private readonly running = new Set<HandlerContext>();
  private readonly codeOf: ReadonlyMap<Handler, TimedCode>;
  /** Of the handlers that take many messages in one call. */
  private readonly gatherings: Gathering[] = [];
  private readonly admission: Admission;
  private readonly verdicts: Verdicts;

  constructor(private readonly options: DispatcherOptions) {
    const { handlers } = options;
    this.codeOf = new Map(handlers.map((handler) => [handler, this.timedCode(handler)]));
    this.admission = new Admission(options, options.uniques);
    this.verdicts = new Verdicts(options);
  }

  /** Never rejects: whatever happens to a message is an outcome. A promise only if something has to be waited for. */
  dispatch(work: Work): Promise<void> | undefined {
    const outcome = work.decided ?? this.attempt(work);
    return outcome instanceof Promise
      ? outcome.then((late) => this.conclude(work, late))
      : this.conclude(work, outcome);
  }

  /** No more messages will come: handlers of many are called with what they have. */
  stopGathering(): void {
    for (const gathering of this.gatherings) gathering.stop();
  }

  /** Fires the signals of the running attempts that `picks` names, and says how many that are. */
  abort(reason: Error, picks: (received: Received) => boolean): number {
    const picked = [...this.running].filter(({ work }) => picks(work.received));
    for (const context of picked) context.abort(reason);
    return picked.length;
  }

  private conclude(work: Work, outcome: Outcome): Promise<void> | undefined {
    return outcome.kind === 'retry' && outcome.delayMs === 0
      ? this.again(work, outcome)
      : this.options.settler.settle(work, outcome);
  }

  /**
   * A backoff of 0: the next attempt begins here, at once, but after all else that this process has to do. What may not
   * begin now, since the bus stops or a circuit is open, travels on as any other retry does.
   */
  private async again(work: Work, first: Outcome): Promise<void> {
    const { events, settler, stopping, isPaused } = this.options;
    let outcome = first;
    while (outcome.kind === 'retry' && outcome.delayMs === 0) {
      await settler.endAttempt(work, outcome);
      outcome = { ...outcome, effects: NO_EFFECTS };
      await new Promise((resolve) => setImmediate(resolve));
      // The broker delivers it again.
      if (work.received.delivery.lost) break;
      if (stopping.isStopping || isPaused?.()) {
        outcome = { ...outcome, delayMs: MIN_DELAY_MS };
        break;
      }
      events.retried(work, 0, outcome.error);
      work.attempt += 1;
      outcome = await this.attempt(work);
    }
    await settler.settle(work, outcome);
  }

  /** One attempt, from bytes to outcome. */
  private attempt(work: Work): Outcome | Promise<Outcome> {
    // Before all that may have it come back: a copy would be without what can't be read, and be handled.
    const { unreadable } = work.received.delivery;
    if (unreadable !== undefined) return this.verdicts.unreadable(unreadable);
    const job = jobOf(work.received);
    if (!job) return this.attemptNow(work);
    const { batches, log } = this.options;
    return refusalOf(job, batches, log).then((refusal) => refusal ?? this.attemptNow(work));
  }

  private attemptNow(work: Work): Outcome | Promise<Outcome> {
    const { received, match, chain } = work;
    if (chain?.finished) return goingOn(work, chain, this.options.steps);
    if (!match) return this.verdicts.unhandled(received);
    let payload: unknown;
    try {
      payload = decoded(work, match, this.options);
    } catch (error) {
      return this.verdicts.undecodable(work, match.handler, error);
    }
    if (!isA(payload, Promise)) return this.handle(work, match.handler, payload);
    return payload.then(
      // What was lost meanwhile comes again, and nothing would tell a handler that begins now.
      (late) => (received.delivery.lost ? RETURN : this.handle(work, match.handler, late)),
      (error) => this.verdicts.undecodable(work, match.handler, error),
    );
  }

  private handle(work: Work, handler: Handler, payload: unknown): Outcome | Promise<Outcome> {
    const context = new HandlerContext(work, handler, this.options);
    const admitting = this.admission.admit(context, payload);
    if (!admitting) return this.handleNow(context, payload);
    return admitting.then(
      (admitted) => this.handleAdmitted(context, payload, admitted),
      // What decides by the payload is the handler's code, and fails as it does.
      (error) => this.verdicts.failure(work, handler, error),
    );
  }

  private async handleAdmitted(
    context: HandlerContext,
    payload: unknown,
    admitted: Claim | Outcome | undefined,
  ): Promise<Outcome> {
    if (!admitted) return this.handleNow(context, payload);
    if (admitted.kind === 'claim') return admitted.concluded(await this.handleNow(context, payload));
    return admitted;
  }

  private handleNow(context: HandlerContext, payload: unknown): Outcome | Promise<Outcome> {
    const { work } = context;
    work.firstAttemptAt ??= this.options.clock.now();
    // Asked before the handler can change its payload.
    const until = untilOf(context, payload);
    const ending = this.run(context, payload);
    const conclude = (how: Ending) => {
      // Its code may still run, and work on it.
      if (how.kind === 'timed-out') context.handling?.abandon();
      const outcome = this.goingOn(
        context,
        context.handling?.outcome ?? this.verdicts.ended(context, how, until),
      );
      return outcome.kind === 'dead-letter'
        ? this.tellFailed(context.afterwards(), payload, outcome)
        : outcome;
    };
    return ending instanceof Promise ? ending.then(conclude) : conclude(ending);
  }

  /** A step of a chain that is done is followed by the next, unless that is stored already. */
  private goingOn({ step, recorded, work }: HandlerContext, outcome: Outcome): Outcome {
    if (!step || recorded || outcome.kind !== 'done' || outcome.continues) return outcome;
    const { next } = step;
    return next ? goingOn(work, next, this.options.steps) : outcome;
  }

  private run(context: HandlerContext, payload: unknown): Ending | Promise<Ending> {
    const { clock, events } = this.options;
    const startedAt = clock.monotonic();
    context.work.beganAt ??= startedAt;
    events.started(context.work, startedAt);
    const ending = runHandler(this.codeOf.get(context.handler) as TimedCode, payload, context);
    if (!(ending instanceof Promise)) return this.ended(context, ending, startedAt);
    // What has returned already can't be told to stop any more.
    this.running.add(context);
    return ending.then((late) => {
      this.running.delete(context);
      return this.ended(context, late, startedAt);
    });
  }

  private ended(context: HandlerContext, ending: Ending, startedAt: number): Ending {
    const { events, onEnded } = this.options;
    const { recorded, work } = context;
    context.phase = 'over';
    const isFailure = ending.kind !== 'returned';
    events.ended(work, startedAt, isFailure || recorded?.kind === 'dead-letter');
    // One that was told to stop has not failed.
    if (ending.kind !== 'threw' || context.abortReason === undefined) onEnded?.(context.handler, isFailure);
    if (ending.kind !== 'returned') events.failed('handler.failed', work, ending.error, startedAt);
    else if (recorded?.kind === 'dead-letter')
      events.failed('handler.failed', work, recorded.error, startedAt);
    else if (!recorded) events.succeeded(work, startedAt);
    return ending;
  }

  /**
   * Runs the handler's `failed()`. What it throws goes into the dead letter and its event, and changes nothing else. It runs once,
   * and again only if the process dies before the dead letter is confirmed.
   */
  private async tellFailed(context: HandlerContext, payload: unknown, outcome: DeadLetter): Promise<Outcome> {
    const { handler, work } = context;
    const { failed } = handler;
    if (!failed || work.received.delivery.lost) return outcome;
    const error = readableError(outcome.error);
    const code = {
      ...(this.codeOf.get(handler) as TimedCode),
      name: `${handler.name}.failed`,
      run: () => failed(error, payload, context),
    };
    context.phase = 'failing';
    const ending = await runHandler(code, payload, context);
    context.phase = 'over';
    if (ending.kind === 'returned') return outcome;
    return { ...outcome, failedError: ending.error };
  }

  private timedCode(handler: Handler): TimedCode {
    const { clock, events, middleware, timeoutGraceMs } = this.options;
    const { name, timeoutMs } = handler;
    const run = compose(middleware, this.functionOf(handler));
    return {
      name,
      run: (payload, context) =>
        context.step || context.handling ? runWhole(run, payload, context) : run(payload, context),
      timeoutMs,
      graceMs: timeoutGraceMs,
      clock,
      onTimeout: (context, error) =>
        events.failed('handler.timedOut', context.work, error, clock.monotonic() - timeoutMs),
    };
  }

  private functionOf({ handle, batch }: Handler): HandlerFunction {
    if (!batch) return handle as HandlerFunction;
    const gathering = new Gathering(handle as BatchFunction, batch, this.options.clock);
    this.gatherings.push(gathering);
    return gathering.join;
  }
}

/** An attempt has failed, too, if what it gave its chain turns out to be wrong, or its transaction can't be committed. */
async function runWhole(run: HandlerFunction, payload: unknown, context: HandlerContext): Promise<void> {
  try {
    await run(payload, context);
    await context.step?.checked();
    await context.handling?.conclude();
  } catch (error) {
    await context.handling?.rollBack();
    throw error;
  }
}

/** Wall-clock milliseconds of the moment that the policy's `retryUntil` names; Infinity if there is none. */
function untilOf(context: HandlerContext, payload: unknown): number {
  const { retryUntil } = context.handler.retry;
  if (!retryUntil) return Number.POSITIVE_INFINITY;
  let problem: unknown = 'it gave no valid Date';
  try {
    const until: unknown = retryUntil(payload, context);
    const at = until instanceof Date ? Number(until.getTime()) : Number.NaN;
    if (!Number.isNaN(at)) return at;
    // Of an async one nobody awaits the answer.
    hearRejection(until);
  } catch (error) {
    problem = error;
  }
  context.log.warn({ error: problem }, 'retryUntil of a policy set no end: the other limits hold');
  return Number.POSITIVE_INFINITY;
}
