import { RequestDroppedError, ShutdownError } from '../../errors.js';
import {
  type ReplyEffectOptions,
  ReplyOfFailure,
  ReplyOfValue,
  ReturnedRequest,
} from '../../features/reply/effects.js';
import { type ReplyBodyOptions, replyBody } from '../../features/reply/stages.js';
import { NO_EFFECTS } from '../../pipeline/effect.js';
import type { Effect, Outcome } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import { movedCopy } from './republish.js';

export interface RepliesOptions extends ReplyEffectOptions, ReplyBodyOptions {
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

  /** Where the reply to it goes; undefined if its requester wants none. */
  addressOf({ received }: Work): string | undefined {
    // Some clients send an empty text for none.
    return received.delivery.properties.replyTo || undefined;
  }

  /** How a request ends whose attempt has come to this: with its reply among the effects. */
  endOf(work: Work, outcome: Outcome): Outcome {
    switch (outcome.kind) {
      case 'done':
        return this.answered(work, outcome);
      case 'return':
        return this.returned(work, outcome.hasStarted, outcome.effects);
      case 'skip':
        return this.refused(work, new RequestDroppedError(`it was ${outcome.because}`), outcome.effects);
      case 'discard':
        return this.refused(
          work,
          outcome.error ?? new RequestDroppedError('its responder discarded it'),
          outcome.effects,
        );
      case 'release':
      case 'retry':
      case 'dead-letter':
        return this.refused(
          work,
          outcome.error ?? new RequestDroppedError("its responder can't handle it now"),
          outcome.effects,
        );
    }
  }

  private answered(work: Work, { effects = NO_EFFECTS }: Outcome): Outcome {
    const address = this.addressOf(work);
    if (address === undefined) {
      const { queue } = work.received.delivery;
      this.options.log.debug(
        { queue, handler: work.match?.handler.name, messageId: work.received.messageId },
        'a request without replyTo was handled: what its handler returned is dropped',
      );
      return { kind: 'done', effects };
    }
    // A consume middleware may have ended it without its handler.
    const reply = work.reply ?? replyBody(null, work.received.routingKey, this.options);
    return { kind: 'done', effects: [...effects, new ReplyOfValue(this.options, work, address, reply)] };
  }

  private refused(work: Work, error: unknown, effects: readonly Effect[] = NO_EFFECTS): Outcome {
    const address = this.addressOf(work);
    const reply = address === undefined ? [] : [new ReplyOfFailure(this.options, work, address, error)];
    return { kind: 'discard', error, effects: [...effects, ...reply] };
  }

  private returned(work: Work, hasStarted: boolean, effects: readonly Effect[] = NO_EFFECTS): Outcome {
    const { received, match } = work;
    if (hasStarted && !match?.handler.answers?.isRepeatable)
      return this.refused(work, new ShutdownError(), effects);
    // One that may have been handled must stay marked as such, which the broker does if it takes it back.
    if (received.redelivered || received.delivery.unreadable !== undefined)
      return { kind: 'return', hasStarted, effects };
    const { queue } = received.delivery;
    const moved = movedCopy(received, queue, RETURN_DEADLINE_MS);
    // Its queue is not bound to the delays.
    const copy = { ...moved, to: 'exchange', exchange: '', routingKey: queue, delayMs: 0 } as const;
    const refused: Outcome = { kind: 'discard', error: new ShutdownError() };
    return {
      kind: 'return',
      hasStarted,
      effects: [...effects, new ReturnedRequest(this.options, copy, refused)],
    };
  }
}
