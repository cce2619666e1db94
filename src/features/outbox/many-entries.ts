import type { PublishManyFailure } from '../../errors.js';
import type { PublishManyOptions } from '../../message/publish-options.js';
import type { Published } from '../../message/published.js';
import type { BodyEncoding } from '../../pipeline/publish-call.js';
import { HELD_AT_MOST_MS, type PublishOne, type WrapEach } from '../../pipeline/sender.js';
import type { OutboxEntry } from '../../stores/outbox.js';
import type { Clock } from '../../util/clock.js';
import { type Deferred, deferred } from '../../util/deferred.js';

/** Maximum number of entries in one statement. */
const ENTRIES_AT_ONCE = 500;
/** Maximum length of one statement's entries together, in characters: bodies may be large. */
const LENGTH_AT_ONCE = 4_194_304;

/** Composes the entry of a payload. @param options options of this one, if middleware has changed them */
export type ComposeEntry = (
  payload: unknown,
  options?: PublishManyOptions,
  encoding?: BodyEncoding,
) => Promise<OutboxEntry>;

/** Adds the entries of many payloads in few statements. */
export class ManyEntries {
  private readonly failures: PublishManyFailure[] = [];
  private entries: OutboxEntry[] = [];
  private length = 0;
  /** Results for the middleware of the payloads whose entries are not added yet. */
  private results: Deferred<Published>[] = [];
  private readonly wrapped: Promise<unknown>[] = [];
  /** The flush of entries that were held for too long. */
  private flushing: Promise<void> | undefined;

  constructor(
    private readonly add: (entries: readonly OutboxEntry[]) => Promise<void>,
    private readonly wrap: WrapEach | undefined,
    private readonly compose: ComposeEntry,
    private readonly receiptOf: (messageId: string) => Published,
    private readonly clock: Clock,
  ) {}

  /** @throws the error of a statement: the transaction is over then */
  async addAll(
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
  ): Promise<{ count: number; failures: PublishManyFailure[] }> {
    let count = 0;
    try {
      for await (const payload of payloads) {
        await (this.wrap ? this.takeThrough(this.wrap, payload, count) : this.take(payload, count));
        count += 1;
        if (this.entries.length === ENTRIES_AT_ONCE || this.length >= LENGTH_AT_ONCE) await this.flush();
      }
    } catch (error) {
      for (const result of this.results) result.reject(error);
      throw error;
    }
    if (this.entries.length > 0) await this.flush();
    await Promise.all(this.wrapped);
    return { count, failures: this.failures };
  }

  private async take(payload: unknown, index: number): Promise<void> {
    try {
      this.push(await this.compose(payload));
    } catch (error) {
      this.failures.push({ index, error: error as Error });
    }
  }

  /** Resolves once the middleware has let the payload go on, or has ended without that. */
  private async takeThrough(wrap: WrapEach, payload: unknown, index: number): Promise<void> {
    const taken = deferred();
    let composing: Promise<OutboxEntry> | undefined;
    const publish: PublishOne = async (...changed) => {
      composing = this.compose(...changed);
      this.push(await composing);
      const result = deferred<Published>();
      this.results.push(result);
      taken.resolve();
      return result.promise;
    };
    const ended = wrap(payload, publish)
      .catch((error: Error) => void this.failures.push({ index, error }))
      // Middleware may end without waiting for `next()`.
      .then(() => composing)
      .then(taken.resolve as () => void, taken.resolve as () => void);
    this.wrapped.push(ended);
    const timer =
      this.entries.length > 0 ? this.clock.setTimer(() => this.flushEarly(), HELD_AT_MOST_MS) : undefined;
    await taken.promise;
    timer?.cancel();
    await this.flushing;
  }

  /** Its error is that of the call, which waits for it. */
  private flushEarly(): void {
    this.flushing = this.flush();
    this.flushing.catch(() => {});
  }

  private push(entry: OutboxEntry): void {
    this.length += entry.message.length;
    this.entries.push(entry);
  }

  private async flush(): Promise<void> {
    const { entries, results } = this;
    this.entries = [];
    this.results = [];
    this.length = 0;
    try {
      await this.add(entries);
    } catch (error) {
      for (const result of results) result.reject(error);
      throw error;
    }
    for (const [index, result] of results.entries()) {
      const { messageId } = entries[index] as OutboxEntry;
      result.resolve(this.receiptOf(messageId));
    }
  }
}
