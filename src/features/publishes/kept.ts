import { AttemptOverError, PublishNotKeptError } from '../../errors.js';
import { newMessageId, publishedId } from '../../message/message-id.js';
import type { Sender } from '../../message/publisher.js';
import type { Attempt, AttemptPublishes } from '../../pipeline/attempt.js';
import { NO_EFFECTS } from '../../pipeline/effect.js';
import type { Outcome } from '../../pipeline/outcome.js';
import { isThenable } from '../../util/after.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import { joined } from '../../util/text/joined.js';
import { Departure, type KeptMessage } from './departure.js';
import { CallsSender, type Keep, KeepingSender, type KeepingWay } from './keeping-sender.js';
import type { Entered } from './scope.js';

/** Maximum number of messages that an attempt keeps. */
export const MAX_KEPT = 1_000;
/** Maximum size of their bodies together, in bytes. */
export const MAX_KEPT_BYTES = 16_777_216;

/**
 * What one attempt publishes, kept until the attempt has succeeded. An id is derived of the handled message, the handler, the
 * exchange and routing key, and the number of the call, which is taken while the call begins: so an attempt that is made again gives the same calls the same ids,
 * whatever they wait for, and what it publishes elsewhere another one.
 */
export class KeptPublishes implements AttemptPublishes, Entered, Keep {
  private messages: KeptMessage[] = [];
  private bytes = 0;
  private calls = 0;
  /** Number of calls that have neither kept a message nor failed. */
  private underWay = 0;
  private idle: Deferred<void> | undefined;
  private hasReturned = false;
  private isOver = false;
  private ownSender: Sender | undefined;
  private injectedSender: Sender | undefined;

  constructor(
    private readonly context: Attempt,
    private readonly way: KeepingWay,
  ) {}

  get isKeeping(): boolean {
    return !this.way.scope.isInPart;
  }

  get sender(): Sender {
    this.ownSender ??= new CallsSender(this, this.way.through);
    return this.ownSender;
  }

  get injected(): Sender {
    this.injectedSender ??= new CallsSender(this, this.way.throughBus);
    return this.injectedSender;
  }

  has(messageId: string | undefined): boolean {
    return this.messages.some((message) => message.messageId === messageId);
  }

  run(code: () => unknown): unknown {
    const result = this.way.scope.run(this, code);
    if (isThenable(result)) return this.returned(result);
    this.hasReturned = this.underWay === 0;
    return this.hasReturned ? result : this.returned(undefined);
  }

  runPart<Result>(part: () => Result): Result {
    return this.way.scope.runPart(part);
  }

  call<Result>(publish: (sender: KeepingSender) => Promise<Result>): Promise<Result> {
    let result: Promise<Result>;
    let sender: KeepingSender;
    try {
      sender = this.next();
      result = publish(sender);
    } catch (error) {
      return Promise.reject(error);
    }
    return sender.hasKept ? result : this.underWayUntil(result);
  }

  next(): KeepingSender {
    this.mustNotBeOver();
    const ordinal = this.calls;
    this.calls += 1;
    return new KeepingSender(this, ordinal, this.way);
  }

  idOf(ordinal: number, place: string, index?: number): string {
    const { handler, messageId } = this.context;
    // Copies for each process have one id, and what their handlers publish is not the same.
    if (messageId === undefined || handler.each) return newMessageId();
    const number = index === undefined ? `${ordinal}` : `${ordinal}/${index}`;
    return publishedId(joined(messageId, handler.queue, handler.name, number, place));
  }

  add(message: KeptMessage): void {
    this.mustNotBeOver();
    const { messages, bytes } = this;
    if (messages.length >= MAX_KEPT || bytes + message.bytes > MAX_KEPT_BYTES) throw this.full();
    messages.push(message);
    this.bytes += message.bytes;
  }

  takeBack(ordinal: number): void {
    this.messages = this.messages.filter((message) => message.ordinal !== ordinal);
    this.bytes = this.messages.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Ends the attempt: with what it has published, if it has succeeded. Nothing can be published in it any more. */
  end(outcome: Outcome): Outcome {
    const { hasReturned, context } = this;
    this.isOver = true;
    // What a policy drops has failed all the same.
    const hasSucceeded =
      outcome.kind === 'done' || (outcome.kind === 'discard' && outcome.error === undefined);
    if (!(hasReturned && hasSucceeded)) this.messages = [];
    if (this.messages.length === 0) return outcome;
    const departure = new Departure(this.messages, context.log);
    // First: whatever else is stored says that the message is handled, or goes on with its work.
    return { ...outcome, effects: [departure, ...(outcome.effects ?? NO_EFFECTS)] };
  }

  drop(): void {
    this.isOver = true;
    this.messages = [];
  }

  /** The caller gets this promise: one that nobody awaits is reported as an unhandled rejection. */
  underWayUntil<Result>(result: Promise<Result>): Promise<Result> {
    this.underWay += 1;
    return result.finally(() => {
      this.underWay -= 1;
      if (this.underWay === 0) this.idle?.resolve();
    });
  }

  /** A call that the code has not awaited was made in the attempt all the same. */
  private async returned(result: unknown): Promise<unknown> {
    const value = await result;
    while (this.underWay > 0) {
      this.idle = deferred();
      await this.idle.promise;
    }
    this.hasReturned = true;
    return value;
  }

  private mustNotBeOver(): void {
    if (this.isOver) throw new AttemptOverError('publish()', this.context.handler.name);
  }

  private full(): PublishNotKeptError {
    return new PublishNotKeptError(
      `an attempt of handler ${this.context.handler.name} has published more than is kept of one: ${MAX_KEPT} messages, and ${MAX_KEPT_BYTES / 1_048_576} MiB of bodies`,
      "Publish one message that names the others, whose handler publishes them; give the handler publishes: 'now'; or use an inbox, whose messages wait in the database.",
    );
  }
}
