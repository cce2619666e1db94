import { type Control, openControl } from '../../control/control.js';
import {
  stateInProcesses,
  toldOldestMs,
  type UnconsumedParts,
  unconsumedMs,
} from '../../control/queue-report.js';
import type { Looked } from '../../control/results.js';
import { ConnectError, HoplineError, TopologyError } from '../../errors.js';
import type { BusEvents, ConnectionRole } from '../../events.js';
import type { Alert } from '../../observe/alerts/alert.js';
import type { QueueFacts, Snapshot } from '../../observe/alerts/measuring/snapshot.js';
import { deadQueueOf, Names } from '../../topology/names.js';
import type { Session, Transport } from '../../transport/transport.js';
import { Deadline } from '../../util/deadline.js';
import type { Duration } from '../../util/duration.js';
import { Emitter } from '../../util/emitter.js';
import { silentLogger } from '../../util/logger.js';
import type { Management } from '../management/management.js';
import { Managed, type ManagedState } from './managed-state.js';
import { Turns } from './turns.js';

export interface MonitoredOptions {
  readonly transport: Transport;
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

/** Time for which the first message of a queue is not looked at again that could not be: for a stream, the broker closes the connection. */
const PEEK_AGAIN_MS = 600_000;

/** An application, seen from outside: its workers' answers, the broker's counts of its queues, and the management API. */
export class Monitored {
  readonly transport: Transport;
  readonly names: Names;
  private readonly events = new Emitter<BusEvents>(() => {});
  private readonly queues: Set<string>;
  /** Queue that each lane belongs to, as workers have told: it stays so while none of them answers. */
  private readonly wholes = new Map<string, string>();
  private readonly turns: Turns;
  /** Monotonic milliseconds from which on it may be tried again, by queue. */
  private readonly unreadable = new Map<string, number>();
  private readonly managed: Managed | undefined;
  private opening: Promise<Session> | undefined;
  private controlling: Promise<Control> | undefined;
  /** Connections that are lost, and those that the broker takes nothing from. */
  private readonly down = new Set<ConnectionRole>();
  private readonly blocked = new Set<ConnectionRole>();

  constructor(private readonly options: MonitoredOptions) {
    const { transport, prefix, delayPrefix, queues, management } = options;
    this.transport = transport;
    this.names = new Names(prefix, delayPrefix);
    this.queues = new Set(queues);
    this.turns = new Turns(this.transport.clock);
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
    const asked = [...this.queues];
    const found = await this.turns.ask(asked, (queue) => this.queueFacts(session, queue, processes, paused));
    const lost = await session.inspect(this.names.delayLost).then(
      (state) => state?.ready ?? 0,
      () => undefined,
    );
    if (this.down.size > 0) throw away();
    return {
      at: this.transport.clock.monotonic(),
      reached: true,
      queues: asked.flatMap((queue) =>
        found.has(queue) ? (found.get(queue) ?? []) : this.unknownQueue(queue),
      ),
      processes: processes.map(({ service, host, pid, ...status }) => ({
        id: `${service} ${host} ${pid}`,
        ...status,
      })),
      broker: { blocked: this.blocked.size > 0, lost, ...brokerFacts(managed) },
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
  async publish(routingKey: string, alert: Alert, messageId: string): Promise<void> {
    const session = await this.opened();
    await session.publish({
      to: 'exchange',
      exchange: this.names.events,
      routingKey,
      body: Buffer.from(JSON.stringify(alert)),
      properties: {
        messageId,
        type: routingKey,
        contentType: 'application/json',
        appId: 'hopline-monitor',
      },
      mustRoute: false,
      deadlineMs: PUBLISH_MS,
    });
  }

  async close(): Promise<void> {
    const control = await this.controlling?.catch(() => undefined);
    await control?.close().catch(() => {});
    const session = await this.opening?.catch(() => undefined);
    await session?.close(new Deadline(this.transport.clock, CLOSE_MS)).catch(() => {});
  }

  /** What the workers say; nothing if none has ever run here, or the broker takes no requests. */
  private async asked(): Promise<Looked> {
    const { prefix, wait } = this.options;
    try {
      this.controlling ??= openControl({
        transport: this.transport,
        ...(prefix === undefined ? {} : { prefix }),
        wait,
        connectDeadline: CONNECT_MS,
        log: silentLogger,
      }).catch((error) => {
        this.controlling = undefined;
        throw error;
      });
      return await (await this.controlling).look();
    } catch (error) {
      if (!(error instanceof HoplineError)) throw error;
      // Where no worker has listened yet, nobody has paused anything either.
      return { processes: [], paused: error instanceof TopologyError ? [] : undefined };
    }
  }

  private followConnections(): void {
    const { events, down, blocked } = this;
    events.on('connection.up', ({ connection }) => down.delete(connection));
    events.on('connection.down', ({ connection }) => {
      down.add(connection);
      blocked.delete(connection);
    });
    events.on('connection.blocked', ({ connection }) => blocked.add(connection));
    events.on('connection.unblocked', ({ connection }) => blocked.delete(connection));
  }

  /**
   * Looks at messages of queues that workers serve, or that are named: to look at one counts it as redelivered, which others may
   * mind, and of what a queue of theirs is nothing is known.
   */
  private reader(session: Session): UnconsumedParts['session'] {
    const { wholes, unreadable, options, transport } = this;
    return {
      brokerInfo: session.brokerInfo,
      async peek(queue) {
        const now = transport.clock.monotonic();
        if (!wholes.has(queue) && !options.queues.includes(queue)) return undefined;
        if (now < (unreadable.get(queue) ?? now)) return undefined;
        unreadable.delete(queue);
        return await session.peek(queue).catch((error) => {
          unreadable.set(queue, now + PEEK_AGAIN_MS);
          throw error;
        });
      },
    };
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
    const isPaused =
      serving.some((lane) => lane.paused.some((why) => why !== 'higher-lane')) ||
      paused?.some((name) => name === queue || name === whole);
    try {
      const state = stateInProcesses(queue, processes) ?? (await session.inspect(queue));
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
          (await unconsumedMs(queue, state, { session: this.reader(session), transport, names })),
        deadLetters: (await session.inspect(deadQueueOf(whole)))?.ready,
      };
    } catch (error) {
      // It has no leader, for instance; of the others there is an answer.
      if (!(error instanceof HoplineError)) throw error;
      return { ...this.unknownQueue(queue), paused: isPaused };
    }
  }

  /** A queue of which nothing is known but whose it is. */
  private unknownQueue(queue: string): QueueFacts {
    return {
      ...{ queue, of: this.wholes.get(queue) ?? queue },
      ...{
        length: undefined,
        consumers: undefined,
        paused: undefined,
        oldestMs: undefined,
        deadLetters: undefined,
      },
    };
  }
}

const away = () =>
  new ConnectError('the connection to the broker is down', 'It is tried again; see hopline doctor.');

function brokerFacts(managed: ManagedState | undefined): Pick<Snapshot['broker'], 'nearAlarm' | 'critical'> {
  return { nearAlarm: managed?.nearAlarm, critical: managed?.critical };
}
