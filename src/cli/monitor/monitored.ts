import { type Control, type Looked, openControl } from '../../control/control.js';
import { toldOldestMs, unconsumedMs } from '../../control/queue-report.js';
import { ConnectError, HoplineError, TopologyError } from '../../errors.js';
import type { BusEvents, ConnectionRole } from '../../events.js';
import { newMessageId } from '../../message/message-id.js';
import type { Alert } from '../../observe/alerts/alert.js';
import type { QueueFacts, Snapshot } from '../../observe/alerts/measuring/snapshot.js';
import { deadQueueOf, Names } from '../../topology/names.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import type { Session, Transport } from '../../transport/transport.js';
import { Deadline } from '../../util/deadline.js';
import type { Duration } from '../../util/duration.js';
import { Emitter } from '../../util/emitter.js';
import { silentLogger } from '../../util/logger.js';
import type { Broker } from '../broker/broker.js';
import type { Management } from '../doctor/management.js';
import { Managed, type ManagedState } from './managed.js';

export interface MonitoredOptions {
  readonly broker: Broker;
  readonly prefix: string | undefined;
  readonly delayPrefix: string | undefined;
  /** Queues that are looked at beside those that are found. */
  readonly queues: readonly string[];
  /** The management API; undefined if it is not to be asked. */
  readonly management: Management | undefined;
  /** Time that workers have to answer. */
  readonly wait: Duration;
}

const CONNECT_MS = 5_000;
const CLOSE_MS = 5_000;
const PUBLISH_MS = 5_000;
const LIMITS = { maxInFlight: 100, maxInFlightBytes: 1_048_576 };

/** Queues that are asked for at once, each on a channel of its own. */
const AT_ONCE = 8;

/** An application, seen from outside: its workers' answers, the broker's counts of its queues, and the management API. */
export class Monitored {
  readonly transport: Transport;
  readonly names: Names;
  private readonly events = new Emitter<BusEvents>(() => {});
  private readonly queues: Set<string>;
  /** Queue that each lane belongs to, as workers have told: it stays so while none of them answers. */
  private readonly wholes = new Map<string, string>();
  private readonly managed: Managed | undefined;
  private opening: Promise<Session> | undefined;
  private control: Control | undefined;
  /** Connections that are lost. */
  private readonly down = new Set<ConnectionRole>();
  private isBlocked = false;

  constructor(private readonly options: MonitoredOptions) {
    const { broker, prefix, delayPrefix, queues, management } = options;
    this.transport = rabbitmq(broker.options);
    this.names = new Names(prefix, delayPrefix);
    this.queues = new Set(queues);
    this.managed = management && new Managed(management, this.names);
    this.followConnections();
  }

  /** @throws ConnectError if the broker can't be asked */
  async look(): Promise<Snapshot> {
    const session = await this.opened();
    if (this.down.size > 0) throw away();
    const [{ processes, paused }, managed] = await Promise.all([this.asked(), this.managed?.look()]);
    const consumed = processes.flatMap(({ slotGroups }) => slotGroups.flatMap(({ lanes }) => lanes));
    for (const { queue, of } of consumed) {
      this.queues.add(queue);
      this.wholes.set(queue, of);
    }
    for (const queue of managed?.queues ?? []) this.queues.add(queue);
    const found = await inTurns([...this.queues], (queue) =>
      this.queueFacts(session, queue, processes, paused),
    );
    const lost = await session.inspect(this.names.delayLost).then(
      (state) => state?.ready ?? 0,
      () => undefined,
    );
    if (this.down.size > 0) throw away();
    return {
      at: this.transport.clock.monotonic(),
      reached: true,
      queues: found.flatMap((facts) => facts ?? []),
      processes: processes.map(({ service, host, pid, ...status }) => ({
        id: `${service} ${host} ${pid}`,
        ...status,
      })),
      broker: { blocked: this.isBlocked, lost, ...brokerFacts(managed) },
      delays: managed?.delays ?? [],
      silent: this.managed && !managed ? ['the management API does not answer'] : [],
    };
  }

  /** A session for what else the monitor does. @throws ConnectError */
  opened(): Promise<Session> {
    const { names, events, transport } = this;
    const options = { service: 'hopline-monitor', names, events, log: silentLogger, ...LIMITS };
    this.opening ??= transport.open(options, new Deadline(transport.clock, CONNECT_MS)).catch((error) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /** Publishes an alert as a message of the application. */
  async publish(routingKey: string, alert: Alert): Promise<void> {
    const session = await this.opened();
    await session.publish({
      to: 'exchange',
      exchange: this.names.events,
      routingKey,
      body: Buffer.from(JSON.stringify(alert)),
      properties: {
        messageId: newMessageId(),
        type: routingKey,
        contentType: 'application/json',
        appId: 'hopline-monitor',
      },
      mustRoute: false,
      deadlineMs: PUBLISH_MS,
    });
  }

  async close(): Promise<void> {
    await this.control?.close().catch(() => {});
    const session = await this.opening?.catch(() => undefined);
    await session?.close(new Deadline(this.transport.clock, CLOSE_MS)).catch(() => {});
  }

  /** What the workers say; nothing if none has ever run here, or the broker takes no requests. */
  private async asked(): Promise<Looked> {
    const { prefix, wait } = this.options;
    try {
      this.control ??= await openControl({
        transport: this.transport,
        ...(prefix === undefined ? {} : { prefix }),
        wait,
        connectDeadline: CONNECT_MS,
        log: silentLogger,
      });
      return await this.control.look();
    } catch (error) {
      if (!(error instanceof HoplineError)) throw error;
      // Where no worker has listened yet, nobody has paused anything either.
      return { processes: [], paused: error instanceof TopologyError ? [] : undefined };
    }
  }

  private followConnections(): void {
    const { events, down } = this;
    events.on('connection.up', ({ connection }) => down.delete(connection));
    events.on('connection.down', ({ connection }) => {
      down.add(connection);
      this.isBlocked = false;
    });
    events.on('connection.blocked', () => {
      this.isBlocked = true;
    });
    events.on('connection.unblocked', () => {
      this.isBlocked = false;
    });
  }

  /** Undefined for a queue that does not exist. */
  private async queueFacts(
    session: Session,
    queue: string,
    processes: Looked['processes'],
    paused: Looked['paused'],
  ): Promise<QueueFacts | undefined> {
    const lanes = processes.flatMap(({ slotGroups }) => slotGroups.flatMap((group) => group.lanes));
    const serving = lanes.filter((lane) => lane.queue === queue);
    const whole = this.wholes.get(queue) ?? queue;
    const unknown = {
      queue,
      of: whole,
      length: undefined,
      consumers: undefined,
      oldestMs: undefined,
      deadLetters: undefined,
    };
    const isPaused =
      serving.some((lane) => lane.paused.some((why) => why !== 'higher-lane')) ||
      paused?.some((name) => name === queue || name === whole);
    try {
      const state = await session.inspect(queue);
      if (!state) {
        if (!this.options.queues.includes(queue)) this.queues.delete(queue);
        return undefined;
      }
      const { transport, names } = this;
      return {
        queue,
        of: whole,
        length: state.ready,
        consumers: state.consumers,
        paused: isPaused,
        oldestMs:
          toldOldestMs(queue, state.ready, processes) ??
          (await unconsumedMs(queue, state, { session, transport, names })),
        deadLetters: (await session.inspect(deadQueueOf(whole)))?.ready,
      };
    } catch (error) {
      // It has no leader, for instance; of the others there is an answer.
      if (!(error instanceof HoplineError)) throw error;
      return { ...unknown, paused: isPaused };
    }
  }
}

const away = () =>
  new ConnectError('the connection to the broker is down', 'It is tried again; see hopline doctor.');

function brokerFacts(managed: ManagedState | undefined): Pick<Snapshot['broker'], 'nearAlarm' | 'critical'> {
  return { nearAlarm: managed?.nearAlarm, critical: managed?.critical };
}

/** Maps a list, some items at once. */
async function inTurns<T, R>(all: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE)
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(map))));
  return results;
}
