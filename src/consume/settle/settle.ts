import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import { type Effect, type Outcome, RETURN_STARTED } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import { deadQueueOf } from '../../topology/names.js';
import type { AttemptEvents } from '../report/attempt-events.js';
import type { ReplayReports } from '../report/replay-reports.js';
import { Holding, type HoldingOptions } from './holding.js';
import type { Replies } from './replies.js';

export interface SettlerOptions extends HoldingOptions {
  /** Effects that are due for the end of a message without a mark of Hopline's, or with one; in this order. */
  readonly effects: {
    readonly ofPlain: readonly EffectsOf[];
    readonly ofMarked: readonly EffectsOf[];
    readonly ofRequests: readonly EffectsOf[];
  };
  /** Ends of requests; undefined if none come here. */
  readonly replies?: Replies | undefined;
  readonly events: AttemptEvents;
  /** Told how messages of replays end. @default nobody is */
  readonly replays?: Pick<ReplayReports, 'ended'> | undefined;
  /** The queue that a lane, by its place in the list of those that share the slots, is one of. */
  queueOf(lane: number): string;
}

interface Todo {
  readonly ofStages: readonly Effect[];
  readonly due: readonly Effect[];
  readonly ready: Promise<void> | undefined;
}

/**
 * Acts on outcomes: first their effects, in order, then the broker is told, then whoever listens. Nothing else acks, requeues
 * or rejects.
 *
 * Whatever travels on is confirmed before its original is acked. If the process dies between the two, the message
 * exists twice: a duplicate, never a loss. What can't be published now is held; what never can be is a dead letter, in a form
 * that can.
 */
export class Settler {
  private readonly holding: Holding;

  constructor(private readonly options: SettlerOptions) {
    this.holding = new Holding(options);
  }

  /** Called when a channel is lost, and with it what it had delivered. */
  lost(): void {
    this.holding.lost();
  }

  /**
   * Acts on it at once, or returns a promise of when that is done, or can't be any more because the channel is gone.
   *
   * @param ready resolves when the broker may be told
   */
  settle(work: Work, given: Outcome, ready?: Promise<void>): Promise<void> | undefined {
    const { delivery } = work.received;
    const { effects = NO_EFFECTS, onEnded } = given;
    // The broker delivers it again; a copy of ours beside that would be a duplicate made on purpose.
    if (work.isGone) return effects.length === 0 ? undefined : unreached(effects);
    if (work.lease?.isLost) return this.giveWay(work, effects, ready);
    if (delivery.lost && given.kind === 'return') return this.leave(work, effects);
    const outcome = this.endOf(work, given);
    const due = this.dueFor(work, given);
    if (effects.length > 0 || due.length > 0 || ready !== undefined || onEnded !== undefined)
      return this.storeFirst(work, outcome, { ofStages: effects, due, ready });
    if (outcome.kind === 'return') delivery.requeue();
    else delivery.ack();
    this.tell(work, outcome);
    return undefined;
  }

  /** Gives a message back whose lease is lost: another run of it may have begun, so nothing that this one led to is stored. */
  private async giveWay(work: Work, effects: readonly Effect[], ready?: Promise<void>): Promise<void> {
    await unreached(effects);
    const due = this.dueFor(work, RETURN_STARTED);
    await this.storeFirst(work, RETURN_STARTED, { ofStages: NO_EFFECTS, due, ready });
  }

  /** Leaves a message to the delivery that follows its lost one. */
  private async leave(work: Work, effects: readonly Effect[]): Promise<void> {
    await unreached(effects);
    await work.lease?.release();
  }

  /**
   * Stores what an attempt has led to that the next one follows at once: only the effects of its stages, since the message
   * goes nowhere. Never rejects.
   */
  async endAttempt(work: Work, { effects = NO_EFFECTS }: Outcome): Promise<void> {
    for (const effect of effects) {
      if ((await this.holding.store(work, effect)) === 'unreached') await effect.onUnreached?.();
    }
  }

  /**
   * Ends a delivery whose way has broken off, which is a bug of ours: as a dead letter, unless it is settled already. Never
   * rejects.
   *
   * @param ready resolves when the broker may be told
   */
  async endBroken(work: Work, error: unknown, ready?: Promise<void>): Promise<void> {
    const { delivery, messageId } = work.received;
    if (delivery.isSettled || work.isGone) return;
    try {
      await this.settle(work, { kind: 'dead-letter', reason: 'internal', error }, ready);
    } catch (cause) {
      const about = { queue: delivery.queue, messageId, error: cause };
      this.options.log.error(about, 'a message could not be ended: it goes back to its queue');
      if (!delivery.requeue()) delivery.reject();
    }
  }

  private endOf(work: Work, outcome: Outcome): Outcome {
    const { replies } = this.options;
    return replies?.has(work) ? replies.endOf(work, outcome) : outcome;
  }

  private effectsFor(work: Work): readonly EffectsOf[] {
    const { effects, replies } = this.options;
    if (replies?.has(work)) return effects.ofRequests;
    // The end of a copy that each process gets is not that of the message.
    return work.received.isPlain || work.match?.handler.each ? effects.ofPlain : effects.ofMarked;
  }

  /** All effects that are due for this outcome, in the order of the list. */
  private dueFor(work: Work, outcome: Outcome): readonly Effect[] {
    let due = NO_EFFECTS;
    if (outcome.kind === 'skip' && outcome.isElsewhere) return due;
    for (const effectsOf of this.effectsFor(work)) {
      const its = effectsOf(work, outcome);
      if (its.length > 0) due = due.length === 0 ? its : [...due, ...its];
    }
    return due;
  }

  /** A process that dies anywhere in here does all of it again, with the same ids. */
  private async storeFirst(work: Work, given: Outcome, { ofStages, due, ready }: Todo): Promise<void> {
    let outcome = given;
    let stages = ofStages;
    let left = [...ofStages, ...due];
    let unsaid: Effect[] = [];
    let tells: 'ack' | 'requeue' | 'reject' = outcome.kind === 'return' ? 'requeue' : 'ack';
    for (let effect = left.shift(); effect; effect = left.shift()) {
      if (tells === 'reject' && effect.isLastWord) {
        unsaid.push(effect);
        continue;
      }
      const stored = await this.holding.store(work, effect);
      if (stored === 'unreached') return unreached([effect, ...left]);
      if (stored === 'without') continue;
      if (stored === 'stored') {
        tells = effect.tells ?? tells;
        continue;
      }
      // The message ends otherwise. The effects of its stages come after that: they count on the message's being safe.
      stages = stages.filter((each) => left.includes(each));
      if (effect.isOwed) stages = stages.map(givenUp);
      outcome = this.endOf(work, stored);
      left = [...this.dueFor(work, stored), ...stages];
      tells = 'ack';
      unsaid = [];
    }
    if (ready !== undefined) await ready;
    const isHeard = work.received.delivery[tells]();
    await unreached(unsaid);
    // A settling that the broker has not heard comes again, and is reported then; but for a copy, which is there already, and for
    // what is marked as done, which is skipped then.
    const isOver = isHeard || work.lease?.isDone === true;
    if (isOver || (tells === 'ack' && travelsOn(outcome))) this.tell(work, outcome);
    if (isOver) await outcome.onEnded?.();
  }

  /** Emits the event of the message's end. Nothing for `done`: its handler's success was emitted before. */
  private tell(work: Work, outcome: Outcome): void {
    const { events, queueOf, replies } = this.options;
    work.ended = outcome;
    if (outcome.kind === 'skip' && outcome.isElsewhere) {
      if (outcome.because === 'running') events.guarded(work);
      return;
    }
    if (!work.received.isPlain) this.options.replays?.ended(work, outcome);
    if (outcome.kind === 'discard' && replies?.has(work))
      events.requestFailed(work, outcome.error, replies.addressOf(work) !== undefined);
    else if (outcome.kind === 'skip') events.skipped(work);
    else if (outcome.kind === 'discard') events.discarded(work, outcome.error);
    else if (outcome.kind === 'retry') events.retried(work, outcome.delayMs, outcome.error);
    else if (outcome.kind === 'release') events.released(work, outcome.delayMs);
    else if (outcome.kind === 'dead-letter') {
      const { reason, error, failedError } = outcome;
      events.deadLettered(work, { reason, error, failedError, deadQueue: deadQueueOf(queueOf(work.lane)) });
    }
  }
}

/** What gives up what the effect would store. */
const givenUp = (effect: Effect): Effect => ({
  what: effect.what,
  run: async () => effect.onUnreached?.(),
  onUnreached: async () => effect.onUnreached?.(),
});

const travelsOn = ({ kind }: Outcome): boolean =>
  kind === 'retry' || kind === 'release' || kind === 'dead-letter';

/** Reports to the effects, in their order, that they are not stored. */
async function unreached(effects: readonly Effect[]): Promise<void> {
  for (const effect of effects) await effect.onUnreached?.();
}
