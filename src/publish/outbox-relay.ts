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
/** For whoever can't be woken: through a pool of connections that hands out one for each transaction. */
const LOOK_EVERY_MS = 1_000;
/** While the database or the broker is away. */
const AWAY = { firstMs: 500, maxMs: 30_000 };
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
        const taken = await this.round();
        this.away.reset();
        if (taken < AT_ONCE) await this.idle();
      } catch (error) {
        const pauseMs = this.away.next();
        log.warn({ service, pauseMs, error }, 'the outbox cannot be relayed: what is in it waits');
        await pause(clock, pauseMs, signal).catch(() => {});
      }
    }
    this.listening?.end();
  }

  /** @throws what keeps all of them from being published, after those that were are removed */
  private async round(): Promise<number> {
    let trouble: { readonly error: unknown } | undefined;
    const taken = await this.options.outbox.relay(AT_ONCE, async (entries) => {
      const round = new Round(this.options);
      await round.publish(entries);
      trouble = round.trouble;
      return round.relayed;
    });
    if (trouble) throw trouble.error;
    return taken;
  }

  /** Until something is added, or for a moment. */
  private async idle(): Promise<void> {
    await this.listen();
    const { clock } = this.options;
    if (this.isWoken || this.ending.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, LOOK_EVERY_MS);
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
  readonly relayed = { published: [] as string[], refused: [] as RelayedEntries['refused'][number][] };
  /** Why nothing can be published just now. */
  trouble: { readonly error: Error } | undefined;
  private readonly failed: { readonly entry: TakenEntry; readonly error: Error }[] = [];

  constructor(private readonly options: OutboxRelayOptions) {}

  async publish(entries: readonly TakenEntry[]): Promise<void> {
    await Promise.all(inOrder(entries).map((lane) => this.publishInOrder(lane)));
    const { published, refused } = this.relayed;
    for (const { entry, error } of this.failed) {
      // Where others get through it is its own trouble, or that of its queue: they must not wait for it.
      if (published.length > 0 || isFinal(error) || error instanceof UnreadableError)
        this.refuse(entry, error);
      else this.trouble ??= { error };
    }
    const lagMs = Math.max(...entries.map(({ waitedMs }) => waitedMs));
    const { service, events } = this.options;
    events.emit('outbox.relayed', { service, published: published.length, refused: refused.length, lagMs });
  }

  /** Each once the one before it is confirmed; none after one that is not. */
  private async publishInOrder(entries: readonly TakenEntry[]): Promise<void> {
    for (const entry of entries) {
      try {
        await this.options.steps.deliver(messageOf(entry), entry.messageId);
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
