import { AsyncResource } from 'node:async_hooks';
import type { PackSettings } from '../../message/define-message.js';
import type { PublishOptions } from '../../message/publish-options.js';
import type { Published } from '../../message/published.js';
import { isOneLine, LINE_END_BYTES, packItemId } from '../../message/wire/pack.js';
import type { PublishCall } from '../../pipeline/publish-call.js';
import type { Gathering, PublishFeature } from '../../pipeline/publish-stage.js';
import type { Clock, Timer } from '../../util/clock.js';
import { type Deferred, deferred } from '../../util/deferred.js';

/**
 * Size in bytes at which a pack is full, however few its payloads are: larger packs save the broker nothing
 * more, and come back whole after a crash.
 */
const PACK_BYTES = 1024 * 1024;

/**
 * The size at which a pack is full.
 *
 * @param maxBodyBytes maximum size of a body: consumers refuse a larger one whole
 */
export const packBytes = (maxBodyBytes: number): number => Math.min(PACK_BYTES, maxBodyBytes);

/** Payloads of calls that are equal in everything else. */
interface Group {
  readonly call: PublishCall;
  /**
   * Async context of the first call: a pack is one message, and can be published in one async context only.
   */
  readonly context: AsyncResource;
  readonly bodies: Buffer[];
  readonly sent: Deferred<Published>;
  readonly timer: Timer;
  bytes: number;
}

/**
 * Gathers single publishes into packs. The calls of one pack are equal in all but their payload; one confirm
 * answers all of them.
 */
export class Packer {
  private readonly groups = new Map<string, Group>();

  /**
   * @param maxBytes size at which a pack is full
   * @param send publishes a pack; resolves with its confirm
   */
  constructor(
    private readonly clock: Clock,
    private readonly maxBytes: number,
    private readonly send: (call: PublishCall, bodies: readonly Buffer[]) => Promise<Published>,
  ) {}

  /** The stage of single publishes whose definition has them packed: what each message does alone keeps it out. */
  get feature(): PublishFeature<Gathering> {
    return {
      asks: ({ pack, encrypted, encoding, unique }) =>
        pack !== undefined && !encrypted && !encoding && unique === undefined,
      stage: (next) => (call, body) => this.add(call, body, call.pack as PackSettings) ?? next(call, body),
    };
  }

  /**
   * Adds a publish to a pack; resolves with the pack's confirm. Undefined if this call can't share a pack.
   */
  private add(
    call: PublishCall,
    body: Buffer,
    { max, withinMs }: PackSettings,
  ): Promise<Published> | undefined {
    const alike = likenessOf(call);
    if (alike === undefined || !isOneLine(body)) return undefined;
    const open = this.groups.get(alike);
    const bytes = body.length + LINE_END_BYTES;
    if (open && open.bytes + bytes > this.maxBytes) this.close(alike, open);
    const group = this.groups.get(alike) ?? this.open(alike, call, withinMs);
    const position = group.bodies.push(body) - 1;
    group.bytes += bytes;
    if (group.bodies.length >= max || group.bytes >= this.maxBytes) this.close(alike, group);
    // Each call gets a promise of its own, so that a publish that nobody awaits is reported as an unhandled
    // rejection.
    return group.sent.promise.then((pack) => itemOf(pack, position, group.bodies.length));
  }

  /** Sends all gathered payloads now. */
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

/** The receipt of one payload. A pack of one is a message like any other. */
const itemOf = (pack: Published, position: number, count: number): Published =>
  count === 1 ? pack : { ...pack, messageId: packItemId(pack.messageId, position) };

/** Options that make a message differ from its neighbours in a pack. */
const ALONE = ['messageId', 'delay', 'at'] as const satisfies readonly (keyof PublishOptions)[];

/** The key of calls that may share a pack; undefined for a call that can't. */
export function likenessOf({
  routingKey,
  exchange,
  mustRoute,
  type,
  options,
}: PublishCall): string | undefined {
  if (ALONE.some((name) => options[name] !== undefined)) return undefined;
  const { headers, ...rest } = options;
  // A Date and its text, or bytes and theirs, would give the same key.
  if (headers && Object.values(headers).some((value) => typeof value === 'object' && value !== null))
    return undefined;
  return JSON.stringify([routingKey, exchange.name, mustRoute, type, headers, rest]);
}
