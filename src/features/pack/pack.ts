import { HEADER } from '../../message/headers.js';
import type { Headers, MessageProperties } from '../../message/properties.js';
import type { MessageSource } from '../../message/wire/encoded-properties.js';
import { PACK_CONTENT_TYPE, packItemId, unpacked } from '../../message/wire/pack.js';
import { decodeTraces, TRACE_HEADERS } from '../../message/wire/pack-traces.js';
import { NO_EFFECTS } from '../../pipeline/effect.js';
import { COME_BACK_SOON, type Outcome } from '../../pipeline/outcome.js';
import type { Received } from '../../pipeline/received.js';
import type { Work } from '../../pipeline/work.js';
import { JSON_CONTENT_TYPE } from '../../serialization/json.js';
import type { Delivery } from '../../transport/transport.js';

/** Of one whose properties can't all be read, neither could its messages': it ends whole. */
export const isPack = ({ properties, unreadable }: Delivery): boolean =>
  properties.contentType === PACK_CONTENT_TYPE && unreadable === undefined;

/**
 * A delivery that holds many messages, and what of it is settled. It is acked when all of them are; until then a crash
 * brings it back whole, and what was handled of it is handled again.
 */
export class Pack {
  readonly items: readonly PackItem[];
  private unsettled: number;
  private settling = 0;
  private isGivenUp = false;
  /** Trace headers of each item, if they were published in different traces. */
  private readonly traces: readonly Headers[] | undefined;

  /** @throws UndecodableError if it can't be taken apart */
  constructor(readonly delivery: Delivery) {
    this.items = unpacked(delivery.body).map((body, index) => new PackItem(this, body, index));
    this.unsettled = this.items.length;
    const { headers } = delivery.properties;
    if (headers[HEADER.traces] !== undefined)
      this.traces = decodeTraces(headers[HEADER.traces], this.items.length);
  }

  /** Headers of an item: those of the pack, with its own trace. */
  headersOf(index: number): Headers {
    const { headers } = this.delivery.properties;
    if (headers[HEADER.traces] === undefined) return headers;
    const trace = this.traces?.[index];
    const own: Headers = Object.assign(Object.create(null), headers);
    // If they can't be read, all of them have the pack's.
    for (const name of [HEADER.traces, ...(trace ? TRACE_HEADERS : [])]) delete own[name];
    return Object.assign(own, trace);
  }

  /** Called for each item whose settling begins: true for the last. */
  beginsToSettle(): boolean {
    this.settling += 1;
    return this.settling === this.items.length;
  }

  /** Called for each item that is done, or that travels on alone. False if the channel is gone. */
  acked(): boolean {
    if (this.delivery.lost) return false;
    this.unsettled -= 1;
    if (this.unsettled > 0) return true;
    return this.isGivenUp ? this.delivery.reject() : this.delivery.ack();
  }

  /** Called for an item that can't travel alone: when all are settled the pack is dead-lettered whole, with what is done of it. */
  rejected(): boolean {
    this.isGivenUp = true;
    return this.acked();
  }
}

/** One message of a pack, as if it had been delivered alone. */
export class PackItem implements Delivery {
  private own: (MessageProperties & { readonly headers: Headers }) | undefined;
  isSettled = false;

  constructor(
    readonly pack: Pack,
    readonly body: Buffer,
    private readonly index: number,
  ) {}

  get messageId(): string | undefined {
    const { messageId } = this.pack.delivery.properties;
    return messageId ? packItemId(messageId, this.index) : undefined;
  }

  /** The pack's, but for its own id and the content type of its payload; made when first asked for. */
  get properties(): MessageProperties & { readonly headers: Headers } {
    if (this.own) return this.own;
    const { messageId } = this;
    this.own = {
      ...this.pack.delivery.properties,
      headers: this.pack.headersOf(this.index),
      contentType: JSON_CONTENT_TYPE,
      ...(messageId === undefined ? {} : { messageId }),
    };
    return this.own;
  }

  /** What is another in its own properties is not written as the pack's was. */
  get source(): MessageSource | undefined {
    return this.pack.delivery.source;
  }

  get exchange(): string {
    return this.pack.delivery.exchange;
  }

  get routingKey(): string {
    return this.pack.delivery.routingKey;
  }

  get queue(): string {
    return this.pack.delivery.queue;
  }

  get redelivered(): boolean {
    return this.pack.delivery.redelivered;
  }

  get deliveryCount(): number {
    return this.pack.delivery.deliveryCount;
  }

  get lost(): boolean {
    return this.pack.delivery.lost;
  }

  get window(): number {
    return this.pack.delivery.window;
  }

  get requeueIsCharged(): boolean {
    return this.pack.delivery.requeueIsCharged;
  }

  ack(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    return this.pack.acked();
  }

  /** Can't be: a pack goes back only as a whole. See {@link returned}. */
  requeue(): boolean {
    return false;
  }

  reject(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    return this.pack.rejected();
  }
}

/**
 * What the broker sees settled when this one is, to be asked once as its settling begins: itself; for the last of a pack
 * the pack, for the others nothing.
 */
export function settledWith(delivery: Delivery): Delivery | undefined {
  if (!(delivery instanceof PackItem)) return delivery;
  return delivery.pack.beginsToSettle() ? delivery.pack.delivery : undefined;
}

/** What is done of a pack must not come again: what is left of it goes back alone, as a copy. */
export function returned({ received: { delivery } }: Work, outcome: Outcome): Outcome {
  if (outcome.kind !== 'return' || !(delivery instanceof PackItem)) return outcome;
  const redelivered = outcome.hasStarted || delivery.redelivered;
  const { effects = NO_EFFECTS } = outcome;
  return { ...COME_BACK_SOON, redelivered, effects };
}

/** What a delivered pack holds, each with the counters that the pack has. */
export function receivedItems(received: Received, { items }: Pack): Received[] {
  return items.map((delivery) => ({ ...received, delivery, messageId: delivery.messageId }));
}
