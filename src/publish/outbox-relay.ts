import { PublishRejectedError } from '../errors.js';
import type { BusEvents } from '../events.js';
import { decodeOutboxMessage, type OutboxMessage } from '../message/outbox-message.js';
import type { OutboxListening, OutboxStore, RelayedEntries, TakenEntry } from '../stores/outbox.js';
import { Backoff } from '../util/backoff.js';
import { type Clock, pause } from '../util/clock.js';
import type { Emitter } from '../util/emitter.js';
import type { Logger } from '../util/logger.js';
import type { Steps } from './steps.js';
import { isFinal } from './unsendable.js';

export interface OutboxRelayOptions {
  readonly service: string;
  readonly outbox: OutboxStore;
  readonly steps: Pick<Steps, 'deliver'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: Emitter<BusEvents>;
}

/** In one transaction: their rows are locked until all of them are confirmed. */
const AT_ONCE = 200;
/** Or as many as are so large together, with one that crosses it: all of them are held in memory. */
const BYTES_AT_ONCE = 33_554_432;
/**
 * For one publish: what is taken with it is removed after it, and what is added meanwhile waits. Above the 5 s for which a message is
 * nacked until that is its refusal. A confirm that comes later is not heard: the message is published again.
 */
const PUBLISH_WITHIN_MS = 6_000;
/** From then on a round publishes nothing more of a key, of which each waits for the one before. */
const ROUND_MS = 5_000;
/** For whoever can't be woken: through a pool of connections that hands out one for each transaction. */
const LOOK_EVERY_MS = 1_000;
/** While the database or the broker is away, and nothing is added. */
const AWAY = { firstMs: 500, maxMs: 30_000 };
/** What is added ends a pause that is longer. */
const AWAY_LEAST_MS = 500;
/** What the broker refuses may be right later: a queue that is not declared yet. */
const REFUSED_FIRST_MS = 1_000;
const REFUSED_MAX_MS = 300_000;

/**
 * Publishes what transactions have left in an outbox, and then removes it: take → publish → confirm → remove → commit. Dying
 * between the confirm and the commit publishes it again, with the same messageId. Several may run beside each other.
 */
export class OutboxRelay {
  private readonly ending = new AbortController();
  private readonly away = new Backoff(AWAY);
  private running: Promise<void> | undefined;
  private listening: OutboxListening | undefined;
  /** Something was added since the last round began. */
  private isWoken = false;
  private wake = () => {};

  constructor(private readonly options: OutboxRelayOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Takes nothing more; resolves when what it has taken is published, or can't be. */
  async stop(): Promise<void> {
    this.ending.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, log, service } = this.options;
    const { signal } = this.ending;
    while (!signal.aborted) {
      this.isWoken = false;
      try {
        const areMore = await this.round();
        this.away.reset();
        if (areMore) continue;
        await this.listen();
        await this.wokenWithin(LOOK_EVERY_MS);
      } catch (error) {
        const pauseMs = this.away.next();
        log.warn({ service, pauseMs, error }, 'the outbox cannot be relayed: what is in it waits');
        // Also what is added now may be what can be published.
        await this.listen().catch(() => {});
        const leastMs = Math.min(pauseMs, AWAY_LEAST_MS);
        await pause(clock, leastMs, signal).catch(() => {});
        await this.wokenWithin(pauseMs - leastMs);
      }
    }
    this.listening?.end();
  }

  /**
   * @returns whether it has left some that could be taken
   * @throws what keeps all of them from being published, after those that were are removed
   */
  private async round(): Promise<boolean> {
    const round = new Round(this.options);
    const { outbox } = this.options;
    const taken = await outbox.relay(AT_ONCE, (entries) => round.publish(entries), BYTES_AT_ONCE);
    if (round.trouble) throw round.trouble.error;
    return taken === AT_ONCE || round.hasLeftSome;
  }

  /** Until something is added, or for so long. */
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
    this.listening = await this.options.outbox.listen(() => {
      this.isWoken = true;
      this.wake();
    });
    // What was added before it began to listen.
    this.isWoken = true;
  }
}

/** What has been taken at once. */
class Round {
  /** Why nothing can be published just now. */
  trouble: { readonly error: Error } | undefined;
  /** There was no time, or no room, for more. */
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
      // Where others get through it is its own trouble, or that of its queue: they must not wait for it.
      if (published.length > 0 || isAnswer(error)) this.refuse(entry, error);
      else this.trouble ??= { error };
    }
    const lagMs = Math.max(...entries.map(({ waitedMs }) => waitedMs));
    const { service, events } = this.options;
    events.emit('outbox.relayed', { service, published: published.length, refused: refused.length, lagMs });
    return this.relayed;
  }

  /** Each once the one before it is confirmed; none after one that is not. */
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

/** It is about this message: nothing that keeps all of them back. */
const isAnswer = (error: Error): boolean =>
  isFinal(error) || error instanceof PublishRejectedError || error instanceof UnreadableError;

function messageOf({ message }: TakenEntry): OutboxMessage {
  try {
    return decodeOutboxMessage(message);
  } catch (cause) {
    throw new UnreadableError(`it can't be read: ${(cause as Error).message}`, { cause });
  }
}

/** One list for each order key, and one for each entry without. */
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
