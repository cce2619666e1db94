import { deliveryTemplate } from './message.js';
import { Unsettled } from './unsettled.js';
import { methodFrame, uint64 } from './wire.js';

/** Deliveries of one turn to a consumer without a window, which would be handed them for ever otherwise. */
const TURN = 500;

/**
 * @typedef {object} Consumer
 * @property {{ bytes: Buffer, tagAt: number }[]} templates  handed out in turn
 * @property {number} next  which of them
 * @property {number} window  0 is without limit
 * @property {number} open  deliveries that are not settled
 * @property {boolean} noAck
 */

/** One channel: counts what is published to it, and keeps its consumers supplied. */
export class NullChannel {
  confirms = false;
  prefetch = 0;
  published = 0;
  confirmed = 0;
  /** Bytes of the message that is being published which have not arrived. */
  missingBytes = 0;
  /** @type {Map<string, Consumer>} */
  consumers = new Map();
  /** @type {Unsettled<Consumer>} */
  unsettled = new Unsettled();

  /** @param {number} number */
  constructor(number) {
    this.number = number;
  }

  /**
   * @param {string} tag
   * @param {{ exchange: string, keys: readonly string[], noAck: boolean, body: Buffer }} source
   */
  consume(tag, { exchange, keys, noAck, body }) {
    const templates = keys.map((routingKey) =>
      deliveryTemplate({ channel: this.number, consumerTag: tag, exchange, routingKey, body }),
    );
    this.consumers.set(tag, { templates, next: 0, window: this.prefetch, open: 0, noAck });
  }

  /** @param {number} tag @param {boolean} multiple */
  settle(tag, multiple) {
    return this.unsettled.settle(tag, multiple, (consumer) => {
      consumer.open -= 1;
    });
  }

  /** The confirm of all that came since the last one. */
  takeConfirm() {
    const count = this.published - this.confirmed;
    if (!this.confirms || count === 0) return undefined;
    this.confirmed = this.published;
    return methodFrame(this.number, 60, 80, uint64(this.published), Buffer.from([count > 1 ? 1 : 0]));
  }

  /** As many deliveries as the windows leave room for. */
  takeDeliveries() {
    /** @type {Buffer[]} */
    const all = [];
    for (const consumer of this.consumers.values()) {
      if (consumer.templates.length === 0) continue;
      const room = consumer.window === 0 || consumer.noAck ? TURN : consumer.window - consumer.open;
      if (room > 0) all.push(this.#deliveries(consumer, room));
    }
    return all;
  }

  /** @param {Consumer} consumer @param {number} count */
  #deliveries(consumer, count) {
    const { templates } = consumer;
    const chosen = Array.from({ length: count }, () => templates[consumer.next++ % templates.length]);
    const bytes = Buffer.allocUnsafe(chosen.reduce((sum, template) => sum + template.bytes.length, 0));
    let at = 0;
    for (const template of chosen) {
      template.bytes.copy(bytes, at);
      const tag = this.unsettled.add(consumer);
      if (consumer.noAck) this.unsettled.settle(tag, false, () => {});
      bytes.writeUInt32BE(Math.floor(tag / 2 ** 32), at + template.tagAt);
      bytes.writeUInt32BE(tag >>> 0, at + template.tagAt + 4);
      at += template.bytes.length;
    }
    if (!consumer.noAck) consumer.open += count;
    return bytes;
  }

  /** Whether some consumer takes whatever comes. */
  get isGreedy() {
    return [...this.consumers.values()].some(
      ({ templates, window, noAck }) => templates.length > 0 && (window === 0 || noAck),
    );
  }
}
