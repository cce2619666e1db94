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
import type { HeardReply, Refusal, ReplySink, Requests, Writing } from '../../transport/requests.js';
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
  /** What waits as well, and is written before the others: one of them the broker may have refused. */
  private readonly suspects = new Set<PendingRequest>();
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
    this.suspects.delete(request);
  }

  /** Asks a composed request; settled by its end. */
  ask(message: OutgoingMessage): Promise<Published> {
    const request = this.all.get(message.properties.correlationId as string) as PendingRequest;
    const end = request.compose(message);
    if (request.state === 'waiting') this.writeOrWait(request);
    return end;
  }

  ready(): void {
    for (const line of [this.suspects, this.waiting])
      for (const request of line) {
        const writing = this.write(request);
        if (writing === 'later') return;
        if (writing === 'written') line.delete(request);
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
    this.foundNobody(request);
  }

  refused(correlationId: string, refusal: Refusal): void {
    const request = this.all.get(correlationId);
    if (request?.state === 'asked') this.refuse(request, refusal);
  }

  lost(error: Error, refusal: Refusal | 'unnamed' | undefined): void {
    const open = [...this.all.values()].filter(({ state, isReplied }) => state === 'asked' && !isReplied);
    const named = refusal === 'unnamed' ? undefined : refusal;
    const culprits = new Set(open.filter((request) => named?.concerns(request)));
    const areSuspects = refusal !== undefined && culprits.size === 0;
    for (const request of open) {
      if (named && culprits.has(request)) this.refuse(request, named);
      else if (request.repeatable) this.askAgain(request, areSuspects);
      else request.fail(new RequestLostError(request.routingKey, { cause: error }));
    }
  }

  /** Ends all requests, when the session is about to end. @param forGood false if the bus may start again */
  end(forGood: boolean): void {
    this.hasStopped = forGood;
    this.requests = undefined;
    for (const request of this.all.values()) request.fail(new StoppedError('no reply can come'));
  }

  private refuse(request: PendingRequest, refusal: Refusal): void {
    if (refusal.isGone) this.foundNobody(request);
    else {
      const error = refusedBy(refusal, request);
      // Unless it is the one for which the channel was lost, it was taken before.
      const wasTaken = request.isAskedAgain && !request.isSuspect;
      request.fail(wasTaken ? new RequestLostError(request.routingKey, { cause: error }) : error);
    }
  }

  private foundNobody(request: PendingRequest): void {
    const nobody = new NoResponderError(request.exchange, request.routingKey);
    if (request.isAskedAgain) this.askLater(request, nobody);
    else request.fail(nobody);
  }

  private askAgain(request: PendingRequest, isSuspect: boolean): void {
    request.again(isSuspect);
    this.lineOf(request).add(request);
  }

  /** Whoever would reply may have lost its connection, too, and be back in a moment. */
  private askLater(request: PendingRequest, nobody: NoResponderError): void {
    request.again(false);
    request.nobody = nobody;
    request.pause = this.options.clock.setTimer(() => this.writeOrWait(request), AGAIN_AFTER_MS);
  }

  private lineOf({ isSuspect }: PendingRequest): Set<PendingRequest> {
    return isSuspect ? this.suspects : this.waiting;
  }

  private writeOrWait(request: PendingRequest): void {
    if (this.write(request) !== 'written') this.lineOf(request).add(request);
  }

  private msLeft({ endsAt }: PendingRequest): number {
    return Math.max(0, endsAt - this.options.clock.monotonic());
  }

  private write(request: PendingRequest): Writing {
    try {
      this.requests ??= this.options.session().openRequests(this);
      const writing = this.requests.ask(request);
      if (writing === 'written') request.written();
      return writing;
    } catch (error) {
      request.fail(error);
      return 'written';
    }
  }
}

const refusedBy = ({ cause, help }: Refusal, { exchange, routingKey }: PendingRequest) =>
  new PublishRejectedError(
    `the request '${routingKey}' is not accepted on exchange '${exchange}': ${cause.message}`,
    help,
    { cause },
  );

const neverLeft = ({ routingKey }: PendingRequest) =>
  new InvalidMessageError(
    `a publish middleware has not let the request '${routingKey}' go on: nobody was asked`,
    'Call next() in it, or throw an error that says why nobody is asked.',
  );
