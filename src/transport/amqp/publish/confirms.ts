import type { ConfirmChannel, Message, Options } from 'amqplib';
import type { OutgoingMessage } from '../../../message/message.js';
import { expirationOf } from '../../../message/wire/outgoing-fields.js';
import { sentHeaders } from '../values.js';
import { CARRIED, type Carried } from '../wire/publish-fields.js';
import { isWrittenDirectly } from './direct-writing.js';
import type { PendingPublish, Verdict } from './pending-publish.js';

/** One raw confirm channel: writes publishes, and matches the broker's answers to them. */
export class Confirms {
  readonly unconfirmed = new Set<PendingPublish>();
  /** Mandatory publishes by message id: a returned message has no delivery tag. */
  private readonly returnable = new Map<string, PendingPublish[]>();
  private readonly returned = new Set<PendingPublish>();
  private readonly optionsOf: typeof publishOptions;

  constructor(
    private readonly channel: ConfirmChannel,
    private readonly onVerdict: (pending: PendingPublish, verdict: Verdict) => void,
  ) {
    this.optionsOf = isWrittenDirectly(channel) ? publishOptions : libraryOptions;
    channel.on('return', (message: Message) => this.onReturn(message));
  }

  /**
   * Writes one message. False if the channel's buffer is full: wait for its `drain` before the next.
   *
   * @throws if the channel is closed, or the message can't be encoded; it is not written then
   */
  write(pending: PendingPublish): boolean {
    const room = pending.isLate
      ? pending.runInAsyncScope(this.publish, this, pending)
      : this.publish(pending);
    this.unconfirmed.add(pending);
    if (pending.mandatory) this.expectReturn(pending);
    return room;
  }

  private publish(pending: PendingPublish): boolean {
    const { message, address } = pending;
    return this.channel.publish(
      address.exchange,
      address.routingKey,
      message.body,
      this.optionsOf(message, pending.mandatory),
      (error) => this.onConfirm(pending, error as Error | null),
    );
  }

  private onConfirm(pending: PendingPublish, error: Error | null): void {
    // Also called for each unconfirmed message when the channel closes, which is no answer of the broker's.
    if (error && error.message !== 'message nacked') return;
    this.unconfirmed.delete(pending);
    if (pending.mandatory) this.forgetReturn(pending);
    // The broker returns an unroutable message before it confirms it.
    const wasReturned = this.returned.delete(pending);
    this.onVerdict(pending, error ? 'nacked' : wasReturned ? 'returned' : 'confirmed');
  }

  private onReturn({ properties, fields }: Message): void {
    const candidates = this.returnable.get(properties.messageId ?? '') ?? [];
    const pending = candidates.find(
      (each) =>
        !this.returned.has(each) &&
        each.address.exchange === fields.exchange &&
        each.address.routingKey === fields.routingKey,
    );
    if (pending) this.returned.add(pending);
  }

  private expectReturn(pending: PendingPublish): void {
    const id = pending.message.properties.messageId ?? '';
    const others = this.returnable.get(id);
    if (others) others.push(pending);
    else this.returnable.set(id, [pending]);
  }

  private forgetReturn(pending: PendingPublish): void {
    const id = pending.message.properties.messageId ?? '';
    const rest = (this.returnable.get(id) ?? []).filter((each) => each !== pending);
    if (rest.length > 0) this.returnable.set(id, rest);
    else this.returnable.delete(id);
  }
}

/** The library reads these names one by one and ignores others, so a copy is needed only if a value is added. */
function publishOptions(message: OutgoingMessage, mandatory: boolean): Options.Publish {
  const { properties, priority, ttlMs, source } = message;
  if (source) {
    const carried: Carried = { source, clusterId: properties.clusterId };
    const headers = Object.assign(Object.create(null), properties.headers, { [CARRIED]: carried });
    return { ...withFields(message, mandatory), headers };
  }
  return mandatory || priority !== undefined || ttlMs !== undefined
    ? withFields(message, mandatory)
    : (properties as Options.Publish);
}

/** The library's own encoding knows only the JavaScript values. */
function libraryOptions(message: OutgoingMessage, mandatory: boolean): Options.Publish {
  const { headers } = message.properties;
  return { ...withFields(message, mandatory), ...(headers ? { headers: sentHeaders(headers) } : {}) };
}

function withFields({ properties, priority, ttlMs }: OutgoingMessage, mandatory: boolean): Options.Publish {
  return { ...properties, mandatory, priority, expiration: expirationOf(ttlMs) } as Options.Publish;
}
