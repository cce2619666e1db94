import type { MessageContext } from './context.js';
import { copyHeaders, correlationIdIn, HEADER, headersAsPublished, textIn } from './headers.js';
import type { Headers, MessageProperties } from './properties.js';
import { publishedAtOf } from './wire/published-at.js';

/**
 * A message's properties, headers and origin as they were published, the same on every attempt. A context is
 * one, too.
 */
export type ReceivedMessage = Pick<
  MessageContext,
  | 'messageId'
  | 'routingKey'
  | 'exchange'
  | 'queue'
  | 'headers'
  | 'publishedAt'
  | 'correlationId'
  | 'replyTo'
  | 'type'
  | 'appId'
  | 'contentType'
  | 'contentEncoding'
  | 'priority'
  | 'expiration'
>;

/** Source of a {@link ReceivedMessage}: a delivery, and the exchange and routing key of its publish. */
interface Source {
  readonly delivery: {
    readonly properties: MessageProperties & { readonly headers: Headers };
    readonly queue: string;
  };
  readonly messageId: string | undefined;
  readonly routingKey: string;
  readonly exchange: string;
}

/** Created for each message that is decoded; it reads nothing before it is asked. */
export class MessageView implements ReceivedMessage {
  private ownHeaders: Headers | undefined;

  constructor(
    private readonly source: Source,
    readonly contentType: string | undefined,
    readonly contentEncoding: string | undefined,
    /** Headers beside those that were published. */
    private readonly addedHeaders?: Readonly<Headers>,
  ) {}

  get messageId(): string | undefined {
    return this.source.messageId;
  }

  get routingKey(): string {
    return this.source.routingKey;
  }

  get exchange(): string {
    return this.source.exchange;
  }

  get queue(): string {
    return this.source.delivery.queue;
  }

  get headers(): Readonly<Headers> {
    // A copy: a change must not travel on with the message.
    this.ownHeaders ??= copyHeaders(this.seenHeaders);
    return this.ownHeaders;
  }

  get publishedAt(): Date | undefined {
    const at = publishedAtOf(this.properties);
    return at === undefined ? undefined : new Date(at);
  }

  get correlationId(): string | undefined {
    return correlationIdIn(this.properties);
  }

  get replyTo(): string | undefined {
    return this.properties.replyTo;
  }

  get type(): string | undefined {
    return this.properties.type;
  }

  get appId(): string | undefined {
    return this.properties.appId;
  }

  get priority(): number | undefined {
    return this.properties.priority;
  }

  get expiration(): string | undefined {
    const { expiration, headers } = this.properties;
    return expiration ?? textIn(headers, HEADER.expiration);
  }

  private get seenHeaders(): Readonly<Headers> {
    const published = headersAsPublished(this.properties.headers);
    return this.addedHeaders ? { ...published, ...this.addedHeaders } : published;
  }

  private get properties(): Source['delivery']['properties'] {
    return this.source.delivery.properties;
  }
}
