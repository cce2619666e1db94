import type { MessageContext } from './context.js';
import { copyHeaders, HEADER, headersAsPublished, textIn } from './headers.js';
import type { Headers, MessageProperties } from './message.js';
import { publishedAtOf } from './published-at.js';

/** What its properties, headers and way say of a message: as it was published, on every attempt. A context is one, too. */
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

/** What of a delivery a {@link ReceivedMessage} is read from. */
interface Source {
  readonly properties: MessageProperties & { readonly headers: Headers };
  readonly queue: string;
}

/** Of a message with its way behind it. */
interface Origin {
  readonly messageId: string | undefined;
  readonly routingKey: string;
  readonly exchange: string;
}

/** Made for each message that is decoded: it reads nothing before it is asked. */
export class MessageView implements ReceivedMessage {
  private ownHeaders: Headers | undefined;

  constructor(
    private readonly source: Source,
    private readonly origin: Origin,
    readonly contentType: string | undefined,
    readonly contentEncoding: string | undefined,
  ) {}

  get messageId(): string | undefined {
    return this.origin.messageId;
  }

  get routingKey(): string {
    return this.origin.routingKey;
  }

  get exchange(): string {
    return this.origin.exchange;
  }

  get queue(): string {
    return this.source.queue;
  }

  get headers(): Readonly<Headers> {
    // A copy: what is done to it must not travel on with the message.
    this.ownHeaders ??= copyHeaders(headersAsPublished(this.source.properties.headers));
    return this.ownHeaders;
  }

  get publishedAt(): Date | undefined {
    const at = publishedAtOf(this.source.properties);
    return at === undefined ? undefined : new Date(at);
  }

  get correlationId(): string | undefined {
    return this.source.properties.correlationId;
  }

  get replyTo(): string | undefined {
    return this.source.properties.replyTo;
  }

  get type(): string | undefined {
    return this.source.properties.type;
  }

  get appId(): string | undefined {
    return this.source.properties.appId;
  }

  get priority(): number | undefined {
    return this.source.properties.priority;
  }

  get expiration(): string | undefined {
    const { expiration, headers } = this.source.properties;
    return expiration ?? textIn(headers, HEADER.expiration);
  }
}
