import { NotUniqueError, OutcomeUnknownError } from '../../errors.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Published } from '../../message/published.js';
import { encodeUnique, type UniqueMark, type UniqueSettings } from '../../message/unique.js';
import type { Stores } from '../../stores/stores.js';
import type { Logger } from '../../util/logger.js';
import { joined } from '../../util/text/joined.js';

/** Time for the store's own answers, beside the publish. */
const RESERVE_MS = 5_000;

export interface UniqueSendsOptions {
  readonly stores: Stores;
  readonly log: Logger;
}

/** One unique send. */
export interface UniqueCall {
  readonly settings: UniqueSettings;
  /** Value of the settings' `by` for the payload. */
  readonly key: string;
  /** Exchange without its lane: the same message in another lane is the same. */
  readonly exchange: string;
  readonly routingKey: string;
  /** Milliseconds until the message is due. */
  readonly delayMs: number;
  readonly message: OutgoingMessage;
  /** Publishes the message; resolves with the confirm. */
  publish(): Promise<Published>;
}

/** Sends unique messages. */
export class UniqueSends {
  constructor(private readonly options: UniqueSendsOptions) {}

  /**
   * Sends a message unless it is refused; resolves with the confirm.
   *
   * @throws NotUniqueError
   * @throws errors of the store; nothing was sent then
   */
  send(call: UniqueCall): Promise<Published> {
    return call.settings.keep === 'first' ? this.sendFirst(call) : this.sendLast(call);
  }

  /**
   * Takes the key for the publish's maximum duration, and keeps it once the message is confirmed, or may be.
   * If the process dies in between, the key stays taken for that duration and no longer.
   */
  private async sendFirst(call: UniqueCall): Promise<Published> {
    const { unique } = this.options.stores;
    const { settings, message, routingKey, delayMs } = call;
    const key = nameOf(call);
    const owner = message.properties.messageId as string;
    const holder = await unique.acquire(key, owner, message.deadlineMs + RESERVE_MS);
    if (holder !== undefined) throw new NotUniqueError(routingKey, call.key, holder);
    mark(call, key, undefined);
    const keep = () => unique.extend(key, owner, delayMs + settings.forMs);
    let published: Published;
    try {
      published = await call.publish();
    } catch (error) {
      const isLost = !(error instanceof OutcomeUnknownError);
      await this.tell(isLost ? () => unique.release(key, owner) : keep, call);
      throw error;
    }
    await this.tell(keep, call);
    return published;
  }

  /**
   * Takes a number before the publish, and makes it count once the message is confirmed. So an older message
   * is skipped only for one that is surely stored: if the process dies in between, both are handled. The
   * message's consumer makes the number count, too.
   */
  private async sendLast(call: UniqueCall): Promise<Published> {
    const { unique } = this.options.stores;
    const key = nameOf(call);
    const keepMs = call.delayMs + call.settings.forMs;
    const number = await unique.next(key, keepMs);
    mark(call, key, number);
    const published = await call.publish();
    await this.tell(() => unique.advance(key, number, keepMs), call);
    return published;
  }

  /** Records the outcome of a publish. A failing store does not change the outcome. */
  private async tell(told: () => Promise<unknown>, { routingKey, message }: UniqueCall): Promise<void> {
    try {
      await told();
    } catch (error) {
      this.options.log.warn(
        { routingKey, messageId: message.properties.messageId, error },
        'what became of a unique send could not be recorded: another may be sent beside it, or refused for a while',
      );
    }
  }
}

const nameOf = ({ exchange, routingKey, key }: UniqueCall): string => joined(exchange, routingKey, key);

function mark({ settings, message }: UniqueCall, key: string, number: number | undefined): void {
  const { until, forMs } = settings;
  const unique: UniqueMark = { key, until, forMs, number };
  const { properties } = message;
  properties.headers = Object.assign(Object.create(null), properties.headers, {
    [HEADER.unique]: encodeUnique(unique),
  });
}
