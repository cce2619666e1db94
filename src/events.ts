/**
 * The catalogue of all events that a bus emits. Events are emitted synchronously; an error thrown by a listener
 * is logged and has no other effect. Metrics, traces, logs and the dashboard are listeners.
 */

import type { AttemptEventMap } from './events/attempts.js';
import type { BatchEventMap } from './events/batches.js';
import type { BusLifeEventMap } from './events/bus-life.js';
import type { CircuitEventMap } from './events/circuits.js';
import type { ConnectionEventMap } from './events/connections.js';
import type { ConsumerEventMap } from './events/consumers.js';
import type { OutboxEventMap } from './events/outbox.js';
import type { PublishEventMap } from './events/publishing.js';
import type { RequestEventMap } from './events/requests.js';

export type {
  AttemptEvent,
  DeadLetteredEvent,
  DiscardedEvent,
  FailedRequestEvent,
  HandlerEndedEvent,
  HandlerFailedEvent,
  LeaseLostEvent,
  ReleasedEvent,
  RetriedEvent,
} from './events/attempts.js';
export type { BatchEvent } from './events/batches.js';
export type {
  BusState,
  LifecycleEvent,
  StartFailedEvent,
  TopologyFailedEvent,
} from './events/bus-life.js';
export type { CircuitEvent, CircuitOpenedEvent } from './events/circuits.js';
export type {
  BlockedEvent,
  ChannelEvent,
  ConnectionDownEvent,
  ConnectionEvent,
  ConnectionRole,
} from './events/connections.js';
export type {
  ConsumerCancelledEvent,
  ConsumerEvent,
  ConsumerGapEvent,
  ConsumerGuiltyEvent,
  ConsumerPausedEvent,
  ConsumerTroubleEvent,
  PauseReason,
} from './events/consumers.js';
export type { DeadLetterReason } from './events/dead-letter-reason.js';
export type { OutboxRefusedEvent, OutboxRelayedEvent } from './events/outbox.js';
export type { PublishConfirmedEvent, PublishEvent, PublishFailedEvent } from './events/publishing.js';
export type { ReplyDroppedEvent, RequestEvent, RequestFailedEvent } from './events/requests.js';

/** Events of a bus by name, each with the type of its data. */
export interface BusEvents
  extends BusLifeEventMap,
    PublishEventMap,
    RequestEventMap,
    AttemptEventMap,
    ConnectionEventMap,
    ConsumerEventMap,
    CircuitEventMap,
    BatchEventMap,
    OutboxEventMap {}

export type EventName = keyof BusEvents;
