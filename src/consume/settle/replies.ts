import { RequestDroppedError, ShutdownError } from '../../errors.js';
import {
  type ReplyEffectOptions,
  ReplyOfFailure,
  ReplyOfValue,
  ReturnedRequest,
} from '../../features/reply/effects.js';
import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import type { Effect, Outcome } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import { movedCopy } from './republish.js';

export interface RepliesOptions extends ReplyEffectOptions {
  /** True for a lane of requests, by its place in the list of those that share the slots. */
  isOfRequests(lane: number): boolean;
}

/** Milliseconds that the copy of a returned request may take: a stop waits for it. */
const RETURN_DEADLINE_MS = 3_000;

/**
 * What becomes of requests: whatever an attempt has come to, its requester is told, and the request is acked. None comes back later,
 * and none is dead-lettered.
 */
export class Replies {
  constructor(private readonly options: RepliesOptions) {}

  /** True for a request: what came through the queue of requests, whether it has a handler or not. */
  has({ lane }: Work): boolean {
    return this.options.isOfRequests(lane);
  }

  /** Where the reply to it goes; undefined if its requester wants none, or waits no more. */
  addressOf({ received, isExpired }: Work): string | undefined {
    if (isExpired) return undefined;
    // Some clients send an empty text for none.
    return received.delivery.properties.replyTo || undefined;
  }

  /** How a request ends whose attempt has come to this. */
  endOf(work: Work, outcome: Outcome): Outcome {
    const failed = this.failureIn(work, outcome);
    return failed
      ? { kind: 'discard', error: failed.error, effects: outcome.effects ?? NO_EFFECTS }
      : outcome;
  }

  /** What is due for a request whose attempt has come to this: its reply, or its way back to its queue. */
  readonly effectsOf: EffectsOf = (work, outcome) => {
    const failed = this.failureIn(work, outcome);
    if (outcome.kind === 'return' && !failed) return this.wayBack(work);
    const address = this.addressOf(work);
    if (address === undefined) {
      if (outcome.kind === 'done') this.tellUnanswered(work);
      return NO_EFFECTS;
    }
    if (failed) return [new ReplyOfFailure(this.options, work, address, failed.error)];
    return work.reply ? [new ReplyOfValue(this.options, work, address, work.reply)] : NO_EFFECTS;
  };

  /** The error for which the request has no other reply; undefined if it has one, or goes back. */
  private failureIn({ match, reply }: Work, outcome: Outcome): { readonly error: unknown } | undefined {
    switch (outcome.kind) {
      case 'done':
        // What its headers say of it, and whoever publishes may write those.
        return reply ? undefined : { error: new RequestDroppedError('it is said to be handled already') };
      case 'return':
        return outcome.hasStarted && !match?.handler.answers?.isRepeatable
          ? { error: new ShutdownError() }
          : undefined;
      case 'skip':
        return { error: new RequestDroppedError(`it was ${outcome.because}`) };
      case 'discard':
        return { error: outcome.error ?? new RequestDroppedError('its responder discarded it') };
      default:
        return { error: outcome.error ?? new RequestDroppedError("its responder can't handle it now") };
    }
  }

  private tellUnanswered({ received, match }: Work): void {
    const { delivery, messageId } = received;
    this.options.log.debug(
      { queue: delivery.queue, handler: match?.handler.name, messageId },
      'a request without replyTo was handled: what its handler returned is dropped',
    );
  }

  private wayBack({ received, overAt }: Work): readonly Effect[] {
    const { queue, unreadable, properties: own } = received.delivery;
    const leftMs = overAt === undefined ? undefined : Math.ceil(overAt - this.options.clock.monotonic());
    // One that may have been handled must stay marked as such, which the broker does if it takes it back; one that is over it drops.
    if (received.redelivered || unreadable !== undefined || (leftMs !== undefined && leftMs <= 0))
      return NO_EFFECTS;
    const moved = movedCopy(received, queue, RETURN_DEADLINE_MS);
    const properties = { ...moved.properties, deliveryMode: own.deliveryMode ?? 1 };
    // Its queue is not bound to the delays.
    const way = { to: 'exchange', exchange: '', routingKey: queue, delayMs: 0 } as const;
    const copy = { ...moved, ...way, properties, ttlMs: leftMs };
    return [new ReturnedRequest(this.options, copy, { kind: 'discard', error: new ShutdownError() })];
  }
}
