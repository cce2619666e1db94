import { ShutdownError } from '../../errors.js';
import type { BatchSender } from '../../features/batch/context.js';
import type { StepSender } from '../../features/chain/context.js';
import type { FeatureParts, HandlerCode } from '../../features/feature.js';
import { featureGuards, handlerCode } from '../../features/handler-features.js';
import type { ThroughOutbox } from '../../features/inbox/inbox.js';
import type { JobAttempts } from '../../features/job/attempts.js';
import type { LimitsInForce } from '../../features/limits/limits-in-force.js';
import type { AttemptScope } from '../../features/publishes/scope.js';
import type { PublishesOptions, Through } from '../../features/publishes/stage.js';
import type { ReplyBodyOptions } from '../../features/reply/stages.js';
import type { Uniques } from '../../features/unique/uniques.js';
import type { Sender } from '../../message/publisher.js';
import type { Senders } from '../../message/requests/requester.js';
import type { Drafting } from '../../pipeline/draft.js';
import type { HandlerFunction, PlannedHandler } from '../../pipeline/handler.js';
import type { MiddlewareObject } from '../../pipeline/middleware.js';
import { type Outcome, RETURN } from '../../pipeline/outcome.js';
import type { Parking } from '../../pipeline/parking.js';
import { type PublishMiddleware, publishMiddlewareOf } from '../../pipeline/publish-middleware.js';
import { type Arriving, type Handling, type Later, piped } from '../../pipeline/stage.js';
import type { Tracing } from '../../pipeline/tracing/tracing.js';
import type { Work } from '../../pipeline/work.js';
import type { Serializer } from '../../serialization/serializer.js';
import type { Stores } from '../../stores/stores.js';
import { isA } from '../../util/text/error-text.js';
import type { Handler } from '../handlers/subscription.js';
import type { AttemptEvents } from '../report/attempt-events.js';
import { type ContextSurroundings, HandlerContext, type Stopping } from './context.js';
import { type DecodeOptions, decoded } from './decode.js';
import type { TimedCode } from './run-handler.js';
import { type LeftRunning, Running, type RunningOptions, type UnderWay } from './running.js';
import { aroundStages, arrivalStages, guardStages, type StageOptions } from './stages.js';
import { Verdicts, type VerdictsOptions } from './verdicts.js';

export interface DispatcherOptions
  extends DecodeOptions,
    ReplyBodyOptions,
    VerdictsOptions,
    Omit<RunningOptions, 'verdicts'> {
  readonly serializer: Serializer;
  readonly maxBodyBytes: number;
  readonly service: string;
  readonly events: AttemptEvents;
  readonly middleware: readonly MiddlewareObject[];
  /** Senders of what a handler publishes and asks. @param inner publish middleware of the handler */
  readonly sendersOf: (inner: readonly PublishMiddleware[]) => Senders;
  readonly through: Through;
  readonly drafts: Drafting;
  readonly scope: AttemptScope;
  readonly steps: StepSender & PublishesOptions['steps'];
  readonly batches: BatchSender;
  readonly jobs: JobAttempts;
  readonly stores: Stores;
  readonly uniques: Uniques;
  /** Sender of what a handler publishes in its transaction. @param inner publish middleware of the handler */
  readonly throughOutbox: (add: Parameters<ThroughOutbox>[0], inner: readonly PublishMiddleware[]) => Sender;
  readonly handlers: readonly Handler[];
  readonly limits: LimitsInForce;
  /** State by which contexts see that they should come to an end. */
  readonly stopping: Stopping;
  /** Where messages wait that have begun, and hold no slot meanwhile. */
  readonly parking: Parking;
  readonly timeoutGraceMs: number;
  /** Milliseconds that the broker waits for a message's end. */
  readonly consumerTimeoutMs?: number;
  /** Parts of handlers that run under leases; undefined where there are none. */
  readonly longJobs?: FeatureParts['longJobs'];
  readonly tracing: Tracing | undefined;
}

/** Ways of one handler: for messages without a mark of Hopline's, and for those with one. */
interface Ways {
  readonly handler: Handler;
  readonly plain: Handling;
  readonly marked: Handling;
  /** What its contexts have of the bus. */
  readonly surroundings: ContextSurroundings;
  readonly parts: WaysParts;
}

/** What a handler's ways are put together of. */
interface WaysParts {
  readonly code: HandlerCode;
  readonly stageOptions: StageOptions;
}

/**
 * Way of one attempt, from bytes to outcome: decode, admit, execute, decide. The stages are put together once, at the start; those of a
 * handler again, when operators change its limits.
 */
export class Dispatcher {
  private readonly waysOf: Map<PlannedHandler, Ways>;
  /** Way of messages that carry a mark of Hopline's, whatever their handler. */
  private readonly arrive: Arriving;
  private readonly running: Running;
  private readonly verdicts: Verdicts;
  /** Without what each handler has of its own. */
  private readonly stageOptions: Omit<StageOptions, 'throughOutbox' | 'inner'>;
  private readonly codes: HandlerCode[] = [];

  constructor(private readonly options: DispatcherOptions) {
    const verdicts = new Verdicts(options);
    this.verdicts = verdicts;
    this.running = new Running({ ...options, verdicts });
    this.stageOptions = {
      ...options,
      failed: ({ handler, work }, error) => verdicts.failure(work, handler, error),
    };
    this.waysOf = new Map(options.handlers.map((handler) => [handler, this.firstWays(handler)]));
    this.arrive = piped(arrivalStages(this.stageOptions), (work) => this.attempt(work, true));
  }

  /**
   * Outcome of an attempt; a promise only if something has to be waited for.
   *
   * @param hasArrived true if the message has passed the arrival stages, or needs none
   * @throws what is a bug of Hopline's own
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
      // A message that was lost meanwhile comes again, and nothing would stop a handler that begins now.
      (late) => (work.isGone ? RETURN : way(new HandlerContext(work, handler, surroundings, late))),
      (error) => this.verdicts.undecodable(work, handler, error),
    );
  }

  /**
   * Outcome of a message whose consume middleware has failed before `next`: a failed attempt, by the handler's policy. A message
   * that no handler can get, or that must not come back, ends as it does without middleware.
   */
  failed(work: Work, error: unknown): Later<Outcome> {
    const { match, received, decided } = work;
    if (!decided && match && received.delivery.unreadable === undefined)
      return this.verdicts.undecodable(work, match.handler, error);
    const { delivery, messageId } = received;
    this.options.log.error(
      { queue: delivery.queue, messageId, error },
      'a consume middleware failed for a message that no handler will get: it ends as without it',
    );
    return decided ?? this.attempt(work);
  }

  /**
   * Tells the handlers' code that no more messages will come: what it holds back for others runs now, and what can go on elsewhere is
   * to be handed over, since a stop can't wait for the end of hours of work.
   */
  closeCode(): void {
    for (const { close } of this.codes) close?.();
    this.running.abort(
      new ShutdownError(),
      (_received, handler) => this.waysOf.get(handler)?.handler.resumable !== undefined,
    );
  }

  /** Has the handler's limits as they are now. Messages under way go on as they began. */
  relimit(handler: Handler): void {
    const { surroundings, parts } = this.waysOf.get(handler) as Ways;
    this.waysOf.set(handler, this.ways(handler, surroundings, parts));
  }

  /** Code that runs now. */
  get underWay(): readonly UnderWay[] {
    return this.running.underWay;
  }

  /** Code that goes on after its attempt. */
  get leftRunning(): readonly LeftRunning[] {
    return this.running.leftRunning;
  }

  /** Fires the signals of the running attempts that `picks` names, and says how many that are. */
  abort(reason: Error, picks: (work: Work) => boolean): number {
    return this.running.abort(reason, picks);
  }

  private firstWays(handler: Handler): Ways {
    const { options } = this;
    const inner = publishMiddlewareOf(handler.middleware ?? []);
    const surroundings = { ...options, ...options.sendersOf(inner) };
    const throughOutbox: ThroughOutbox = (add) => options.throughOutbox(add, inner);
    const stageOptions = { ...this.stageOptions, throughOutbox, inner };
    const code = handlerCode(handler, stageOptions);
    this.codes.push(code);
    return this.ways(handler, surroundings, { code, stageOptions });
  }

  private ways(handler: Handler, surroundings: ContextSurroundings, parts: WaysParts): Ways {
    const { options, running } = this;
    const { stageOptions } = parts;
    const features = featureGuards(handler, stageOptions);
    const way = (isMarked: boolean) => {
      const around = aroundStages(handler, isMarked, options.middleware, options);
      const code = this.timed(handler, piped(around, parts.code.run));
      return piped(guardStages(handler, isMarked, features, code, stageOptions), running.handling(code));
    };
    const plain = way(false);
    // A copy that each process gets leads no chain on, and begins no unique message.
    return { handler, plain, marked: handler.each ? plain : way(true), surroundings, parts };
  }

  private timed({ name, timeoutMs }: Handler, run: HandlerFunction): TimedCode {
    const { clock, events, timeoutGraceMs } = this.options;
    return {
      name,
      run,
      timeoutMs,
      graceMs: timeoutGraceMs,
      clock,
      onTimeout: (context, error) => events.failed('handler.timedOut', context.work, error, timeoutMs),
    };
  }
}
