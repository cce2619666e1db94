import { PublishManyError, type PublishManyFailure } from '../errors.js';
import { likenessOf } from '../features/pack/packer.js';
import type { PublishManyOptions } from '../message/publish-options.js';
import type { Published, PublishedMany } from '../message/published.js';
import { isOneLine, LINE_END_BYTES, packItemId } from '../message/wire/pack.js';
import type { BodyEncoding, PublishCall } from '../pipeline/publish-call.js';
import { HELD_AT_MOST_MS, type PublishOne, type WrapEach } from '../pipeline/sender.js';
import type { Clock } from '../util/clock.js';
import { type Deferred, deferred } from '../util/deferred.js';

/** A payload that is checked and serialized. */
export interface ManyItem {
  readonly call: PublishCall;
  readonly body: Buffer;
}

export interface PublishManyParts {
  readonly routingKey: string;
  /** Maximum number of payloads in one message. */
  readonly pack: number;
  /** Maximum size of one message's payloads, in bytes. */
  readonly packBytes: number;
  /** Publish middleware that each payload passes; undefined if there is none. */
  readonly wrap: WrapEach | undefined;
  readonly clock: Clock;
  /** Checks and serializes a payload. @param options options of this one, if middleware has changed them */
  prepare(
    payload: unknown,
    options?: PublishManyOptions,
    encoding?: BodyEncoding | undefined,
  ): Promise<ManyItem>;
  /** Publishes some payloads in one message; resolves with its confirm. */
  send(items: readonly ManyItem[]): Promise<Published>;
}

/** Maximum number of unconfirmed messages: enough to keep the broker busy, and the bound on memory. */
const IN_FLIGHT = 1_000;
/** Maximum number of unconfirmed packs. */
const PACKS_IN_FLIGHT = 50;

/** A payload on its way. */
interface Item extends ManyItem {
  /** Index in the call. */
  readonly index: number;
  /** Result for the middleware; undefined without any. */
  readonly result: Deferred<Published> | undefined;
}

/**
 * Publishes all payloads, packed or one by one. It takes payloads from the iterable only as fast as they can
 * be sent.
 *
 * @throws PublishManyError once all have ended, if some failed
 */
export function publishMany(
  payloads: Iterable<unknown> | AsyncIterable<unknown>,
  parts: PublishManyParts,
): Promise<PublishedMany> {
  return new ManyPublish(parts).run(payloads);
}

class ManyPublish {
  private readonly failures: PublishManyFailure[] = [];
  /** Number of unconfirmed messages. */
  private underWay = 0;
  /** Number of payloads whose middleware has not ended. */
  private wrapped = 0;
  /** Resolves when one of either has ended. */
  private room = deferred();
  /** The pack that more payloads fit into. */
  private open: Item[] = [];
  private openBytes = 0;
  private readonly limit: number;

  constructor(private readonly parts: PublishManyParts) {
    this.limit = parts.pack > 1 ? PACKS_IN_FLIGHT : IN_FLIGHT;
  }

  async run(payloads: Iterable<unknown> | AsyncIterable<unknown>): Promise<PublishedMany> {
    const { wrap, routingKey } = this.parts;
    let count = 0;
    try {
      for await (const payload of payloads) {
        await (wrap ? this.takeThrough(wrap, payload, count) : this.take(payload, count));
        count += 1;
      }
    } catch (error) {
      // The source has failed: what is held for others is not sent.
      this.fail(this.open, error as Error);
      throw error;
    }
    await this.close();
    while (this.underWay > 0 || this.wrapped > 0) await this.room.promise;
    if (this.failures.length > 0) throw new PublishManyError(routingKey, count, this.failures);
    return { count, confirmed: true };
  }

  private async take(payload: unknown, index: number): Promise<void> {
    let item: ManyItem;
    try {
      item = await this.parts.prepare(payload);
    } catch (error) {
      this.failures.push({ index, error: error as Error });
      return;
    }
    await this.add({ ...item, index, result: undefined });
  }

  /** Resolves once the middleware has let the payload go on, or has ended without that. */
  private async takeThrough(wrap: WrapEach, payload: unknown, index: number): Promise<void> {
    const taken = deferred();
    let adding: Promise<void> | undefined;
    const publish: PublishOne = async (...changed) => {
      const result = deferred<Published>();
      adding = this.parts.prepare(...changed).then((item) => this.add({ ...item, index, result }));
      await adding;
      taken.resolve();
      return result.promise;
    };
    this.wrapped += 1;
    const ended = () => {
      this.wrapped -= 1;
      taken.resolve();
      this.makeRoom();
    };
    wrap(payload, publish)
      .catch((error: Error) => void this.failures.push({ index, error }))
      // Middleware may end without waiting for `next()`.
      .then(() => adding)
      .then(ended, ended);
    const { clock } = this.parts;
    const timer = this.open.length > 0 ? clock.setTimer(() => void this.close(), HELD_AT_MOST_MS) : undefined;
    await taken.promise;
    timer?.cancel();
  }

  private async add(item: Item): Promise<void> {
    const { pack, packBytes } = this.parts;
    const { body, call } = item;
    if (pack === 1 || call.encoding || !isOneLine(body)) return this.send([item]);
    const more = body.length + LINE_END_BYTES;
    if (this.openBytes + more > packBytes || !this.isLikeOpen(call)) await this.close();
    this.open.push(item);
    this.openBytes += more;
    if (this.open.length >= pack) await this.close();
  }

  /** Only middleware makes payloads of one call differ in more than their bodies. */
  private isLikeOpen(call: PublishCall): boolean {
    const [first] = this.open;
    if (first === undefined || first.call === call) return true;
    const likeness = likenessInOneCall(call);
    return likeness !== undefined && likeness === likenessInOneCall(first.call);
  }

  private async close(): Promise<void> {
    const items = this.open;
    this.open = [];
    this.openBytes = 0;
    if (items.length > 0) await this.send(items);
  }

  /** Resolves once there is room for the message. */
  private async send(items: readonly Item[]): Promise<void> {
    while (this.underWay >= this.limit) await this.room.promise;
    this.underWay += 1;
    const ended = () => {
      this.underWay -= 1;
      this.makeRoom();
    };
    this.sent(items)
      .then(
        (published) => confirm(items, published),
        (error: Error) => this.fail(items, error),
      )
      .then(ended, ended);
  }

  private async sent(items: readonly Item[]): Promise<Published> {
    return this.parts.send(items);
  }

  private fail(items: readonly Item[], error: Error): void {
    for (const { index, result } of items) {
      // The middleware decides whether it is a failure.
      if (result) result.reject(error);
      else this.failures.push({ index, error });
    }
  }

  private makeRoom(): void {
    this.room.resolve();
    this.room = deferred();
  }
}

/** All payloads of one call are due at the same time. */
function likenessInOneCall(call: PublishCall): string | undefined {
  const { delay: _, at: __, ...options } = call.options;
  return likenessOf({ ...call, options });
}

function confirm(items: readonly Item[], published: Published): void {
  for (const [position, { result }] of items.entries()) {
    if (!result) return;
    const { messageId } = published;
    result.resolve(
      items.length === 1 ? published : { ...published, messageId: packItemId(messageId, position) },
    );
  }
}
