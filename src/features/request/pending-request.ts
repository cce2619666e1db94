import { type NoResponderError, RequestLostError, RequestTimeoutError } from '../../errors.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Published } from '../../message/published.js';
import type { RequestDefinition } from '../../message/requests/define-request.js';
import type { OutgoingRequest, WrittenRequest } from '../../transport/requests.js';
import { listen, unlisten } from '../../util/abort.js';
import { isThenable } from '../../util/after.js';
import type { Timer } from '../../util/clock.js';
import type { Asked } from './decode-reply.js';

/**
 * `leaving`: on its way through middleware and checks. `waiting`: composed, and not written: there is no address for its reply.
 * `asked`: written. `ended`: its caller has its answer.
 */
export type RequestState = 'leaving' | 'waiting' | 'asked' | 'ended';

/** What a request is made of, and who waits for it. */
export interface RequestCall {
  readonly id: string;
  readonly definition: RequestDefinition;
  readonly exchange: string;
  readonly timeoutMs: number;
  readonly endsAt: number;
  readonly repeatable: boolean;
  readonly signal: AbortSignal | undefined;
  /** Called at the end of the request. */
  readonly onEnd: (request: PendingRequest) => void;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One request from its call to its end, which comes once: a reply, a failure, the timeout, the signal, the end of the bus. */
export abstract class PendingRequest implements OutgoingRequest, WrittenRequest, Asked {
  readonly id: string;
  readonly definition: RequestDefinition;
  readonly routingKey: string;
  readonly exchange: string;
  readonly endsAt: number;
  readonly repeatable: boolean;
  state: RequestState = 'leaving';
  /** True once it was written, on whichever channel. */
  wasSent = false;
  /** True if it has all that it asked for: what is still decoded needs no channel any more. */
  isReplied = false;
  timer: Timer | undefined;
  /** Until it is asked again. */
  pause: Timer | undefined;
  /** True if its channel was lost, so that it is asked again. */
  isAskedAgain = false;
  isSuspect = false;
  bodyBytes = 0;
  /** That nobody was there when it was last asked again: somebody was before, perhaps, and has handled it. */
  nobody: NoResponderError | undefined;
  private composed: OutgoingMessage | undefined;
  private receipt: Published | undefined;
  /** What waits for its end on its way out: middleware, a tracer. */
  private onItsWay: { resolve(published: Published): void; reject(error: unknown): void } | undefined;
  private failure: unknown;

  constructor(protected readonly call: RequestCall) {
    this.id = call.id;
    this.definition = call.definition;
    this.routingKey = call.definition.key;
    this.exchange = call.exchange;
    this.endsAt = call.endsAt;
    this.repeatable = call.repeatable;
    if (call.signal) listen(call.signal, this.onAbort);
  }

  /** The message to write. Kept as long as it may have to be written. */
  get message(): OutgoingMessage {
    return this.composed as OutgoingMessage;
  }

  /** Called with the composed message; the promise is settled by the request's end. */
  compose(message: OutgoingMessage): Promise<Published> {
    if (this.state === 'ended') return Promise.reject(this.failure);
    this.composed = message;
    this.bodyBytes = message.body.length;
    this.receipt = message.receipt;
    this.state = 'waiting';
    return new Promise((resolve, reject) => {
      this.onItsWay = { resolve, reject };
    });
  }

  written(): void {
    this.state = 'asked';
    this.wasSent = true;
    this.nobody = undefined;
    // Not held until the reply, unless it may have to be written again.
    if (!this.repeatable) this.composed = undefined;
  }

  /** Called for a repeatable request whose channel is lost. @param isSuspect true if the broker may have refused it */
  again(isSuspect: boolean): void {
    this.state = 'waiting';
    this.isSuspect = isSuspect;
    this.isAskedAgain = true;
  }

  /** Takes a reply; false if no more are waited for. @param decode decodes it; it may throw, or return a promise */
  abstract take(decode: () => unknown): boolean;

  /** @param obstacle what keeps requests from being written, as far as it is known */
  timedOut(obstacle: string | undefined): void {
    if (this.nobody) {
      this.fail(new RequestLostError(this.routingKey, { cause: this.nobody }));
      return;
    }
    const why = this.state === 'leaving' ? 'its payload, key or middleware was waited for' : obstacle;
    this.fail(new RequestTimeoutError(this.routingKey, this.call.timeoutMs, this.wasSent, why));
  }

  fail(error: unknown): void {
    if (!this.end()) return;
    this.failure = error;
    this.call.reject(error);
    this.onItsWay?.reject(error);
    this.forgetSignal();
  }

  protected succeed(value: unknown): void {
    if (!this.end()) return;
    this.call.resolve(value);
    // A composed message has a receipt.
    this.onItsWay?.resolve(this.receipt as Published);
    this.forgetSignal();
  }

  private readonly onAbort = (): void => {
    this.fail(this.call.signal?.reason);
  };

  private end(): boolean {
    if (this.state === 'ended') return false;
    const { call } = this;
    call.onEnd(this);
    this.state = 'ended';
    this.timer?.cancel();
    this.pause?.cancel();
    return true;
  }

  /** Last of all: the signal's code is the caller's. */
  private forgetSignal(): void {
    const { signal } = this.call;
    if (signal) unlisten(signal, this.onAbort);
  }
}

/** A request that the first reply ends. */
export class PendingReply extends PendingRequest {
  override take(decode: () => unknown): boolean {
    if (this.isReplied) return false;
    this.isReplied = true;
    settle(
      decode,
      (value) => this.succeed(value),
      (error) => this.fail(error),
    );
    return true;
  }
}

/** A request that a number of replies ends, or its time. */
export class PendingReplies extends PendingRequest {
  private arrived = 0;
  private open = 0;
  private settled: (PromiseSettledResult<unknown> | undefined)[] = [];

  constructor(
    call: RequestCall,
    private readonly count: number,
  ) {
    super(call);
  }

  override take(decode: () => unknown): boolean {
    if (this.isReplied) return false;
    const { settled } = this;
    const index = this.arrived;
    this.arrived += 1;
    this.open += 1;
    this.isReplied = this.arrived === this.count;
    const keep = (result: PromiseSettledResult<unknown>) => {
      // What came before the channel was lost comes again.
      if (settled !== this.settled) return;
      settled[index] = result;
      this.open -= 1;
      if (this.isReplied && this.open === 0) this.finish();
    };
    settle(
      decode,
      (value) => keep({ status: 'fulfilled', value }),
      (reason) => keep({ status: 'rejected', reason }),
    );
    return true;
  }

  override again(isSuspect: boolean): void {
    super.again(isSuspect);
    this.arrived = 0;
    this.open = 0;
    this.settled = [];
  }

  /** The end of its time is how it ends, unless nobody could be asked. */
  override timedOut(obstacle: string | undefined): void {
    if (this.state === 'asked') this.finish();
    else super.timedOut(obstacle);
  }

  private finish(): void {
    this.succeed(this.settled.filter((result) => result !== undefined));
  }
}

/** Calls one of the two with what `decode` gives, at once if it can. */
function settle(
  decode: () => unknown,
  done: (value: unknown) => void,
  failed: (error: unknown) => void,
): void {
  let value: unknown;
  try {
    value = decode();
  } catch (error) {
    failed(error);
    return;
  }
  if (isThenable(value)) Promise.resolve(value).then(done, failed);
  else done(value);
}
