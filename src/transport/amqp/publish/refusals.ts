import type { ChannelModel } from 'amqplib';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { Refusal } from '../../requests.js';
import type { ChannelError } from '../connection/channel.js';
import { missingExchanges } from '../topology/declare.js';

/** Why the broker closed the channel, and for which address, as far as its words tell. */
export interface AddressRefusal extends Refusal {
  readonly cause: ChannelError;
  readonly exchange: string | undefined;
  /** Undefined if it is the whole exchange. */
  readonly routingKey: string | undefined;
}

interface Known {
  readonly refusal: AddressRefusal;
  /** Moment of `performance.now()` from which a request may go there, or somebody looks. */
  until: number;
  pauseMs: number;
  isLooking: boolean;
}

export interface RefusalsOptions {
  model(): ChannelModel | undefined;
  /** Called when what was held may be written, or is refused. */
  onLooked(): void;
}

/* The broker's words. */
const ADDRESS = /(?:topic '([^']*)' in )?exchange '([^']*)'/;
const SIZE = /message size (\d+)/;

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** After this time without a refusal an address begins anew with the first pause. */
const FORGOTTEN_AFTER_MS = 60_000;
const MOST_KNOWN = 1_000;
const ANSWER_DEADLINE_MS = 5_000;

/**
 * Addresses that refuse requests. Each refusal costs the channel, and with it the replies that others wait for, so it is told here
 * for a time that grows. An exchange that is gone is looked for, on a channel of its own, before a request may go there again.
 */
export class Refusals {
  private readonly known = new Map<string, Known>();

  constructor(private readonly options: RefusalsOptions) {}

  add(refusal: AddressRefusal): void {
    const { exchange, routingKey } = refusal;
    if (exchange === undefined) return;
    const { known } = this;
    const key = keyOf(exchange, routingKey);
    const before = known.get(key);
    known.delete(key);
    const isNew = !before || performance.now() > before.until + FORGOTTEN_AFTER_MS;
    const one = { refusal, until: 0, pauseMs: isNew ? 0 : before.pauseMs, isLooking: false };
    pause(one);
    known.set(key, one);
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size > MOST_KNOWN) known.delete(oldest);
  }

  /** The exchange was declared again. */
  mended(exchange: string): void {
    this.known.delete(exchange);
  }

  /** What refuses requests to this address; `held` while somebody looks; undefined if nothing is known to. */
  of(exchange: string, routingKey: string): Refusal | 'held' | undefined {
    if (this.known.size === 0) return undefined;
    return this.at(exchange) ?? this.at(keyOf(exchange, routingKey));
  }

  private at(key: string): Refusal | 'held' | undefined {
    const one = this.known.get(key);
    if (!one) return undefined;
    if (performance.now() < one.until) return one.refusal;
    // Whether the user has the right is told by a publish alone.
    if (!one.refusal.isGone) return undefined;
    if (!one.isLooking) void this.look(key, one);
    return 'held';
  }

  private async look(exchange: string, one: Known): Promise<void> {
    one.isLooking = true;
    const isGone = await isMissing(this.options.model(), exchange);
    one.isLooking = false;
    if (isGone) pause(one);
    else if (this.known.get(exchange) === one) this.known.delete(exchange);
    this.options.onLooked();
  }
}

/** `unnamed` if it was a request, and the broker does not say which; undefined if the broker has refused nothing. */
export function refusalOf(cause: ChannelError): AddressRefusal | 'unnamed' | undefined {
  const { code, message } = cause;
  if (code === undefined) return undefined;
  const [, routingKey, exchange] = ADDRESS.exec(message) ?? [];
  if (exchange !== undefined && (code === 404 || code === 403))
    return {
      ...{ cause, exchange, routingKey, isGone: code === 404 },
      help: `Give the user permission to write to '${exchange}', and to this routing key if it has topic permissions there.`,
      concerns: (request) =>
        request.exchange === exchange && (routingKey === undefined || request.routingKey === routingKey),
    };
  const [, size] = SIZE.exec(message) ?? [];
  if (size === undefined) return 'unnamed';
  return {
    ...{ cause, exchange: undefined, routingKey: undefined, isGone: false },
    help: "Ask for less at once, or raise the broker's max_message_size.",
    concerns: (request) => request.bodyBytes === Number(size),
  };
}

/** The refusal of the one request that was on its way. */
export function refusalOfOne(cause: ChannelError, id: string): Refusal {
  const help = "Correct what the broker's words name: the request, or the user's rights.";
  return { cause, isGone: false, help, concerns: (request) => request.id === id };
}

const keyOf = (exchange: string, routingKey: string | undefined) =>
  routingKey === undefined ? exchange : `${exchange}\0${routingKey}`;

function pause(one: Known): void {
  one.pauseMs = Math.min(LONGEST_PAUSE_MS, one.pauseMs * 2 || FIRST_PAUSE_MS);
  one.until = performance.now() + one.pauseMs;
}

/** True if the broker says so. Whatever else keeps it from answering, a request tells as well. */
async function isMissing(model: ChannelModel | undefined, exchange: string): Promise<boolean> {
  if (!model) return false;
  const deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS);
  const asked = missingExchanges(model, { exchanges: [{ name: exchange, type: 'topic' }] });
  return (await deadline.race(asked, () => new Error('late')).catch(() => [])).length > 0;
}
