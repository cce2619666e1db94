import type { Encryption } from '../../encryption/encryption.js';
import { boundToReply, ENCRYPTED_CONTENT_TYPE } from '../../encryption/envelope.js';
import { KeysUnavailableError, UnknownKeyError } from '../../encryption/errors.js';
import { PublishRejectedError, UnroutableError } from '../../errors.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage, OutgoingProperties } from '../../message/message.js';
import { newMessageId } from '../../message/message-id.js';
import { encodeFailure, FAILURE } from '../../message/wire/reply.js';
import { isOwnFault } from '../../pipeline/errors/final-errors.js';
import type { Effect, EndedOtherwise } from '../../pipeline/outcome.js';
import type { Content, Work } from '../../pipeline/work.js';
import type { TransportSession } from '../../transport/transport.js';
import { after } from '../../util/after.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { isEncrypted } from '../encryption/decrypt.js';
import { withEncryption } from '../encryption/encrypt.js';
import { failureOf } from './failure.js';

export interface ReplyEffectOptions {
  readonly service: string;
  readonly session: Pick<TransportSession, 'publish'>;
  readonly encryption: Encryption | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publishDeadlineMs: number;
}

/** Milliseconds for which a reply is tried whose request says nothing of its time. */
const UNTIMED_FOR_MS = 30_000;
/** Milliseconds that a reply has to be published, however late it is. */
const LEAST_DEADLINE_MS = 1_000;

/** The broker's nack, after all tries of the publisher: it has closed no channel, so the error has no cause. */
const isNack = (error: unknown): boolean =>
  error instanceof PublishRejectedError && error.cause === undefined;

/** What a reply says. */
interface Said {
  readonly isFailure: boolean;
  readonly body: Buffer;
  readonly contentType: string | undefined;
  /** False for what goes out plain though its request was encrypted. */
  readonly isSecret: boolean;
}

/** A reply, confirmed before its request is acked. */
abstract class Reply implements Effect {
  readonly what = 'a reply';
  readonly about = { to: 'reply' };
  private message: OutgoingMessage | undefined;
  private hasSaid = false;
  /** When it is given up, in monotonic milliseconds; undefined before its first try. */
  private until: number | undefined;

  constructor(
    protected readonly options: ReplyEffectOptions,
    protected readonly work: Work,
    private readonly address: string,
  ) {}

  protected abstract said(): Said;

  /** Decides about a reply that never can be sent. */
  protected abstract onNever(error: unknown): EndedOtherwise | 'without';

  /** Milliseconds for which it is worth being held for: nobody waits for a reply whose time is over. */
  get leftMs(): number {
    return Math.max(0, (this.until ?? 0) - this.options.clock.monotonic());
  }

  onError(error: unknown): EndedOtherwise | 'without' | undefined {
    if (!this.hasSaid || isOwnFault(error) || error instanceof KeysUnavailableError)
      return this.onNever(error);
    // The requester's own queue refuses it, which may go on for ever: all other requesters would stand still with it.
    if (!isNack(error) && this.leftMs > 0) return undefined;
    const { delivery, messageId } = this.work.received;
    this.options.log.warn(
      { queue: delivery.queue, messageId, error },
      isNack(error)
        ? 'the queue that a requester has named for its reply refuses it: the reply is dropped'
        : "a reply could not be published in its requester's time: it is dropped",
    );
    return 'without';
  }

  /**
   * Dying after the confirm sends it again, if the request is handled again: its requester drops the second. Not async: a reply that
   * needs no key costs the promise of its publish, and no other.
   */
  run(): Promise<unknown> {
    const { message } = this;
    this.until ??= this.work.overAt ?? this.options.clock.monotonic() + UNTIMED_FOR_MS;
    // It is tried again: no longer than it is worth.
    if (message) return this.options.session.publish({ ...message, deadlineMs: this.deadlineMs });
    const said = this.said();
    this.hasSaid = true;
    return Promise.resolve(after(this.compose(said), (composed) => this.send(composed)));
  }

  private get deadlineMs(): number {
    return Math.min(this.options.publishDeadlineMs, Math.max(this.leftMs, LEAST_DEADLINE_MS));
  }

  private send(message: OutgoingMessage): Promise<unknown> {
    this.message = message;
    return this.options.session.publish(message);
  }

  private compose({
    isFailure,
    body,
    contentType,
    isSecret,
  }: Said): OutgoingMessage | Promise<OutgoingMessage> {
    const { encryption } = this.options;
    const { received } = this.work;
    const properties = this.propertiesOf(isFailure, contentType);
    if (!isSecret || !encryption || !isEncrypted(received) || received.messageId === undefined)
      return this.messageOf(body, properties);
    const bound = boundToReply(received.messageId, received.routingKey);
    return after(encryption.seal(body, contentType ?? '', bound), (sealed) => {
      const headers = withEncryption(properties.headers, sealed.header);
      return this.messageOf(sealed.body, { ...properties, contentType: ENCRYPTED_CONTENT_TYPE, headers });
    });
  }

  private messageOf(body: Buffer, properties: OutgoingProperties): OutgoingMessage {
    const { address, deadlineMs } = this;
    return { to: 'reply', address, body, properties, mustRoute: false, deadlineMs };
  }

  private propertiesOf(isFailure: boolean, contentType: string | undefined): OutgoingProperties {
    const { service, clock } = this.options;
    const { received } = this.work;
    const { correlationId = received.messageId } = received.delivery.properties;
    const now = clock.now();
    const properties: OutgoingProperties = {
      messageId: newMessageId(now),
      timestamp: Math.floor(now / 1_000),
      appId: service,
      deliveryMode: 1,
    };
    if (correlationId !== undefined) properties.correlationId = correlationId;
    if (contentType !== undefined) properties.contentType = contentType;
    if (isFailure) properties.headers = { [HEADER.reply]: FAILURE };
    return properties;
  }
}

/** What a handler has returned. If that can never be sent, the reply says so instead. */
export class ReplyOfValue extends Reply {
  constructor(
    options: ReplyEffectOptions,
    work: Work,
    address: string,
    private readonly reply: Pick<Content, 'body' | 'contentType'>,
  ) {
    super(options, work, address);
  }

  protected onNever(error: unknown): EndedOtherwise {
    return { kind: 'discard', error };
  }

  protected said(): Said {
    const { body, contentType } = this.reply;
    return { isFailure: false, body, contentType, isSecret: true };
  }
}

/** Why a request has no other reply. */
export class ReplyOfFailure extends Reply {
  constructor(
    options: ReplyEffectOptions,
    work: Work,
    address: string,
    private readonly error: unknown,
  ) {
    super(options, work, address);
  }

  protected onNever(error: unknown): 'without' {
    const { delivery, messageId } = this.work.received;
    this.options.log.error(
      { queue: delivery.queue, messageId, error },
      'a reply can never be sent: its requester waits until its time is over',
    );
    return 'without';
  }

  protected said(): Said {
    const { error, work } = this;
    const failure = failureOf(error, work.match?.handler.answers?.showStack ?? false);
    // Without a key its requester is to hear just that.
    const isSecret = !(error instanceof UnknownKeyError || error instanceof KeysUnavailableError);
    return { isFailure: true, body: encodeFailure(failure), contentType: 'application/json', isSecret };
  }
}

/**
 * A request that has not begun, and goes back: as a copy, since what the broker takes back counts as delivered before, and the next
 * process would refuse it. If nobody is left to take it, its requester is told.
 */
export class ReturnedRequest implements Effect {
  readonly what = 'a request that goes back to its queue';
  tells: 'ack' | undefined;

  constructor(
    private readonly options: ReplyEffectOptions,
    private readonly copy: OutgoingMessage,
    private readonly refused: EndedOtherwise,
  ) {}

  async run(): Promise<void> {
    await this.options.session.publish(this.copy);
    this.tells = 'ack';
  }

  onError(error: unknown): EndedOtherwise | 'without' {
    return error instanceof UnroutableError ? this.refused : 'without';
  }
}
