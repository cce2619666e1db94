import type { UniqueMark } from '../../message/unique.js';
import { type Attempt, longestAttemptMs } from '../../pipeline/attempt.js';
import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import { type Outcome, SUPERSEDED } from '../../pipeline/outcome.js';
import type { GuardStage } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import type { Stores } from '../../stores/stores.js';
import { after } from '../../util/after.js';
import type { Logger } from '../../util/logger.js';

export interface UniquesOptions {
  readonly stores: Stores;
  readonly log: Logger;
  readonly timeoutGraceMs: number;
}

/**
 * What becomes of the keys of unique messages while these are handled. A key that is lost, or can't be asked for, keeps no
 * message from being handled: only one that a later one stands for is skipped.
 */
export class Uniques {
  /** What ends the renewals of a key with the lease of its message's attempts. */
  private readonly renewed = new WeakMap<Work, () => void>();

  constructor(private readonly options: UniquesOptions) {}

  /** Before all else that is asked: what a later message stands for is skipped. */
  readonly asking: GuardStage = (next) => (context) =>
    after(this.superseded(context), (refusal) => refusal ?? next(context));

  /** When nothing refuses the message any more. */
  readonly starting: GuardStage = (next) => (context) => after(this.begins(context), () => next(context));

  /** Undefined if nothing has to be asked; resolves with undefined if no later message stands for this one. */
  private superseded(context: Attempt): Promise<Outcome | undefined> | undefined {
    const { attempt, work } = context;
    const { unique } = work.received;
    if (unique?.number === undefined) return undefined;
    if (unique.until === 'started' && attempt > 1) return undefined;
    return this.askForLater(unique, unique.number, context);
  }

  /** Never rejects. */
  private begins(context: Attempt): Promise<void> | undefined {
    const { attempt, work } = context;
    const { unique, messageId } = work.received;
    if (!unique || unique.number !== undefined || messageId === undefined) return undefined;
    if (unique.until === 'done') return this.hold(unique, messageId, context);
    return attempt === 1 ? this.release(unique, messageId, work) : undefined;
  }

  /** What becomes of its key when an attempt has ended; none of it rejects. */
  readonly effectsOf: EffectsOf = (work, outcome) => {
    const { unique, messageId } = work.received;
    // What the broker delivers again has ended nothing.
    if (!unique || outcome.kind === 'return') return NO_EFFECTS;
    // The key is that of the job's sending that counts: it has the same id.
    if (outcome.kind === 'skip' && outcome.because === 'superseded') return NO_EFFECTS;
    const comesBack = outcome.kind === 'retry' || outcome.kind === 'release';
    // A key is held under the message's id; a number is held by nobody, and there is nothing to give back.
    if (unique.number === undefined ? messageId === undefined : !comesBack) return NO_EFFECTS;
    const what = "a unique message's key";
    if (comesBack) return [{ what, run: () => this.keep(unique, unique.forMs + outcome.delayMs, work) }];
    return [{ what, run: () => this.release(unique, messageId as string, work) }];
  };

  private async askForLater(
    { key, forMs }: UniqueMark,
    number: number,
    context: Attempt,
  ): Promise<Outcome | undefined> {
    try {
      if (await this.options.stores.unique.advance(key, number, forMs)) return undefined;
    } catch (error) {
      return storeAway(context.log, error, 'whether a later message stands for it could not be asked');
    }
    return SUPERSEDED;
  }

  /** For as long as the attempt may take; taken again if it was lost meanwhile and nobody has it. */
  private async hold({ key }: UniqueMark, messageId: string, context: Attempt): Promise<void> {
    const { unique } = this.options.stores;
    const { work } = context;
    const { lease } = work;
    const forMs = lease?.forMs ?? longestAttemptMs(context.handler, this.options.timeoutGraceMs);
    // Attempts that follow each other at once have one lease.
    this.renewNoMore(work);
    if (lease)
      this.renewed.set(
        work,
        lease.onRenewal((nextMs) => unique.extend(key, messageId, nextMs)),
      );
    try {
      const holder = await unique.acquire(key, messageId, forMs);
      if (holder !== undefined)
        context.log.warn(
          { holder },
          'a unique message has waited longer than its key was kept: another has it by now, and both are handled',
        );
    } catch (error) {
      context.log.warn({ error }, UNRECORDED);
    }
  }

  private release({ key }: UniqueMark, messageId: string, work: Work): Promise<void> {
    return this.record(() => this.options.stores.unique.release(key, messageId), work);
  }

  private keep({ key, number }: UniqueMark, ms: number, work: Work): Promise<void> {
    const { unique } = this.options.stores;
    if (number !== undefined) return this.record(() => unique.advance(key, number, ms), work);
    return this.record(() => unique.extend(key, work.received.messageId as string, ms), work);
  }

  private renewNoMore(work: Work): void {
    this.renewed.get(work)?.();
    this.renewed.delete(work);
  }

  private async record(store: () => Promise<unknown>, work: Work): Promise<void> {
    this.renewNoMore(work);
    const { received, match } = work;
    try {
      await store();
    } catch (error) {
      const { delivery, messageId, routingKey } = received;
      const about = { queue: delivery.queue, handler: match?.handler.name, routingKey, messageId };
      this.options.log.warn({ ...about, error }, UNRECORDED);
    }
  }
}

const UNRECORDED = "a unique message's key could not be kept or given back: it ends when its time is over";
