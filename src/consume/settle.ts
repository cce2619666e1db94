import type { ChainState, StepMessage } from '../message/chain-header.js';
import { MIN_DELAY_MS } from '../message/delay-range.js';
import { isFinal } from '../publish/unsendable.js';
import type { JobResult } from '../stores/batches.js';
import { deadQueueOf } from '../topology/names.js';
import type { AttemptEvents } from './attempt-events.js';
import { jobOf } from './batch-job.js';
import { carriedFrom } from './carry-on.js';
import { Copies, type CopiesOptions } from './copies.js';
import { Holding, type HoldingOptions } from './holding.js';
import { COME_BACK_SOON, type Outcome } from './outcome.js';
import { PackItem } from './pack.js';
import { cutErrorText, delayedCopy } from './republish.js';
import { failureId, nextId, type StepSender, stateOfNext } from './step.js';
import type { Work } from './work.js';

export interface SettlerOptions extends HoldingOptions, CopiesOptions {
  readonly steps: Pick<StepSender, 'send'>;
  readonly events: AttemptEvents;
}

type DeadLetter = Extract<Outcome, { kind: 'dead-letter' }>;
type ComingBack = Extract<Outcome, { kind: 'retry' | 'release' }>;

/** How long what goes back may take: a stop waits for it. */
const RETURN_DEADLINE_MS = 3_000;

/**
 * Acts on outcomes. Nothing else acks, requeues or rejects.
 *
 * Whatever travels on is confirmed before its original is acked. If the process dies between the two, the message
 * exists twice: a duplicate, never a loss. What can't be published now is held; what never can be is a dead letter, in a form
 * that can.
 */
export class Settler {
  private readonly holding: Holding;
  private readonly copies: Copies;

  constructor(private readonly options: SettlerOptions) {
    this.holding = new Holding(options);
    this.copies = new Copies(options, this.holding);
  }

  /** A channel is gone, and with it what it had delivered. */
  lost(): void {
    this.holding.lost();
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
        return this.finish(work, 'done', () => this.options.events.discarded(work, outcome.error));
      case 'return':
        // What is done of a pack must not come again: what is left of it travels on alone.
        if (delivery instanceof PackItem)
          return this.comeBack(work, COME_BACK_SOON, outcome.hasStarted || delivery.redelivered);
        // A copy would be without what can't be read of it, and be handled.
        if (delivery.requeueIsCharged && delivery.unreadable === undefined)
          return this.returnAsCopy(work, outcome);
        delivery.requeue();
        return undefined;
      case 'retry':
      case 'release':
        return this.comeBack(work, outcome);
      case 'dead-letter':
        return this.giveUp(work, outcome).then(() => {});
    }
  }

  /**
   * Ends a delivery whose way has broken off, which is a bug of ours: as a dead letter, unless it is settled already. Never
   * rejects.
   */
  async endBroken(work: Work, error: unknown): Promise<void> {
    const { delivery, messageId } = work.received;
    if (delivery.isSettled || delivery.lost) return;
    try {
      await this.giveUp(work, { kind: 'dead-letter', reason: 'internal', error });
    } catch (cause) {
      const about = { queue: delivery.queue, messageId, error: cause };
      this.options.log.error(about, 'a message could not be ended: it goes back to its queue');
      if (!delivery.requeue()) delivery.reject();
    }
  }

  /** @param redelivered as which it comes back */
  private async comeBack(work: Work, outcome: ComingBack, redelivered = false): Promise<void> {
    const { clock, events } = this.options;
    const isRetry = outcome.kind === 'retry';
    // What comes back before its first attempt has none yet, from which its policy would count.
    const firstAttemptAt = work.firstAttemptAt ?? (isRetry ? clock.now() : undefined);
    try {
      const copy = this.copyOf(work, outcome, firstAttemptAt, redelivered);
      if (!(await this.copies.publishThenAck(work, copy))) return;
    } catch (unsent) {
      await this.giveUpUnsent(work, outcome, unsent);
      return;
    }
    if (isRetry) events.retried(work, outcome.delayMs, outcome.error);
    else events.released(work, outcome.delayMs);
  }

  /** What was to come back never can. */
  private async giveUpUnsent(work: Work, outcome: ComingBack, unsent: unknown): Promise<void> {
    const { delivery, messageId } = work.received;
    this.options.log.error(
      { queue: delivery.queue, messageId, outcome: outcome.kind, error: unsent },
      'a message that was to come back can never be published again: it is dead-lettered',
    );
    const isRetry = outcome.kind === 'retry';
    const error = isRetry ? outcome.error : unsent;
    const given: DeadLetter = { kind: 'dead-letter', reason: 'unsendable', error };
    await this.giveUp(work, given, isRetry ? { unsent } : {});
  }

  private copyOf(work: Work, outcome: ComingBack, firstAttemptAt: number | undefined, redelivered: boolean) {
    const { names, clock, publishDeadlineMs } = this.options;
    const { received } = work;
    const isRetry = outcome.kind === 'retry';
    const elapsedMs = work.elapsedMs(clock.monotonic());
    const next = {
      attempt: work.attempt + (isRetry ? 1 : 0),
      exceptions: work.exceptions,
      releases: received.releases + (isRetry ? 0 : 1),
      firstAttemptAt,
      elapsedMs: elapsedMs === undefined ? undefined : elapsedMs + outcome.delayMs,
      unhandledSince: !isRetry && outcome.unhandled ? (received.unhandledSince ?? clock.now()) : undefined,
      redelivered,
    };
    return delayedCopy(names, received, outcome.delayMs, next, publishDeadlineMs);
  }

  /** What counts its attempts stays as it is. Not held if it can't be published now: it goes back to its place, and is charged. */
  private async returnAsCopy(
    work: Work,
    { hasStarted }: Extract<Outcome, { kind: 'return' }>,
  ): Promise<void> {
    const { received } = work;
    const { delivery } = received;
    const { names, session, log, clock } = this.options;
    const elapsedMs = work.elapsedMs(clock.monotonic());
    const { attempt, exceptions, firstAttemptAt } = work;
    const next = {
      attempt,
      exceptions,
      firstAttemptAt,
      releases: received.releases,
      unhandledSince: received.unhandledSince,
      elapsedMs: elapsedMs === undefined ? undefined : elapsedMs + MIN_DELAY_MS,
      redelivered: hasStarted || received.redelivered,
    };
    try {
      await session.publish(delayedCopy(names, received, MIN_DELAY_MS, next, RETURN_DEADLINE_MS));
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
      const about = { what: 'the next step of a chain', key: next.key };
      const isSent = await this.holding.publish(work, send, about, isFinal);
      await followed?.(isSent);
      if (isSent) received.delivery.ack();
    } catch (error) {
      // Only what is final comes here. Replayed, it is not handled again, and goes on from here.
      const finished = { ...chain, finished: true };
      const broken: DeadLetter = { kind: 'dead-letter', reason: 'chain-broken', error };
      const isStored = await this.giveUp(work, broken, { chain: finished });
      await followed?.(isStored);
    }
  }

  /**
   * True once the dead letter is confirmed.
   *
   * @param more `chain` if it is not as it came any more, `unsent` if it was to come back and can't
   */
  private async giveUp(
    work: Work,
    outcome: DeadLetter,
    more: { readonly chain?: ChainState; readonly unsent?: unknown } = {},
  ): Promise<boolean> {
    const { attempt, exceptions } = work;
    const { reason, error, failedError } = outcome;
    const failing = more.chain ?? work.chain;
    if (failing?.onFailure && !(await this.sendFailureStep(work, outcome, failing, failing.onFailure)))
      return false;
    const failedAt = this.options.clock.now();
    const firstAttemptAt = work.firstAttemptAt ?? failedAt;
    const isStored = await this.copies.bury(work, {
      reason,
      error,
      failedError,
      ...more,
      attempt,
      exceptions,
      failedAt,
      firstAttemptAt,
    });
    if (isStored) {
      const { events, queueOf } = this.options;
      events.deadLettered(work, { reason, error, failedError, deadQueue: deadQueueOf(queueOf(work.lane)) });
    }
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
      return await this.holding.publish(work, send, what, isFinal);
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
    if (job) return this.copies.report(work, job, result).then((isTold) => (isTold ? end() : undefined));
    end();
    return undefined;
  }
}
