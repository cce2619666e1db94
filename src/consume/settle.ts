import { InvalidMessageError } from '../errors.js';
import type { BatchPlace } from '../message/batch-header.js';
import type { ChainState, StepMessage } from '../message/chain-header.js';
import { HEADER } from '../message/headers.js';
import type { OutgoingMessage } from '../message/message.js';
import { isFinal } from '../publish/unsendable.js';
import type { JobResult } from '../stores/batches.js';
import type { Names } from '../topology/names.js';
import type { TransportSession } from '../transport/transport.js';
import { Backoff } from '../util/backoff.js';
import { type Clock, pause } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { AttemptEvents } from './attempt-events.js';
import { type BatchSender, jobOf } from './batch-job.js';
import { carriedFrom } from './carry-on.js';
import type { Work } from './concurrency.js';
import { COME_BACK_SOON, LEAST_DELAY_MS, type Outcome } from './outcome.js';
import { PackItem } from './pack.js';
import { elapsedMsOf } from './received.js';
import { cutErrorText, deadLetter, delayedCopy, type GivenUp, lightened } from './republish.js';
import { chainOf, failureId, nextId, type StepSender, stateOfNext } from './step.js';

export interface SettlerOptions {
  readonly names: Names;
  readonly session: TransportSession;
  readonly steps: Pick<StepSender, 'send'>;
  readonly batches: Pick<BatchSender, 'report'>;
  readonly clock: Clock;
  readonly events: AttemptEvents;
  readonly log: Logger;
  readonly publishDeadlineMs: number;
  /** Aborts when the bus gives up waiting for a publish that can't be made. */
  readonly giveUp: AbortSignal;
  /** Told when a publish can't be made and its delivery is held, and when that is over. */
  onHold(error: unknown): void;
  onRelease(): void;
}

type DeadLetter = Extract<Outcome, { kind: 'dead-letter' }>;

/** How long what goes back may take: a stop waits for it. */
const RETURN_DEADLINE_MS = 3_000;

/**
 * Acts on outcomes. Nothing else acks or requeues.
 *
 * Whatever travels on is confirmed before its original is acked. If the process dies between the two, the message
 * exists twice: a duplicate, never a loss.
 */
export class Settler {
  /** Aborts when a channel is gone: what is held for it need not be held any more. */
  private channelLost = new AbortController();

  constructor(private readonly options: SettlerOptions) {}

  /** A channel is gone, and with it what it had delivered. */
  lost(): void {
    this.channelLost.abort();
    this.channelLost = new AbortController();
  }

  /** Acts on it at once, or returns a promise of when that is done, or can't be any more because the channel is gone. */
  settle(work: Work, outcome: Outcome): Promise<void> | undefined {
    const { delivery } = work.received;
    // The broker delivers it again; a copy of ours beside that would be a duplicate made on purpose.
    if (delivery.lost) return outcome.kind === 'next' ? outcome.followed?.(false) : undefined;
    switch (outcome.kind) {
      case 'done':
        return this.finish(work, outcome.goesOn ? undefined : 'done');
      case 'skip':
        return this.finish(work, outcome.result, () => this.options.events.skipped(work));
      case 'next':
        return this.goOn(work, outcome);
      case 'discard':
        return this.finish(work, 'done', () => this.options.events.discarded(work));
      case 'return':
        // What is done of a pack must not come again: what is left of it travels on alone.
        if (delivery instanceof PackItem) return this.comeBack(work, COME_BACK_SOON);
        if (delivery.requeueIsCharged) return this.returnAsCopy(work, outcome);
        delivery.requeue();
        return undefined;
      case 'retry':
      case 'release':
        return this.comeBack(work, outcome);
      case 'dead-letter':
        return this.giveUp(work, outcome).then(() => {});
    }
  }

  private async comeBack(
    work: Work,
    outcome: Extract<Outcome, { kind: 'retry' | 'release' }>,
  ): Promise<void> {
    const { received } = work;
    const { names, clock, events, publishDeadlineMs } = this.options;
    const isRetry = outcome.kind === 'retry';
    const elapsedMs = elapsedMsOf(received, clock.monotonic());
    const next = {
      attempt: received.attempt + (isRetry ? 1 : 0),
      exceptions: received.exceptions,
      releases: received.releases + (isRetry ? 0 : 1),
      // What comes back before its first attempt has none yet, from which its policy would count.
      firstAttemptAt: received.firstAttemptAt ?? (isRetry ? clock.now() : undefined),
      elapsedMs: elapsedMs === undefined ? undefined : elapsedMs + outcome.delayMs,
      unhandledSince: !isRetry && outcome.unhandled ? (received.unhandledSince ?? clock.now()) : undefined,
    };
    const copy = delayedCopy(names, received, outcome.delayMs, next, publishDeadlineMs);
    if (!(await this.publishThenAck(work, copy))) return;
    if (isRetry) events.retried(work, outcome.delayMs, outcome.error);
    else events.released(work, outcome.delayMs);
  }

  /** What counts its attempts stays as it is. Not held if it can't be published now: it goes back to its place, and is charged. */
  private async returnAsCopy(
    work: Work,
    { hasStarted }: Extract<Outcome, { kind: 'return' }>,
  ): Promise<void> {
    const { received } = work;
    const { delivery } = received;
    const { names, session, log, clock } = this.options;
    const elapsedMs = elapsedMsOf(received, clock.monotonic());
    const next = {
      ...received,
      elapsedMs: elapsedMs === undefined ? undefined : elapsedMs + LEAST_DELAY_MS,
      redelivered: hasStarted || received.redelivered,
    };
    try {
      await session.publish(delayedCopy(names, received, LEAST_DELAY_MS, next, RETURN_DEADLINE_MS));
    } catch (error) {
      log.warn(
        { queue: delivery.queue, messageId: received.messageId, error },
        'what goes back to its queue can not be published: it is requeued, which the broker may count as a failed delivery',
      );
      delivery.requeue();
      return;
    }
    // Dying here leaves the copy and the original.
    delivery.ack();
  }

  /** Dying between the confirm and the ack repeats the step, and then its successor, with the messageId that it has. */
  private async goOn(work: Work, { chain, followed }: Extract<Outcome, { kind: 'next' }>): Promise<void> {
    const { received } = work;
    const [next] = chain.rest;
    if (!next) return this.finish(work, 'done');
    const send = () =>
      this.options.steps.send(next, stateOfNext(chain), nextId(received, chain), carriedFrom(received));
    try {
      const isSent = await this.publishOrHold(work, send, {
        what: 'the next step of a chain',
        key: next.key,
      });
      await followed?.(isSent);
      if (isSent) received.delivery.ack();
    } catch (error) {
      // Only what is final comes here. Replayed, it is not handled again, and goes on from here.
      const finished = { ...chain, finished: true };
      const broken: DeadLetter = { kind: 'dead-letter', reason: 'chain-broken', error };
      const isStored = await this.giveUp(work, broken, finished);
      await followed?.(isStored);
    }
  }

  /**
   * True once the dead letter is confirmed.
   *
   * @param chain if it is not as it came any more
   */
  private async giveUp(work: Work, outcome: DeadLetter, chain?: ChainState): Promise<boolean> {
    const { received } = work;
    const { names, clock, events, publishDeadlineMs } = this.options;
    const { reason, error, failedError } = outcome;
    const failing = chain ?? chainOf(received);
    if (failing?.onFailure && !(await this.sendFailureStep(work, outcome, failing, failing.onFailure)))
      return false;
    const failedAt = clock.now();
    const givenUp: GivenUp = {
      reason,
      error,
      failedError,
      chain,
      failedAt,
      firstAttemptAt: received.firstAttemptAt ?? failedAt,
    };
    const letter = deadLetter(names, received, givenUp, publishDeadlineMs);
    const isStored = await this.publishThenAck(work, letter, 'failed');
    if (isStored) events.deadLettered(work, reason, error);
    return isStored;
  }

  /** False if it can't be sent any more, because the channel is gone or the bus stops. */
  private async sendFailureStep(
    work: Work,
    { reason, error }: DeadLetter,
    chain: ChainState,
    onFailure: StepMessage,
  ): Promise<boolean> {
    const { received } = work;
    const { steps, log } = this.options;
    const broken = chain.finished ? chain.rest[0] : undefined;
    const failure = {
      key: broken?.key ?? received.routingKey,
      number: chain.number + (broken ? 1 : 0),
      messageId: broken ? nextId(received, chain) : received.messageId,
      reason,
      error: cutErrorText(error),
    };
    const { id } = chain;
    const none = { rest: [], onFailure: undefined, result: undefined, finished: false };
    const state = { id, number: failure.number + 1, failure, ...none };
    const send = () => steps.send(onFailure, state, failureId(received, chain), carriedFrom(received));
    try {
      const what = { what: 'the failure step of a chain', key: onFailure.key };
      return await this.publishOrHold(work, send, what);
    } catch (cause) {
      log.error(
        { queue: received.delivery.queue, messageId: received.messageId, key: onFailure.key, error: cause },
        'the failure step of a chain cannot be sent; what failed is dead-lettered all the same',
      );
      return true;
    }
  }

  /** Acks what is over, after its batch knows of that. Dying between the two tells it again, which changes nothing. */
  private finish(work: Work, result: JobResult | undefined, tell?: () => void): Promise<void> | undefined {
    const end = () => {
      work.received.delivery.ack();
      tell?.();
    };
    const job = result && jobOf(work.received);
    if (job) return this.report(work, job, result).then((isTold) => (isTold ? end() : undefined));
    end();
    return undefined;
  }

  /** True once its batch knows what has become of it, and what that has led to is sent. */
  private report(work: Work, job: BatchPlace, result: JobResult): Promise<boolean> {
    const { batches } = this.options;
    const tell = () => batches.report(job, result);
    const what = 'the end of a job of a batch, or what that decides,';
    return this.publishOrHold(work, tell, { what }, () => false);
  }

  /**
   * True once the copy is confirmed; its original is then acked, or will be delivered again.
   *
   * @param result what that is to the batch that it is a job of; undefined if the job has not ended
   */
  private async publishThenAck(work: Work, first: OutgoingMessage, result?: JobResult): Promise<boolean> {
    let copy = first;
    const publish = async () => {
      for (;;) {
        try {
          return await this.options.session.publish(copy);
        } catch (error) {
          const lighter = error instanceof InvalidMessageError ? lightened(copy) : undefined;
          if (!lighter) throw error;
          this.warnOfDropped(work, lighter, error);
          copy = lighter;
        }
      }
    };
    const what = { what: 'a retry or dead letter', exchange: first.exchange };
    if (!(await this.publishOrHold(work, publish, what, () => false))) return false;
    const job = result && jobOf(work.received);
    if (job && !(await this.report(work, job, result))) return false;
    // Dying here leaves the copy and the original.
    work.received.delivery.ack();
    return true;
  }

  /**
   * Publishes, and if that can't be done now, keeps the delivery un-acked and tries again with backoff. It is never
   * requeued for that: the handler would run again at once, and the delivery limit would be charged for it.
   *
   * @param about what it is, for the log
   * @param isHopeless for which error it is not tried again, but thrown
   */
  private async publishOrHold(
    work: Work,
    publish: () => Promise<void>,
    { what, ...about }: { what: string; exchange?: string; key?: string },
    isHopeless = isFinal,
  ): Promise<boolean> {
    const { clock, giveUp, log, onHold, onRelease } = this.options;
    const { delivery } = work.received;
    const backoff = new Backoff({ firstMs: 500, maxMs: 30_000 });
    let held = false;
    try {
      while (!delivery.lost && !giveUp.aborted) {
        try {
          await publish();
          return true;
        } catch (error) {
          if (isHopeless(error)) throw error;
          if (!held) onHold(error);
          held = true;
          const pauseMs = backoff.next();
          log.warn(
            { queue: delivery.queue, messageId: work.received.messageId, ...about, pauseMs, error },
            `${what} cannot be published: its message is held and the queue paused until it can`,
          );
          // A channel that went during the publish has been told of already.
          if (delivery.lost) break;
          const over = AbortSignal.any([giveUp, this.channelLost.signal]);
          await pause(clock, pauseMs, over).catch(() => {});
        }
      }
      return false;
    } finally {
      if (held) onRelease();
    }
  }

  private warnOfDropped({ received }: Work, { properties }: OutgoingMessage, error: unknown): void {
    this.options.log.warn(
      {
        queue: received.delivery.queue,
        messageId: received.messageId,
        dropped: properties.headers?.[HEADER.dropped],
        error,
      },
      "a message's headers leave no room for ours: its largest are left out of the copy that travels on",
    );
  }
}
