import type { ServeOptions } from '../consume/handlers/serve-options.js';
import type { Subscription } from '../consume/handlers/subscription.js';
import type { Sending } from '../consume/intake/consumption.js';
import type { BusEvents } from '../events.js';
import type { Jobs } from '../features/job/jobs.js';
import type { Outbox } from '../features/outbox/outbox.js';
import type { PendingRequests } from '../features/request/pending-requests.js';
import type { ExchangeRef } from '../message/exchange-option.js';
import type { HealthMonitor } from '../observe/health/health-monitor.js';
import type { Tracing } from '../pipeline/tracing/tracing.js';
import type { BusPublisher } from '../publish/publisher.js';
import type { Names } from '../topology/names.js';
import type { Emitter } from '../util/emitter.js';
import type { BusSettings } from './options.js';

export interface LifecycleOptions {
  readonly settings: BusSettings;
  readonly names: Names;
  readonly exchange: ExchangeRef;
  readonly events: Emitter<BusEvents>;
  readonly monitor: HealthMonitor;
  readonly tracing: Tracing | undefined;
}

/** The parts that run while a bus is started. */
export interface LivingParts {
  /** What handlers publish through. */
  readonly sending: Sending;
  readonly publisher: BusPublisher;
  readonly requests: PendingRequests;
  readonly jobs: Jobs | undefined;
  readonly outbox: Outbox;
  /** Queues and handlers of this process. @throws OptionsError */
  subscriptions(serve: ServeOptions): Subscription[];
  /** Creates the handlers that a container holds. */
  prepare(subscriptions: readonly Subscription[]): Promise<void>;
}
