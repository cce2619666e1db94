/** Fields of an event about one message on its way out. */
export interface PublishEvent {
  readonly service: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | undefined;
}

export interface PublishConfirmedEvent extends PublishEvent {
  /** Time from the call of publish or send to the broker's confirm. */
  readonly durationMs: number;
}

export interface PublishFailedEvent extends PublishEvent {
  readonly error: Error;
}

/** Events of messages on their way out. */
export interface PublishEventMap {
  /** A message was given to the transport. For a pack, one event per message in it. */
  'message.published': PublishEvent;
  /** The broker has confirmed the message. */
  'message.confirmed': PublishConfirmedEvent;
  /** No queue took a message that was sent with `send`. */
  'message.returned': PublishFailedEvent;
  /** A publish ended without a confirm for any other reason. */
  'message.rejected': PublishFailedEvent;
}
