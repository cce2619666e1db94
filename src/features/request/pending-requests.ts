import {
  InvalidMessageError,
  NoResponderError,
  PublishRejectedError,
  RequestLostError,
  StoppedError,
} from '../../errors.js';
import type { BusEvents } from '../../events.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Published } from '../../message/published.js';
import type { HeardReply, RefusingExchange, ReplySink, Requests } from '../../transport/requests.js';
import type { TransportSession } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Emitter } from '../../util/emitter.js';
import { type DecodeReplyOptions, decodeReply } from './decode-reply.js';
import type { PendingRequest } from './pending-request.js';

export interface PendingRequestsOptions extends DecodeReplyOptions {
  readonly service: string;
  readonly events: Emitter<BusEvents>;
  readonly clock: Clock;
  /** @throws NotStartedError, StoppedError */
  readonly session: () => Pick<TransportSession, 'openRequests'>;
}

/** Pause of a request that nobody takes after its channel was lost. */
const AGAIN_AFTER_MS = 200;

/**
 * The requests of a bus that have not ended, by their ids. The address for replies is opened at the first of them; what can't be
 * written waits here until it can.
 */
export class PendingRequests implements ReplySink {
  private readonly all = new Map<string, PendingRequest>();
  private readonly waiting = new Set<PendingRequest>();
  /** Undefined before the first request of a session. */
  private requests: Requests | undefined;
  private hasStopped = false;

  constructor(private readonly options: PendingRequestsOptions) {}

  /** @throws NotStartedError, StoppedError */
  mayAsk(): void {
    if (this.hasStopped) throw new StoppedError('request was called');
    this.options.session();
  }

  /** Registers a request before it leaves, so that no reply can be faster. */
  add(request: PendingRequest): void {
    this.all.set(request.id, request);
    const timedOut = () => request.timedOut(this.requests?.obstacle);
    request.timer = this.options.clock.setTimer(timedOut, this.msLeft(request));
  }

  /** Called when its way out has ended. It has an end by then, unless a middleware did not let it go on. */
  hasLeft(request: PendingRequest): void {
    if (request.state === 'leaving') request.fail(neverLeft(request));
    if (request.state === 'ended') this.all.delete(request.id);
  }

  /** Called by a request at its end, in the state that it had. */
  ended(request: PendingRequest): void {
    // One that is still leaving must be found when it arrives here, and not be written.
    if (request.state !== 'leaving') this.all.delete(request.id);
    this.waiting.delete(request);
  }

  /** Asks a composed request; settled by its end. */
  ask(message: OutgoingMessage): Promise<Published> {
    const request = this.all.get(message.properties.correlationId as string) as PendingRequest;
    const end = request.compose(message);
    if (request.state === 'waiting' && !this.write(request)) this.waiting.add(request);
    return end;
  }

  ready(): void {
    for (const request of this.waiting) {
      if (!this.write(request)) return;
      this.waiting.delete(request);
    }
  }

  replied(reply: HeardReply): void {
    const { correlationId, messageId, appId } = reply.properties;
    const request = this.all.get(correlationId ?? '');
    const isTaken =
      request?.state === 'asked' && request.take(() => decodeReply(reply, request, this.options));
    if (isTaken) return;
    const { service, events } = this.options;
    events.emit('reply.dropped', { service, requestId: correlationId, messageId, from: appId });
  }

  unroutable(correlationId: string): void {
    const request = this.all.get(correlationId);
    if (request?.state !== 'asked') return;
    if (request.isAskedAgain && this.msLeft(request) > AGAIN_AFTER_MS) this.askLater(request);
    else request.fail(new NoResponderError(request.exchange, request.routingKey));
  }

  lost(error: Error, refusing: RefusingExchange | undefined): void {
    for (const request of this.all.values()) {
      if (request.state !== 'asked' || request.isReplied) continue;
      if (request.exchange === refusing?.exchange) request.fail(refusedBy(refusing, request, error));
      else if (request.repeatable) this.askAgain(request);
      else request.fail(new RequestLostError(request.routingKey, { cause: error }));
    }
  }

  /** Ends all requests, when the session is about to end. @param forGood false if the bus may start again */
  end(forGood: boolean): void {
    this.hasStopped = forGood;
    this.requests = undefined;
    for (const request of this.all.values()) request.fail(new StoppedError('no reply can come'));
  }

  private askAgain(request: PendingRequest): void {
    request.again();
    this.waiting.add(request);
  }

  /** Whoever would reply may have lost its connection, too, and be back in a moment. */
  private askLater(request: PendingRequest): void {
    request.again();
    request.pause = this.options.clock.setTimer(() => {
      if (!this.write(request)) this.waiting.add(request);
    }, AGAIN_AFTER_MS);
  }

  private msLeft({ endsAt }: PendingRequest): number {
    return Math.max(0, endsAt - this.options.clock.monotonic());
  }

  /** False if it can't be written now. */
  private write(request: PendingRequest): boolean {
    try {
      this.requests ??= this.options.session().openRequests(this);
      if (!this.requests.ask(request)) return false;
      request.written();
    } catch (error) {
      request.fail(error);
    }
    return true;
  }
}

const refusedBy = ({ exists }: RefusingExchange, { exchange, routingKey }: PendingRequest, cause: Error) =>
  exists
    ? new PublishRejectedError(
        `the request '${routingKey}' is not accepted on exchange '${exchange}': ${cause.message}`,
        `Give the user permission to write to '${exchange}', and to this routing key if it has topic permissions there.`,
        { cause },
      )
    : new NoResponderError(exchange, routingKey);

const neverLeft = ({ routingKey }: PendingRequest) =>
  new InvalidMessageError(
    `a publish middleware has not let the request '${routingKey}' go on: nobody was asked`,
    'Call next() in it, or throw an error that says why nobody is asked.',
  );
