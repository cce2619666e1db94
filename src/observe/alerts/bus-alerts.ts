import type { Bus } from '../../bus.js';
import { OptionsError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Alerts } from './alerts.js';
import type { QueueFacts, Snapshot } from './measuring/snapshot.js';
import { type AlertsOptions, alertsSettings } from './options.js';

/**
 * Alerts about what one process knows: its queues, its handlers, its connection. They begin when the bus has started, and end with
 * it. `hopline monitor` has those of all processes, from one place.
 *
 * @throws OptionsError with all problems at once, naming the rule and the place in it
 */
export function alerts(bus: Bus, options: AlertsOptions = {}): Alerts {
  const watched = new WatchedBus(bus);
  const made = new Alerts({
    source: bus.service,
    settings: alertsSettings(options),
    clock: systemClock,
    look: () => watched.look(),
    publish: (routingKey, alert, messageId) => bus.publish(routingKey, alert, { messageId }),
  });
  if (bus.status().state === 'started') made.start();
  else bus.on('bus.started', () => made.start());
  bus.on('bus.stopping', () => made.stop());
  return made;
}

type Status = ReturnType<Bus['status']>;
type Workload = Awaited<ReturnType<Bus['workload']>>;
type Health = ReturnType<Bus['health']>;

const AWAY: readonly Health['connections'][number]['state'][] = ['connecting', 'down', 'refused'];
const NOT_CONSUMED: readonly Health['consumers'][number]['state'][] = ['lost', 'failed', 'guilty'];

/** A bus as a source of snapshots. */
class WatchedBus {
  private hasOutbox = true;

  constructor(private readonly bus: Bus) {}

  /** @throws ConnectError, NotStartedError if the broker can't be asked */
  async look(): Promise<Snapshot> {
    const { bus } = this;
    const health = bus.health();
    const away = health.connections.find(({ state }) => AWAY.includes(state));
    if (away) throw new Error(`its connection is ${away.state}`);
    const { queues } = await bus.workload();
    const [outboxLagMs, overdueBatches] = await Promise.all([
      this.outboxLagMs(),
      bus.overdueBatches().catch(() => undefined),
    ]);
    const status = bus.status();
    return {
      at: systemClock.monotonic(),
      reached: true,
      queues: queueFacts(status, health, queues),
      processes: [{ id: 'own', ...status }],
      broker: { blocked: health.connections.some(({ state }) => state === 'blocked'), lost: undefined },
      delays: [],
      outboxLagMs,
      overdueBatches,
    };
  }

  private async outboxLagMs(): Promise<number | undefined> {
    if (!this.hasOutbox) return undefined;
    try {
      return (await this.bus.outboxBacklog()).lagMs;
    } catch (error) {
      if (error instanceof OptionsError) this.hasOutbox = false;
      return undefined;
    }
  }
}

function queueFacts({ slotGroups }: Status, health: Health, workload: Workload['queues']): QueueFacts[] {
  const states = new Map(health.consumers.map(({ queue, state }) => [queue, state]));
  return slotGroups.flatMap(({ lanes, waiting }) =>
    lanes.map(({ queue, of, paused, oldestMs }) => {
      const state = states.get(queue);
      const own = state === undefined || NOT_CONSUMED.includes(state) || paused.length > 0 ? 0 : 1;
      const { ready, consumers } = workload.find((each) => each.queue === queue) ?? {};
      return {
        queue,
        of,
        length: ready,
        consumers,
        others: consumers === undefined || consumers > own,
        paused: paused.some((why) => why !== 'higher-lane'),
        // Where nothing waits, nothing is old, however long a message runs.
        oldestMs: oldestMs !== undefined && ready === 0 && waiting === 0 ? 0 : oldestMs,
        deadLetters: undefined,
      };
    }),
  );
}
