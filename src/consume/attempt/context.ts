import { AttemptOverError, InvalidMessageError, NoTransactionError } from '../../errors.js';
import { type BatchSender, HandlerBatch } from '../../features/batch/context.js';
import { batchOf } from '../../features/batch/mark.js';
import { HandlerStep, type StepSender } from '../../features/chain/context.js';
import { contentTypeIn } from '../../features/encryption/decrypt.js';
import { transactionOver } from '../../features/inbox/inbox.js';
import { HandlerLocks, type LockParts } from '../../features/lock/context.js';
import { HandlerParts, type PartFunction } from '../../features/once/context.js';
import { MessageContext } from '../../message/context.js';
import type { Lock, LockOptions } from '../../message/lock.js';
import type { JsonForm, OnceOptions } from '../../message/once.js';
import type { Headers } from '../../message/properties.js';
import type { Sender } from '../../message/publisher.js';
import { MessageView } from '../../message/received-message.js';
import type { RequestSender, Senders } from '../../message/requests/requester.js';
import type { TransactionClient } from '../../message/transaction-client.js';
import type { Attempt, AttemptPublishes, AttemptTransaction } from '../../pipeline/attempt.js';
import { DISCARD, type Outcome } from '../../pipeline/outcome.js';
import type { Cause } from '../../pipeline/tracing/carried.js';
import type { Work } from '../../pipeline/work.js';
import type { Stores } from '../../stores/stores.js';
import { show } from '../../util/check.js';
import { type Duration, isDuration, toMs } from '../../util/duration.js';
import type { Logger } from '../../util/logger.js';
import type { Handler } from '../handlers/subscription.js';
import { CarryingRequests } from './carrying-requests.js';
import { CarryingSender } from './carrying-sender.js';

/** State of the worker: no more messages are taken while it stops. */
export interface Stopping {
  readonly isStopping: boolean;
}

/** Parts of the bus that contexts use. */
export interface ContextSurroundings extends Senders, LockParts {
  readonly service: string;
  readonly steps: StepSender;
  readonly batches: BatchSender;
  readonly stores: Stores;
  readonly log: Logger;
  readonly stopping: Stopping;
}

/** The context of one attempt. */
export class HandlerContext extends MessageContext implements Attempt {
  readonly attempt: number;
  readonly tries: number;
  /** Outcome that the handler asked for by `release`, `fail` or `discard`; the first wins. */
  recorded: Outcome | undefined;
  /** Phase of the attempt: `failing` while `failed()` runs. After `running` nothing is decided any more. */
  phase: 'running' | 'failing' | 'over' = 'running';

  /** Reason for which the signal fired, if it has. */
  abortReason: Error | undefined;
  private controller: AbortController | undefined;
  private ownMessage: MessageView | undefined;
  private ownStep: HandlerStep | undefined;
  private ownBatch: HandlerBatch | undefined;
  /** Transaction of the attempt, if a stage has begun one. */
  transacted: AttemptTransaction | undefined;
  /** What it has published so far, if that leaves only when it has succeeded. */
  kept: AttemptPublishes | undefined;
  private ownParts: HandlerParts | undefined;
  locks: HandlerLocks | undefined;
  private ownSender: Sender | undefined;
  private readonly trace: Cause['trace'];

  constructor(
    readonly work: Work,
    readonly handler: Handler,
    private readonly bus: ContextSurroundings,
    /** Payload as the handler gets it. */
    readonly payload?: unknown,
  ) {
    super();
    // These are fixed for this attempt; the work's own move on.
    this.attempt = work.attempt;
    this.tries = work.received.replay ? 1 : handler.retry.tries;
    this.trace = work.trace;
  }

  get messageId(): string | undefined {
    return this.work.received.messageId;
  }

  get routingKey(): string {
    return this.work.received.routingKey;
  }

  get exchange(): string {
    return this.work.received.exchange;
  }

  get queue(): string {
    return this.work.received.delivery.queue;
  }

  get headers(): Readonly<Headers> {
    return this.message.headers;
  }

  get publishedAt(): Date | undefined {
    return this.message.publishedAt;
  }

  get redelivered(): boolean {
    return this.work.received.redelivered;
  }

  get correlationId(): string | undefined {
    return this.message.correlationId;
  }

  get replyTo(): string | undefined {
    return this.message.replyTo;
  }

  get type(): string | undefined {
    return this.message.type;
  }

  get appId(): string | undefined {
    return this.message.appId;
  }

  get contentType(): string | undefined {
    return this.message.contentType;
  }

  get contentEncoding(): string | undefined {
    return this.message.contentEncoding;
  }

  get priority(): number | undefined {
    return this.message.priority;
  }

  get expiration(): string | undefined {
    return this.message.expiration;
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.abortReason) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  get shouldStop(): boolean {
    return this.bus.stopping.isStopping || this.abortReason !== undefined;
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
    if (handler.inbox) throw transactionOver(handler.name);
    throw new NoTransactionError(
      `the handler '${handler.name}' has no transaction: it has no inbox`,
      'Give it an inbox (@Inbox), and use context.transaction before it returns.',
    );
  }

  get log(): Logger {
    const { messageId, routingKey, queue, attempt } = this;
    const { log: logger } = this.bus;
    const mine = {
      queue,
      handler: this.handler.name,
      routingKey,
      messageId,
      attempt,
      ...this.trace?.logFields,
    };
    return {
      debug: (fields, message) => logger.debug({ ...mine, ...fields }, message),
      info: (fields, message) => logger.info({ ...mine, ...fields }, message),
      warn: (fields, message) => logger.warn({ ...mine, ...fields }, message),
      error: (fields, message) => logger.error({ ...mine, ...fields }, message),
    };
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

  release(delay: Duration): void {
    if (this.handler.answers)
      throw new InvalidMessageError(
        `'${this.handler.name}' answers requests, and a request can't come back later: its requester waits`,
        'Throw, or call context.fail(): the requester may ask again.',
      );
    if (!isDuration(delay)) {
      throw new InvalidMessageError(
        `expected release's delay to be a duration of at most 400 days, got ${show(delay)}`,
        "Give a duration such as '30s'.",
      );
    }
    this.record('release', { kind: 'release', delayMs: toMs(delay), unhandled: false });
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

  private get message(): MessageView {
    const { received } = this.work;
    const { contentEncoding } = received.delivery.properties;
    this.ownMessage ??= new MessageView(received, contentTypeIn(received), contentEncoding);
    return this.ownMessage;
  }

  /** Publishes within a transaction leave with its commit, kept ones with its success; of an attempt that has failed none does, whatever code still runs. */
  protected get sender(): Sender {
    this.ownSender ??= new CarryingSender(this.cause, () => {
      const { transacted, kept, bus } = this;
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

  private record(call: string, outcome: Outcome): void {
    if (!this.isTooLate(call)) this.recorded ??= outcome;
  }

  /** Logs a call that comes too late: its caller expects no error, and a throw might end the process. */
  private isTooLate(call: string): boolean {
    if (this.phase === 'running') return false;
    this.log.warn({}, `context.${call}() changes nothing: what becomes of the message was decided before`);
    return true;
  }
}
