import { AsyncResource } from 'node:async_hooks';
import type { PackSettings } from '../message/define-message.js';
import { isOneLine, LINE_END_BYTES, packItemId } from '../message/pack.js';
import type { Published } from '../message/published.js';
import type { PublishOptions } from '../message/publisher.js';
import type { Clock, Timer } from '../util/clock.js';
import { type Deferred, deferred } from '../util/deferred.js';
import type { PublishCall } from './compose-message.js';

/**
 * A pack is full with this many bytes, however few its payloads are: larger ones save the broker nothing more, and come
 * back whole after a crash.
 */
const PACK_BYTES = 1024 * 1024;

/** @param maxBodyBytes what a body may have: consumers refuse a larger one whole */
export const packBytes = (maxBodyBytes: number): number => Math.min(PACK_BYTES, maxBodyBytes);

/** Some payloads of calls that differ in nothing else. */
interface Group {
  readonly call: PublishCall;
  /** Of the first of them: a pack is one message, and can be published in one async context only. */
  readonly context: AsyncResource;
  readonly bodies: Buffer[];
  readonly sent: Deferred<Published>;
  readonly timer: Timer;
  bytes: number;
}

/**
 * Gathers single publishes into packs. What goes into one pack is alike in all but its payload; one confirm answers all.
 */
export class Packer {
  private readonly groups = new Map<string, Group>();

  /**
   * @param maxBytes of one pack
   * @param send publishes a pack; resolves with its confirm
   */
  constructor(
    private readonly clock: Clock,
    private readonly maxBytes: number,
    private readonly send: (call: PublishCall, bodies: readonly Buffer[]) => Promise<Published>,
  ) {}

  /** Undefined if this one can't share a pack. Else resolves with the confirm of the pack it went in. */
  add(call: PublishCall, body: Buffer, { max, withinMs }: PackSettings): Promise<Published> | undefined {
    const alike = likenessOf(call);
    if (alike === undefined || !isOneLine(body)) return undefined;
    const open = this.groups.get(alike);
    const bytes = body.length + LINE_END_BYTES;
    if (open && open.bytes + bytes > this.maxBytes) this.close(alike, open);
    const group = this.groups.get(alike) ?? this.open(alike, call, withinMs);
    const place = group.bodies.push(body) - 1;
    group.bytes += bytes;
    if (group.bodies.length >= max || group.bytes >= this.maxBytes) this.close(alike, group);
    // One of its own, so that a publish that nobody awaits is told of as such.
    return group.sent.promise.then((pack) => itemOf(pack, place, group.bodies.length));
  }

  /** Sends what is gathered, now. */
  flush(): void {
    for (const [alike, group] of this.groups) this.close(alike, group);
  }

  private open(alike: string, call: PublishCall, withinMs: number): Group {
    const timer = this.clock.setTimer(() => {
      const group = this.groups.get(alike);
      if (group) this.close(alike, group);
    }, withinMs);
    const context = new AsyncResource('HOPLINE_PACK');
    const group: Group = { call, context, bodies: [], sent: deferred<Published>(), timer, bytes: 0 };
    this.groups.set(alike, group);
    return group;
  }

  private close(alike: string, { call, context, bodies, sent, timer }: Group): void {
    timer.cancel();
    this.groups.delete(alike);
    context.runInAsyncScope(this.send, undefined, call, bodies).then(sent.resolve, sent.reject);
  }
}

/** A pack of one is a message like any other. */
const itemOf = (pack: Published, place: number, count: number): Published =>
  count === 1 ? pack : { ...pack, messageId: packItemId(pack.messageId, place) };

/** What makes a message another one than its neighbour in a pack. */
const ALONE = ['messageId', 'delay', 'at'] as const satisfies readonly (keyof PublishOptions)[];

/** The same text for calls that may share a pack; undefined for one that goes alone. */
function likenessOf({ routingKey, exchange, mustRoute, type, options }: PublishCall): string | undefined {
  if (ALONE.some((name) => options[name] !== undefined)) return undefined;
  const { headers, ...rest } = options;
  // A Date and its text, or bytes and theirs, would look alike.
  if (headers && Object.values(headers).some((value) => typeof value === 'object' && value !== null))
    return undefined;
  return JSON.stringify([routingKey, exchange.name, mustRoute, type, headers, rest]);
}
