export interface OutboxRelayedEvent {
  readonly service: string;
  /** Number of messages that were published. */
  readonly published: number;
  /** Number of messages that could not be published, and are tried again. */
  readonly refused: number;
  /** Longest wait of a published message in the outbox: the outbox's lag. */
  readonly lagMs: number;
}

export interface OutboxRefusedEvent {
  readonly service: string;
  readonly routingKey: string;
  readonly messageId: string;
  readonly error: Error;
}

/** Events of the outbox and its relay. */
export interface OutboxEventMap {
  /** Messages of the outbox were published, or could not be. */
  'outbox.relayed': OutboxRelayedEvent;
  /** A message of the outbox can't be published as it is. It is tried again. */
  'outbox.refused': OutboxRefusedEvent;
}
