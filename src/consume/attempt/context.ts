import { AttemptOverError, NoRateLimitError, NotResumableError } from '../../errors.js';
import { type BatchSender, HandlerBatch } from '../../features/batch/context.js';
import { batchOf } from '../../features/batch/mark.js';
import { HandlerStep, type StepSender } from '../../features/chain/context.js';
import { transactionOver, withoutInbox } from '../../features/inbox/inbox.js';
import type { JobAttempts } from '../../features/job/attempts.js';
import { HandlerLocks, type LockParts } from '../../features/lock/context.js';
import { refusingSender } from '../../features/long/refusing-sender.js';
import { watching } from '../../features/long/watching-signal.js';
import { HandlerParts, type PartFunction } from '../../features/once/context.js';
import type { Lock, LockOptions } from '../../message/lock.js';
import type { JsonForm, OnceOptions } from '../../message/once.js';
import type { Sender } from '../../message/publisher.js';
import type { RequestSender, Senders } from '../../message/requests/requester.js';
import type { TransactionClient } from '../../message/transaction-client.js';
import type {
  Attempt,
  AttemptPace,
  AttemptPublishes,
  AttemptState,
  AttemptTransaction,
} from '../../pipeline/attempt.js';
import { DISCARD, type Outcome } from '../../pipeline/outcome.js';
import type { Cause } from '../../pipeline/tracing/carried.js';
import type { Work } from '../../pipeline/work.js';
import type { Stores } from '../../stores/stores.js';
import { type Duration, toMs } from '../../util/duration.js';
import type { Logger } from '../../util/logger.js';
import type { Handler } from '../handlers/subscription.js';
import { askedRelease, yielded } from './asked-release.js';
import { logWith } from './attempt-log.js';
import { CarryingRequests } from './carrying-requests.js';
import { CarryingSender } from './carrying-sender.js';
import { ReceivedContext } from './received-context.js';

/** State of the worker: no more messages are taken while it stops. */
export interface Stopping {
  readonly isStopping: boolean;
}

/** Parts of the bus that contexts use. */
export interface ContextSurroundings extends Senders, LockParts {
  readonly service: string;
  readonly steps: StepSender;
  readonly batches: BatchSender;
  readonly jobs: Pick<JobAttempts, 'progress'>;
  readonly stores: Stores;
  readonly log: Logger;
  readonly stopping: Stopping;
}

/** The context of one attempt. */
export class HandlerContext extends ReceivedContext implements Attempt {
  readonly attempt: number;
  readonly tries: number;
  /** Outcome that the handler asked for by `release`, `fail` or `discard`; the first wins. */
  recorded: Outcome | undefined;
  /** Phase of the attempt: `failing` while `failed()` runs. After `running` nothing is decided any more. */
  phase: 'running' | 'failing' | 'over' = 'running';

  /** Reason for which the signal fired, if it has. */
  abortReason: Error | undefined;
  private controller: AbortController | undefined;
  private ownStep: HandlerStep | undefined;
  private ownBatch: HandlerBatch | undefined;
  /** Transaction of the attempt, if a stage has begun one. */
  transacted: AttemptTransaction | undefined;
  /** What it has published so far, if that leaves only when it has succeeded. */
  kept: AttemptPublishes | undefined;
  /** What it has done so far, if its handler is resumable. */
  resumed: AttemptState | undefined;
  /** Rate limit of which it has a permit. */
  pace: AttemptPace | undefined;
  leftRunning: Promise<void> | undefined;
  private ownParts: HandlerParts | undefined;
  locks: HandlerLocks | undefined;
  private ownSender: Sender | undefined;
  private readonly trace: Cause['trace'];

  constructor(
    work: Work,
    readonly handler: Handler,
    private readonly bus: ContextSurroundings,
    /** Payload as the handler gets it. */
    readonly payload?: unknown,
  ) {
    super(work);
    // These are fixed for this attempt; the work's own move on.
    this.attempt = work.attempt;
    this.tries = work.received.replay ? 1 : handler.retry.tries;
    this.trace = work.trace;
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      watching(this.controller.signal, this.work.lease);
      if (this.abortReason) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  get shouldStop(): boolean {
    return this.work.lease?.isLost === true || this.bus.stopping.isStopping || this.abortReason !== undefined;
  }

  get step(): HandlerStep | undefined {
    const { received, chain } = this.work;
    if (chain)
      this.ownStep ??= new HandlerStep(chain, received, this.bus.steps, (call) => this.isTooLate(call));
    return this.ownStep;
  }

  get batch(): HandlerBatch | undefined {
    const mark = batchOf(this.work.received);
    if (mark)
      this.ownBatch ??= new HandlerBatch(mark, this.cause, this.bus.batches, (call) =>
        this.mustNotBeOver(call),
      );
    return this.ownBatch;
  }

  get transaction(): TransactionClient {
    const { transacted, handler } = this;
    if (transacted?.isOpen) return transacted.client;
    throw handler.inbox ? transactionOver(handler.name) : withoutInbox(handler.name);
  }

  get log(): Logger {
    const { messageId, routingKey, queue, attempt, handler, trace, bus } = this;
    return logWith(bus.log, {
      ...{ queue, handler: handler.name, routingKey, messageId, attempt },
      ...trace?.logFields,
    });
  }

  once<Result>(name: string, run: PartFunction, options?: OnceOptions): Promise<JsonForm<Result>> {
    const { service, stores } = this.bus;
    this.ownParts ??= new HandlerParts(service, this.transacted?.once ?? stores.once, this);
    return this.ownParts.once(name, run, options) as Promise<JsonForm<Result>>;
  }

  lock(name: string, options?: LockOptions): Promise<Lock> {
    this.locks ??= new HandlerLocks(this.bus, this);
    return this.locks.lock(name, options);
  }

  get state(): unknown {
    return this.resumedFor('context.state').value;
  }

  async checkpoint(state: unknown): Promise<void> {
    await this.resumedFor('context.checkpoint()').save(state, 'checkpoint');
  }

  async yield(state: unknown): Promise<void> {
    const resumed = this.resumedFor('context.yield()');
    if (this.isTooLate('yield')) return;
    const outcome = yielded(this.abortReason);
    // Before it is stored: a handler that returns without having awaited this is not done.
    this.recorded ??= outcome;
    await resumed.save(state, 'yield', () => {
      // It would go on from an older state, at once and without a try used, for as long as none can be stored.
      if (this.recorded === outcome) this.recorded = undefined;
    });
  }

  progress(percent: number, note?: string): void {
    this.bus.jobs.progress(this, percent, note);
  }

  release(delay: Duration): void {
    this.record('release', askedRelease('release', 'delay', delay, this.handler));
  }

  limited(retryAfter: Duration): void {
    if (!this.pace && this.phase === 'running') throw new NoRateLimitError(this.handler.name);
    const outcome = askedRelease('limited', 'retryAfter', retryAfter, this.handler);
    if (this.record('limited', outcome) && this.pace)
      this.pace.limitedMs = Math.max(this.pace.limitedMs, toMs(retryAfter));
  }

  fail(reason: string | Error): void {
    const error = typeof reason === 'string' ? new Error(reason) : reason;
    this.record('fail', { kind: 'dead-letter', reason: 'rejected', error });
  }

  discard(): void {
    this.record('discard', DISCARD);
  }

  /** What is published in this attempt is its own: code of it may still run when the next has begun. */
  private get cause(): Cause {
    return { received: this.work.received, trace: this.trace };
  }

  /** Publishes within a transaction leave with its commit, kept ones with its success; of an attempt that has failed none does, whatever code still runs. */
  protected get sender(): Sender {
    this.ownSender ??= new CarryingSender(this.cause, () => {
      const { transacted, kept, bus, work } = this;
      if (work.lease?.isLost) return refusingSender(this.handler.name);
      if (kept?.isKeeping) return kept.sender;
      return transacted && !transacted.isCommitted ? transacted.sender : bus.sender;
    });
    return this.ownSender;
  }

  /** Never within the transaction: its end would come after the reply. */
  protected get requests(): RequestSender {
    return new CarryingRequests(this.cause, this.bus.requests);
  }

  /** Context for `failed()`, whose messages leave at once: not the one that code of the attempt may still use. */
  afterwards(): HandlerContext {
    return this.transacted || this.kept
      ? new HandlerContext(this.work, this.handler, this.bus, this.payload)
      : this;
  }

  /** Fires the signal, now or when it is first read. */
  abort(reason: Error): void {
    this.abortReason ??= reason;
    this.controller?.abort(reason);
  }

  /** @throws AttemptOverError */
  mustNotBeOver(call: string): void {
    if (this.phase === 'over') throw new AttemptOverError(`context.${call}()`, this.handler.name);
  }

  private resumedFor(call: string): AttemptState {
    if (this.resumed) return this.resumed;
    throw new NotResumableError(call, this.handler.name);
  }

  /** False if it came too late. */
  private record(call: string, outcome: Outcome): boolean {
    if (this.isTooLate(call)) return false;
    this.recorded ??= outcome;
    return true;
  }

  /** Logs a call that comes too late: its caller expects no error, and a throw might end the process. */
  private isTooLate(call: string): boolean {
    if (this.phase === 'running') return false;
    this.log.warn({}, `context.${call}() changes nothing: what becomes of the message was decided before`);
    return true;
  }
}
