import { PublishRejectedError } from '../../errors.js';
import type { BusEvents } from '../../events.js';
import { decodeOutboxMessage, type OutboxMessage } from '../../message/wire/outbox-message.js';
import { isFinal } from '../../pipeline/errors/final-errors.js';
import type { OutboxListening, OutboxStore, RelayedEntries, TakenEntry } from '../../stores/outbox.js';
import { Backoff } from '../../util/backoff.js';
import { type Clock, pause } from '../../util/clock.js';
import type { Emitter } from '../../util/emitter.js';
import type { Logger } from '../../util/logger.js';
import type { ChainSender } from '../chain/sender.js';

export interface OutboxRelayOptions {
  readonly service: string;
  readonly outbox: OutboxStore;
  readonly steps: Pick<ChainSender, 'deliver'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: Emitter<BusEvents>;
}

/** Maximum number of entries in one transaction: their rows are locked until all of them are confirmed. */
const AT_ONCE = 200;
/** Maximum total size of these entries, plus the one that crosses it: all of them are held in memory. */
const BYTES_AT_ONCE = 33_554_432;
/**
 * Deadline of one publish: the other entries of the transaction are removed only after it, and added ones
 * wait meanwhile. It is longer than the 5 s after which repeated nacks count as the message's refusal. A
 * later confirm is lost: the message is published again.
 */
const PUBLISH_WITHIN_MS = 6_000;
/**
 * Duration after which a round starts no further publish of an order key, whose entries wait for each other.
 */
const ROUND_MS = 5_000;
/**
 * Interval of looks for new entries, for a relay that can't be woken: through a pool of connections that
 * gives one out per transaction.
 */
const LOOK_EVERY_MS = 1_000;
/**
 * Pauses before it looks again while entries come, when it need not be woken for them: first, and the one from which on it wants to be woken
 * instead. Waking costs whoever adds entries more than looks cost.
 */
const AWAKE = { firstMs: 25, mostMs: 200 };
/** Pauses while the database or the broker is away, and nothing is added. */
const AWAY = { firstMs: 500, maxMs: 30_000 };
/** Minimum pause; a new entry ends a longer one. */
const AWAY_LEAST_MS = 500;
/**
 * Pauses before a refused message is tried again. The broker may take it later: its queue may not be declared
 * yet.
 */
const REFUSED_FIRST_MS = 1_000;
const REFUSED_MAX_MS = 300_000;

/**
 * Publishes the entries that transactions have left in an outbox, and then removes them: take → publish →
 * confirm → remove → commit. If the process dies between the confirm and the commit, the message is published
 * again, with the same messageId. Several relays may run beside each other.
 */
export class OutboxRelay {
  private readonly ending = new AbortController();
  private readonly away = new Backoff(AWAY);
  private running: Promise<void> | undefined;
  private listening: OutboxListening | undefined;
  /** True if an entry was added since the last round began. */
  private isWoken = false;
  /** True while entries that are added wake it. */
  private isResting = false;
  private awakeMs = AWAKE.mostMs;
  private wake = () => {};

  constructor(private readonly options: OutboxRelayOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Takes no further entries; resolves when those that are taken are published, or have failed. */
  async stop(): Promise<void> {
    this.ending.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { log, service } = this.options;
    const { signal } = this.ending;
    while (!signal.aborted) {
      this.isWoken = false;
      try {
        const { hasTaken, areMore } = await this.round();
        this.away.reset();
        if (hasTaken) await this.rise();
        if (areMore) continue;
        await this.listen();
        await this.untilNextLook();
      } catch (error) {
        const pauseMs = this.away.next();
        log.warn({ service, pauseMs, error }, 'the outbox cannot be relayed: what is in it waits');
        await this.pauseAway(pauseMs);
      }
    }
    this.listening?.end();
  }

  /**
   * Runs one transaction.
   *
   * @returns whether there were entries, and whether some may be left that could be taken
   * @throws the error that keeps all entries from being published; those that were published are removed
   * before
   */
  private async round(): Promise<{ hasTaken: boolean; areMore: boolean }> {
    const round = new Round(this.options);
    const { outbox } = this.options;
    const taken = await outbox.relay(AT_ONCE, (entries) => round.publish(entries), BYTES_AT_ONCE);
    if (round.trouble) throw round.trouble.error;
    return { hasTaken: taken > 0, areMore: taken === AT_ONCE || round.hasLeftSome };
  }

  private async untilNextLook(): Promise<void> {
    if (!this.isResting && this.awakeMs < AWAKE.mostMs) {
      await this.wokenWithin(this.awakeMs);
      this.awakeMs *= 2;
    } else {
      await this.wokenWithin((await this.rest()) ? LOOK_EVERY_MS : AWAKE.mostMs);
    }
  }

  /** Ends early when an entry is added, which may be one that can be published, when none would be noticed, and when the database is back. */
  private async pauseAway(pauseMs: number): Promise<void> {
    const { clock } = this.options;
    const { signal } = this.ending;
    const endsAt = clock.monotonic() + pauseMs;
    await pause(clock, Math.min(pauseMs, AWAY_LEAST_MS), signal).catch(() => {});
    for (;;) {
      const leftMs = endsAt - clock.monotonic();
      if (leftMs <= 0 || this.isWoken || signal.aborted) return;
      const wouldNotice = await this.rest().catch(() => !this.listening?.isOn);
      await this.wokenWithin(Math.min(leftMs, LOOK_EVERY_MS));
      if (!wouldNotice) return;
    }
  }

  /** Whether entries that are added wake it. Asked also while it rests: by another relay's lock, which may be gone. */
  private async rest(): Promise<boolean> {
    await this.listen();
    const wasResting = this.isResting;
    this.isResting = (await this.listening?.rest()) === true;
    // It looks once more, for what was added just before.
    if (this.isResting && !wasResting) this.isWoken = true;
    return this.isResting;
  }

  private async rise(): Promise<void> {
    this.awakeMs = AWAKE.firstMs;
    if (!this.isResting) return;
    this.isResting = false;
    const { listening } = this;
    // Without its connection it rests no longer either.
    if (listening?.isOn) await listening.rise().catch(() => listening.end());
  }

  /** Waits until an entry is added, or for `ms`. */
  private async wokenWithin(ms: number): Promise<void> {
    const { clock } = this.options;
    if (this.isWoken || this.ending.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, ms);
      this.wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  private async listen(): Promise<void> {
    if (this.listening?.isOn) return;
    this.isResting = false;
    this.listening = await this.options.outbox.listen(() => {
      this.isWoken = true;
      this.wake();
    });
    // Entries may have been added before listening began.
    this.isWoken = true;
  }
}

/** One transaction's entries, and what became of them. */
class Round {
  /** The error that keeps all entries from being published now. */
  trouble: { readonly error: Error } | undefined;
  /** True if entries are left for lack of time or room. */
  hasLeftSome = false;
  private readonly relayed = {
    published: [] as string[],
    refused: [] as RelayedEntries['refused'][number][],
  };
  private readonly failed: { readonly entry: TakenEntry; readonly error: Error }[] = [];

  constructor(private readonly options: OutboxRelayOptions) {}

  async publish(entries: readonly TakenEntry[]): Promise<RelayedEntries> {
    const bytes = entries.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);
    this.hasLeftSome = bytes >= BYTES_AT_ONCE;
    const endsAt = this.options.clock.monotonic() + ROUND_MS;
    await Promise.all(inOrder(entries).map((lane) => this.publishInOrder(lane, endsAt)));
    const { published, refused } = this.relayed;
    for (const { entry, error } of this.failed) {
      // The error concerns this message or its queue alone, since others get through: they must not wait for
      // it.
      if (published.length > 0 || isAnswer(error)) this.refuse(entry, error);
      else this.trouble ??= { error };
    }
    const lagMs = Math.max(...entries.map(({ waitedMs }) => waitedMs));
    const { service, events } = this.options;
    events.emit('outbox.relayed', { service, published: published.length, refused: refused.length, lagMs });
    return this.relayed;
  }

  /**
   * Publishes each entry once the one before it is confirmed; none after one that has failed. Several on their way together would be faster, and
   * out of order as soon as the broker refuses one of them for a moment, as it does while a queue has no leader: it takes those behind it.
   */
  private async publishInOrder(entries: readonly TakenEntry[], endsAt: number): Promise<void> {
    const { clock, steps } = this.options;
    for (const entry of entries) {
      if (clock.monotonic() >= endsAt) {
        this.hasLeftSome = true;
        return;
      }
      try {
        await steps.deliver({ ...messageOf(entry), deadlineMs: PUBLISH_WITHIN_MS }, entry.messageId);
        this.relayed.published.push(entry.id);
      } catch (error) {
        this.failed.push({ entry, error: error as Error });
        return;
      }
    }
  }

  private refuse(entry: TakenEntry, error: Error): void {
    const againMs = Math.min(REFUSED_MAX_MS, REFUSED_FIRST_MS * 2 ** entry.refusals);
    this.relayed.refused.push({ id: entry.id, error: error.message, againMs });
    const { service, events, log } = this.options;
    const { messageId, routingKey } = entry;
    log.error(
      { service, messageId, routingKey, againMs, error },
      'a message of the outbox cannot be published',
    );
    events.emit('outbox.refused', { service, routingKey, messageId, error });
  }
}

class UnreadableError extends Error {}

/** Tells whether an error concerns this message, and not all of them. */
const isAnswer = (error: Error): boolean =>
  isFinal(error) || error instanceof PublishRejectedError || error instanceof UnreadableError;

function messageOf({ message }: TakenEntry): OutboxMessage {
  try {
    return decodeOutboxMessage(message);
  } catch (cause) {
    throw new UnreadableError(`it can't be read: ${(cause as Error).message}`, { cause });
  }
}

/** Splits entries into one list per order key, and one for each entry without a key. */
function inOrder(entries: readonly TakenEntry[]): readonly (readonly TakenEntry[])[] {
  const lanes = new Map<string, TakenEntry[]>();
  for (const entry of entries) {
    const { id, orderKey } = entry;
    const name = orderKey === undefined ? `id ${id}` : `key ${orderKey}`;
    const lane = lanes.get(name);
    if (lane) lane.push(entry);
    else lanes.set(name, [entry]);
  }
  return [...lanes.values()];
}
