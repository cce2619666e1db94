import { contentTypeIn } from '../../features/encryption/decrypt.js';
import { MessageContext } from '../../message/context.js';
import type { Headers } from '../../message/properties.js';
import { MessageView } from '../../message/received-message.js';
import type { Work } from '../../pipeline/work.js';

/** What a context says of its message: the same in every attempt at it. */
export abstract class ReceivedContext extends MessageContext {
  private ownMessage: MessageView | undefined;

  constructor(readonly work: Work) {
    super();
  }

  get messageId(): string | undefined {
    return this.work.received.messageId;
  }

  get routingKey(): string {
    return this.work.received.routingKey;
  }

  get exchange(): string {
    return this.work.received.exchange;
  }

  get queue(): string {
    return this.work.received.delivery.queue;
  }

  get headers(): Readonly<Headers> {
    return this.message.headers;
  }

  get publishedAt(): Date | undefined {
    return this.message.publishedAt;
  }

  get redelivered(): boolean {
    return this.work.received.redelivered;
  }

  get correlationId(): string | undefined {
    return this.message.correlationId;
  }

  get replyTo(): string | undefined {
    return this.message.replyTo;
  }

  get type(): string | undefined {
    return this.message.type;
  }

  get appId(): string | undefined {
    return this.message.appId;
  }

  get contentType(): string | undefined {
    return this.message.contentType;
  }

  get contentEncoding(): string | undefined {
    return this.message.contentEncoding;
  }

  get priority(): number | undefined {
    return this.message.priority;
  }

  get expiration(): string | undefined {
    return this.message.expiration;
  }

  private get message(): MessageView {
    const { received, replaced } = this.work;
    const { contentEncoding } = received.delivery.properties;
    this.ownMessage ??= new MessageView(
      received,
      contentTypeIn(received),
      contentEncoding,
      replaced?.headers,
    );
    return this.ownMessage;
  }
}
