import type { BatchSender } from '../../features/batch/batch-job.js';
import { Gathering } from '../../features/bulk/bulk.js';
import type { StepSender } from '../../features/chain/step.js';
import { featureGuards } from '../../features/features.js';
import type { ThroughOutbox } from '../../features/inbox/inbox.js';
import type { Uniques } from '../../features/unique/uniques.js';
import type { Sender } from '../../message/publisher.js';
import type { BatchFunction, HandlerFunction, PlannedHandler } from '../../pipeline/handler.js';
import type { MiddlewareObject } from '../../pipeline/middleware.js';
import { type Outcome, RETURN } from '../../pipeline/outcome.js';
import { type PublishMiddleware, publishMiddlewareOf } from '../../pipeline/publish-middleware.js';
import type { Received } from '../../pipeline/received.js';
import { type Arriving, type Handling, type Later, piped } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import type { Stores } from '../../stores/stores.js';
import { isA } from '../../util/error-text.js';
import type { Handler } from '../handlers/subscription.js';
import type { AttemptEvents } from './attempt-events.js';
import { type ContextSurroundings, HandlerContext, type Stopping } from './context.js';
import { type DecodeOptions, decoded } from './decode.js';
import type { TimedCode } from './run-handler.js';
import { Running, type RunningOptions } from './running.js';
import { aroundStages, arrivalStages, guardStages, type StageOptions } from './stages.js';
import { Verdicts, type VerdictsOptions } from './verdicts.js';

export interface DispatcherOptions extends DecodeOptions, VerdictsOptions, Omit<RunningOptions, 'verdicts'> {
  readonly service: string;
  readonly events: AttemptEvents;
  readonly middleware: readonly MiddlewareObject[];
  /** Sender of what a handler publishes. @param inner publish middleware of the handler */
  readonly senderOf: (inner: readonly PublishMiddleware[]) => Sender;
  readonly steps: StepSender;
  readonly batches: BatchSender;
  readonly stores: Stores;
  readonly uniques: Uniques;
  /** Sender of what a handler publishes in its transaction. @param inner publish middleware of the handler */
  readonly throughOutbox: (add: Parameters<ThroughOutbox>[0], inner: readonly PublishMiddleware[]) => Sender;
  readonly handlers: readonly Handler[];
  /** What tells contexts that they should come to an end. */
  readonly stopping: Stopping;
  readonly timeoutGraceMs: number;
}

/** One handler's ways: of messages that carry no mark of ours, and of those that do. */
interface Ways {
  readonly handler: Handler;
  readonly plain: Handling;
  readonly marked: Handling;
  /** What its contexts have of the bus. */
  readonly surroundings: ContextSurroundings;
}

/** The way of one attempt, from bytes to outcome: decode, then the handler's pipeline, which is put together at the start. */
export class Dispatcher {
  private readonly waysOf: ReadonlyMap<PlannedHandler, Ways>;
  /** Of messages that carry a mark of ours, whatever their handler. */
  private readonly arrive: Arriving;
  private readonly running: Running;
  private readonly verdicts: Verdicts;
  private readonly stageOptions: StageOptions;
  /** Of the handlers that take many messages in one call. */
  private readonly gatherings: Gathering[] = [];

  constructor(private readonly options: DispatcherOptions) {
    const verdicts = new Verdicts(options);
    this.verdicts = verdicts;
    this.running = new Running({ ...options, verdicts });
    this.stageOptions = {
      ...options,
      throughOutbox: (add) => options.throughOutbox(add, []),
      failed: ({ handler, work }, error) => verdicts.failure(work, handler, error),
    };
    this.waysOf = new Map(options.handlers.map((handler) => [handler, this.ways(handler)]));
    this.arrive = piped(arrivalStages(this.stageOptions), (work) => this.attempt(work, true));
  }

  /**
   * What becomes of it, at once if nothing has to be waited for. What it throws, or rejects with, is a bug of ours.
   *
   * @param hasArrived it has passed the arrival stages, or needs none
   */
  attempt(work: Work, hasArrived = work.received.isPlain): Later<Outcome> {
    if (!hasArrived) return this.arrive(work);
    const { received, match } = work;
    if (!match) return this.verdicts.unhandled(received);
    const ways = this.waysOf.get(match.handler) as Ways;
    const { handler, surroundings } = ways;
    const way = received.isPlain ? ways.plain : ways.marked;
    let payload: unknown;
    try {
      payload = decoded(work, match, this.options);
    } catch (error) {
      return this.verdicts.undecodable(work, handler, error);
    }
    if (!isA(payload, Promise)) return way(new HandlerContext(work, handler, surroundings, payload));
    return payload.then(
      // What was lost meanwhile comes again, and nothing would tell a handler that begins now.
      (late) =>
        received.delivery.lost ? RETURN : way(new HandlerContext(work, handler, surroundings, late)),
      (error) => this.verdicts.undecodable(work, handler, error),
    );
  }

  /** No more messages will come: handlers of many are called with what they have. */
  stopGathering(): void {
    for (const gathering of this.gatherings) gathering.stop();
  }

  /** Fires the signals of the running attempts that `picks` names, and says how many that are. */
  abort(reason: Error, picks: (received: Received) => boolean): number {
    return this.running.abort(reason, picks);
  }

  private ways(handler: Handler): Ways {
    const { options, running } = this;
    const inner = publishMiddlewareOf(handler.middleware ?? []);
    const surroundings = { ...options, sender: options.senderOf(inner) };
    const throughOutbox: ThroughOutbox = (add) => options.throughOutbox(add, inner);
    const stageOptions = { ...this.stageOptions, throughOutbox };
    const run = this.functionOf(handler);
    const features = featureGuards(handler, stageOptions);
    const way = (isMarked: boolean) => {
      const around = aroundStages(handler, isMarked, options.middleware);
      const code = this.timed(handler, piped(around, run));
      return piped(guardStages(handler, isMarked, features, code, stageOptions), running.handling(code));
    };
    return { handler, plain: way(false), marked: way(true), surroundings };
  }

  private timed({ name, timeoutMs }: Handler, run: HandlerFunction): TimedCode {
    const { clock, events, timeoutGraceMs } = this.options;
    return {
      name,
      run,
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
