import { InvalidMessageError, TopologyError } from '../../errors.js';
import { MIN_DELAY_MS } from '../../message/delay-range.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import { isOwnFault } from '../../pipeline/errors/final-errors.js';
import type { Effect, EndedOtherwise, OutcomeOf } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import { deadQueueOf } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { DeadLetterNotices } from '../report/dead-letter-notices.js';
import {
  deadLetter,
  delayedCopy,
  type GivenUp,
  leastLetter,
  lightened,
  type NextAttempt,
} from './republish.js';

export interface CopiesOptions {
  readonly session: Pick<Session, 'publish' | 'inspect'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publishDeadlineMs: number;
  /** Version of the application, for its dead letters. */
  readonly version?: string | undefined;
  /** Told of each dead letter that is confirmed. @default nobody */
  readonly notices?: Pick<DeadLetterNotices, 'tell'> | undefined;
  /** The queue that a lane, by its place in the list of those that share the slots, is one of. */
  queueOf(lane: number): string;
}

type ComingBack = OutcomeOf<'retry' | 'release'>;
type DeadLetter = OutcomeOf<'dead-letter'>;

/** Milliseconds that the copy of a returned message may take: a stop waits for it. */
const RETURN_DEADLINE_MS = 3_000;

/** Effects of messages that travel on: their copies. */
export function copiesOf(options: CopiesOptions): EffectsOf {
  return (work, outcome) => {
    switch (outcome.kind) {
      case 'retry':
      case 'release':
        return [new ComingBackCopy(options, work, outcome)];
      case 'dead-letter':
        return [new Burial(options, work, outcome)];
      case 'return': {
        const { requeueIsCharged, unreadable } = work.received.delivery;
        // A copy would be without what can't be read of it, and be handled.
        if (!requeueIsCharged || unreadable !== undefined) return NO_EFFECTS;
        return [new ReturningCopy(options, work, outcome)];
      }
      default:
        return NO_EFFECTS;
    }
  };
}

/** One copy, made lighter until AMQP can carry it. */
class Copy {
  constructor(
    private readonly options: CopiesOptions,
    private readonly work: Work,
    private message: OutgoingMessage,
  ) {
    if (hasLost(work, message)) this.warnOfDropped();
  }

  get sent(): OutgoingMessage {
    return this.message;
  }

  /** Resolves with the confirm. */
  async publish(): Promise<void> {
    for (;;) {
      try {
        await this.options.session.publish(this.message);
        return;
      } catch (error) {
        const lighter = error instanceof InvalidMessageError ? lightened(this.message) : undefined;
        if (!lighter) throw error;
        this.message = lighter;
        this.warnOfDropped(error);
      }
    }
  }

  private warnOfDropped(error?: unknown): void {
    const { delivery, messageId } = this.work.received;
    this.options.log.warn(
      {
        queue: delivery.queue,
        messageId,
        dropped: this.message.properties.headers?.[HEADER.dropped],
        ...(error === undefined ? {} : { error }),
      },
      "what a message came with doesn't fit beside what is added: some of it is left out of the copy that travels on",
    );
  }
}

/** Copy of a retry or a release: through the delays, back to its queue. If it can never be published, the message is dead-lettered. */
class ComingBackCopy implements Effect {
  readonly what = 'a retry or dead letter';
  private copy: Copy | undefined;

  constructor(
    private readonly options: CopiesOptions,
    private readonly work: Work,
    private readonly outcome: ComingBack,
  ) {}

  get about(): object {
    return { to: 'queue' };
  }

  async run(): Promise<void> {
    const { options, work, outcome } = this;
    this.copy ??= new Copy(options, work, comingBack(options, work, outcome));
    // Dying after the confirm leaves the copy and the original.
    await this.copy.publish();
  }

  onError(error: unknown): EndedOtherwise | undefined {
    // A copy that can't even be made is no better than one that can't be published.
    if (this.copy && !isOwnFault(error)) return undefined;
    const { outcome } = this;
    const { delivery, messageId } = this.work.received;
    this.options.log.error(
      { queue: delivery.queue, messageId, outcome: outcome.kind, error },
      'a message that was to come back can never be published again: it is dead-lettered',
    );
    return outcome.kind === 'retry'
      ? {
          kind: 'dead-letter',
          reason: 'unsendable',
          error: outcome.error,
          unsent: error,
          exceptions: outcome.exceptions,
        }
      : { kind: 'dead-letter', reason: 'unsendable', error };
  }
}

/** Copy of a dead letter: with all that the message had; else in the least form; at last the broker moves the message itself, if it has it. */
class Burial implements Effect {
  readonly what = 'a retry or dead letter';
  tells: 'reject' | undefined;
  private readonly forms = [deadLetter, leastLetter];
  private copy: Copy | undefined;
  private readonly givenUp: GivenUp;

  constructor(
    private readonly options: CopiesOptions,
    private readonly work: Work,
    { reason, error, failedError, unsent, headers, exceptions = work.exceptions }: DeadLetter,
  ) {
    const { attempt } = work;
    const failedAt = options.clock.now();
    const firstAttemptAt = work.firstAttemptAt(options.clock) ?? failedAt;
    const by = { handler: work.match?.handler.name, version: options.version };
    const story = { attempt, exceptions, failedAt, firstAttemptAt, ...by };
    this.givenUp = { reason, error, failedError, unsent, headers, ...story };
  }

  get about(): object {
    return { to: 'dead-letters' };
  }

  async run(): Promise<void> {
    const { options, work, givenUp, forms } = this;
    const { publishDeadlineMs, log } = options;
    for (let [form] = forms; form; [form] = forms) {
      try {
        this.copy ??= new Copy(options, work, form(work.received, givenUp, publishDeadlineMs));
        await this.copy.publish();
        this.tell(this.copy);
        return;
      } catch (error) {
        if (this.copy && !isOwnFault(error)) throw error;
        const { delivery, messageId } = work.received;
        log.warn(
          { queue: delivery.queue, messageId, error },
          'a dead letter cannot be published as it is: it takes another form',
        );
        this.copy = undefined;
        forms.shift();
      }
    }
    await this.leaveToBroker();
  }

  private tell({ sent }: Copy): void {
    const { notices, queueOf } = this.options;
    notices?.tell(sent, deadQueueOf(queueOf(this.work.lane)));
  }

  /** Waits until the dead-letter queue is there: without it the broker would drop the message. */
  private async leaveToBroker(): Promise<void> {
    const { session, queueOf, log } = this.options;
    const { delivery, messageId } = this.work.received;
    const dead = deadQueueOf(queueOf(this.work.lane));
    if (delivery.rejectDrops) {
      log.error(
        { queue: delivery.queue, messageId, dead },
        'a dead letter cannot be published in any form, and the broker does not have the message any more: it is dropped',
      );
      this.tells = 'reject';
      return;
    }
    if (this.tells === undefined)
      log.error(
        { queue: delivery.queue, messageId, dead },
        'a dead letter cannot be published in any form: the broker moves the message itself, without the reason',
      );
    this.tells = 'reject';
    if (await session.inspect(dead)) return;
    throw new TopologyError(
      `queue '${dead}'`,
      `there is no queue '${dead}'`,
      'Start a bus that declares it.',
    );
  }
}

/** Copy of a message that goes back where a requeue is charged. Not held if it can't be published now: the message is requeued, and charged. */
class ReturningCopy implements Effect {
  readonly what = 'what goes back to its queue';
  tells: 'ack' | undefined;

  constructor(
    private readonly options: CopiesOptions,
    private readonly work: Work,
    private readonly outcome: OutcomeOf<'return'>,
  ) {}

  async run(): Promise<void> {
    const { session, log } = this.options;
    const { received } = this.work;
    try {
      const next = this.asItIs();
      await session.publish(delayedCopy(received, MIN_DELAY_MS, next, RETURN_DEADLINE_MS));
      this.tells = 'ack';
    } catch (error) {
      log.warn(
        { queue: received.delivery.queue, messageId: received.messageId, error },
        'what goes back to its queue can not be published: it is requeued, which the broker may count as a failed delivery',
      );
    }
  }

  /** Counters that stay as they are. */
  private asItIs(): NextAttempt {
    const { work, options } = this;
    const { attempt, exceptions, received } = work;
    const { releases, unhandledSince, follows } = received;
    const firstAttemptAt = work.firstAttemptAt(options.clock);
    const elapsedMs = work.elapsedMs(options.clock.monotonic());
    return {
      ...{ attempt, exceptions, releases, firstAttemptAt, unhandledSince, follows },
      elapsedMs: elapsedMs === undefined ? undefined : elapsedMs + MIN_DELAY_MS,
      redelivered: this.outcome.hasStarted || received.redelivered,
    };
  }
}

function comingBack(
  { clock, publishDeadlineMs }: CopiesOptions,
  work: Work,
  outcome: ComingBack,
): OutgoingMessage {
  const { received, attempt } = work;
  const isRetry = outcome.kind === 'retry';
  const elapsedMs = work.elapsedMs(clock.monotonic());
  const isUnhandled = !isRetry && outcome.unhandled;
  // What it is a copy of may come again: unless that is known to be over, by its lease, both have to ask for the same one.
  const isCounted = !isRetry && (work.lease || !work.match?.handler.hasLease || outcome.isAnother);
  const next: NextAttempt = {
    attempt: attempt + (isRetry ? 1 : 0),
    exceptions: (isRetry ? outcome.exceptions : undefined) ?? work.exceptions,
    releases: received.releases + (isCounted ? 1 : 0),
    // A message that comes back before its first attempt has no moment yet from which its policy would count.
    firstAttemptAt: work.firstAttemptAt(clock) ?? (isRetry ? clock.now() : undefined),
    elapsedMs: elapsedMs === undefined ? undefined : elapsedMs + outcome.delayMs,
    unhandledSince: isUnhandled ? (received.unhandledSince ?? clock.now()) : undefined,
    redelivered: !isRetry && outcome.redelivered === true,
    follows: work.lease?.name ?? received.follows,
  };
  return delayedCopy(received, outcome.delayMs, next, publishDeadlineMs);
}

/** True if properties of the message could not be written again. */
function hasLost({ received }: Work, { properties }: OutgoingMessage): boolean {
  const dropped = properties.headers?.[HEADER.dropped];
  return dropped !== undefined && dropped !== received.delivery.properties.headers[HEADER.dropped];
}
