import { OptionsError } from '../../errors.js';
import { type LongSettings, longOption } from '../../features/long/option.js';
import type { BusTopology } from '../../topology/bus-topology.js';
import { guardsQueueOf } from '../../topology/names.js';
import type { BrokerInfo } from '../../transport/transport.js';
import { type Duration, formatMs } from '../../util/duration.js';
import type { Logger } from '../../util/logger.js';
import { LONGEST_WAIT_MS } from './limits.js';
import { type Handler, queueNeeds, type Subscription } from './subscription.js';

/**
 * Default of RabbitMQ's `consumer_timeout` (https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout). The value that an
 * operator has set can't be read over AMQP.
 */
export const CONSUMER_TIMEOUT = '30m' satisfies Duration;
const CONSUMER_TIMEOUT_MS = 30 * 60_000;

/** Time after the handler's end: its outcome is settled, and the broker looks once a minute. */
const MARGIN_MS = 5 * 60_000;

/** How long a message may be kept. */
export interface KeepingLimits {
  /** Milliseconds that a handler may go on after its timeout. */
  readonly timeoutGraceMs: number;
  /** Milliseconds that the broker waits for a message's end. @default 30 min */
  readonly consumerTimeoutMs?: number | undefined;
}

/** Milliseconds that the broker is asked to allow: a message may wait here, then run, and then be settled. */
export function keptForMs(handlers: readonly Pick<Handler, 'timeoutMs'>[], timeoutGraceMs: number): number {
  const longest = Math.max(0, ...handlers.map(({ timeoutMs }) => timeoutMs));
  return Math.max(CONSUMER_TIMEOUT_MS, LONGEST_WAIT_MS + longest + timeoutGraceMs + MARGIN_MS);
}

type Keeping = Pick<Subscription, 'handlers' | 'lanes' | 'prefetch' | 'concurrency'>;

/**
 * Handlers whose messages may be kept for longer than the broker waits: it counts from the delivery, so what may run before them of what
 * was fetched counts, too.
 */
export function longHandlers(
  { handlers, lanes, prefetch, concurrency }: Keeping,
  { timeoutGraceMs, consumerTimeoutMs = CONSUMER_TIMEOUT_MS }: KeepingLimits,
): readonly Handler[] {
  return handlers.filter((handler) => {
    const { timeoutMs } = handler;
    const ahead = Math.ceil(prefetch / Math.min(concurrency, handler.concurrency)) - 1;
    const waitMs = lanes.length > 1 ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, ahead * timeoutMs);
    return waitMs + timeoutMs + timeoutGraceMs > consumerTimeoutMs;
  });
}

/** Lease of a handler that says nothing of one, and needs one. */
const BY_ITSELF: LongSettings = longOption.settings(true);

/**
 * The subscription with a lease for each handler that asks for one, or needs one where they are shared. A queue with such a handler fetches no more than begins at once: what
 * waits in a process would be kept un-acked for as long as what runs before it takes.
 */
export function withLeases(
  subscription: Subscription,
  limits: KeepingLimits,
  areShared: boolean,
): Subscription {
  const mayNeed = areShared && subscription.kind === 'work';
  const needing = new Set(mayNeed ? longHandlers(subscription, limits) : []);
  const isLeased = (handler: Handler) => handler.long !== undefined || needing.has(handler);
  if (!subscription.handlers.some(isLeased)) return subscription;
  const handlers = subscription.handlers.map((each) =>
    isLeased(each) ? { ...each, long: each.long ?? BY_ITSELF, hasLease: true } : each,
  );
  return { ...subscription, handlers, prefetch: subscription.concurrency };
}

/** True if messages of the queue run under leases. */
export const hasLeases = ({ handlers }: Pick<Subscription, 'handlers'>): boolean =>
  handlers.some(({ hasLease }) => hasLease);

/**
 * Refuses handlers that may run for longer than the broker waits, and have no lease: it would deliver their message again while they run.
 *
 * @throws OptionsError with all such handlers
 */
export function refuseUnheld(
  subscriptions: readonly Subscription[],
  limits: KeepingLimits,
  timeoutBy: BrokerInfo['consumerTimeoutBy'],
): void {
  if (timeoutBy === 'consumer' || timeoutBy === 'nobody') return;
  const problems = subscriptions
    .filter(({ kind }) => kind !== 'process')
    .flatMap((subscription) => {
      const needed = keptForMs(subscription.handlers, limits.timeoutGraceMs);
      const unheld = longHandlers(subscription, limits).filter(({ hasLease }) => !hasLease);
      return unheld.map((handler) => problemOf(handler, needed, limits, timeoutBy));
    });
  if (problems.length > 0) throw new OptionsError('start', problems);
}

function problemOf(
  { name, queue, timeoutMs }: Handler,
  neededMs: number,
  { consumerTimeoutMs = CONSUMER_TIMEOUT_MS }: KeepingLimits,
  timeoutBy: BrokerInfo['consumerTimeoutBy'],
): string {
  const waiting =
    timeoutBy === 'policy'
      ? `set the policy that \`hopline topology permissions\` prints ('consumer-timeout': ${neededMs})`
      : `set consumer_timeout = ${neededMs} in its rabbitmq.conf`;
  return `${name}: with a timeout of ${formatMs(timeoutMs)} it may keep a message of queue '${queue}' for longer than the broker waits, ${formatMs(consumerTimeoutMs)}, which would then deliver it again while the handler runs. Give the bus stores that all processes share, as redisStores() or postgresStores() makes, so that it runs under a lease; or let the broker wait longer, ${waiting}, and say so with consumerTimeout: ${neededMs} of the bus; or take RabbitMQ 4.3, which is told`;
}

/**
 * Says what the broker's refusal teaches, if it has closed a channel since a message was kept for too long: how long it waits, and which
 * handlers may keep messages for longer without a lease.
 */
export function tellOfTimeout(
  queue: string,
  { message }: Error,
  subscriptions: readonly Subscription[],
  limits: KeepingLimits,
  log: Logger,
): void {
  const told = TIMED_OUT.exec(message);
  if (!told) return;
  const waitsMs = Number(told[1]);
  const { consumerTimeoutMs = CONSUMER_TIMEOUT_MS } = limits;
  const taken = { ...limits, consumerTimeoutMs: waitsMs };
  const unheld = subscriptions
    .flatMap((each) => longHandlers(each, taken))
    .filter(({ hasLease }) => !hasLease);
  if (unheld.length === 0 && waitsMs >= consumerTimeoutMs) return;
  const [waits, said] = [formatMs(waitsMs), formatMs(consumerTimeoutMs)];
  log.warn(
    { queue, handlers: unheld.map(({ name }) => name), consumerTimeout: waits },
    `RabbitMQ waits ${waits} for the end of a message, not ${said}, and has taken messages back that run here: say so with consumerTimeout: ${waitsMs} of the bus, so that handlers that may take longer run under leases; or let it wait longer`,
  );
}

/** Text with which RabbitMQ closes the channel (tried on 3.10 and 4.0). */
const TIMED_OUT = /delivery acknowledgement on channel \d+ timed out\. Timeout value used: (\d+) ms/;

/** What these queues need of the topology. */
export const needsOf = (
  subscriptions: readonly Subscription[],
  service: string,
): Pick<BusTopology, 'queues' | 'guards'> => ({
  queues: subscriptions.map(queueNeeds),
  guards: subscriptions.some(hasLeases) ? guardsQueueOf(service) : undefined,
});
