import { type Control, openControl } from '../../control/control.js';
import type { Looked } from '../../control/results.js';
import { ConnectError, HoplineError, TopologyError } from '../../errors.js';
import type { BusEvents, ConnectionRole } from '../../events.js';
import { type KnowingSession, openKnowing } from '../../kept/migrations/open-session.js';
import type { Alert } from '../../observe/alerts/alert.js';
import type { Snapshot } from '../../observe/alerts/measuring/snapshot.js';
import { Names } from '../../topology/names.js';
import type { Session, Transport } from '../../transport/transport.js';
import { Deadline } from '../../util/deadline.js';
import type { Duration } from '../../util/duration.js';
import { Emitter } from '../../util/emitter.js';
import { silentLogger } from '../../util/logger.js';
import type { Management } from '../management/management.js';
import { DelayLooks } from './delay-looks.js';
import { Managed } from './managed-state.js';
import { QueueLooks } from './queue-looks.js';
import { type Survey, snapshotOf } from './survey.js';

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
  /** Who looks, as the broker and receivers of alerts are told. @default 'hopline-monitor' */
  readonly service?: string;
  /**
   * Questions to the broker in one look, beyond which counts of the management API that are some seconds old do as well.
   * @default as many as it takes
   */
  readonly mostQuestions?: number;
  /** Time for which the lengths of the delays' levels stay, where only the broker knows them; undefined if nobody wants them. */
  readonly delaysStayMs?: number;
}

const CONNECT_MS = 5_000;
const CLOSE_MS = 5_000;
const PUBLISH_MS = 5_000;
/** Time after which it is asked again whether any worker has listened: the broker logs the question as an error while none has. */
const UNHEARD_MS = 5_000;

/** Where no worker has listened yet, nobody has paused anything either. */
const NOBODY = { processes: [], paused: [], unasked: undefined };

const LIMITS = { maxInFlight: 100, maxInFlightBytes: 1_048_576 };

/** An application, seen from outside: its workers' answers, the broker's counts of its queues, and the management API. */
export class Monitored {
  readonly transport: Transport;
  readonly names: Names;
  private readonly service: string;
  private readonly events = new Emitter<BusEvents>(() => {});
  private readonly queues: QueueLooks;
  private readonly delays: DelayLooks;
  private readonly managed: Managed | undefined;
  private opening: Promise<KnowingSession> | undefined;
  private connecting: Deadline | undefined;
  private controlling: Promise<Control> | undefined;
  /** Monotonic milliseconds at which no worker had ever listened. */
  private unheardAt: number | undefined;
  /** Connections that are lost, and those that the broker takes nothing from. */
  private readonly down = new Set<ConnectionRole>();
  private readonly blocked = new Set<ConnectionRole>();

  constructor(private readonly options: MonitoredOptions) {
    const { transport, prefix, delayPrefix, queues, management, service = 'hopline-monitor' } = options;
    const { mostQuestions = Number.POSITIVE_INFINITY, delaysStayMs } = options;
    this.transport = transport;
    this.service = service;
    this.names = new Names(prefix, delayPrefix);
    this.queues = new QueueLooks({ transport, names: this.names, named: queues, mostQuestions });
    this.delays = new DelayLooks(this.names, transport.clock, delaysStayMs);
    this.managed = management && new Managed(management, this.names, transport.clock);
    this.followConnections();
  }

  /** @throws ConnectError if the broker can't be asked */
  async look(): Promise<Snapshot> {
    return snapshotOf(await this.survey());
  }

  /** All that {@link look} finds. @throws ConnectError if the broker can't be asked */
  async survey(): Promise<Survey> {
    const { session, generations } = await this.knowing();
    if (this.down.size > 0) throw away();
    const [{ processes, paused, unasked }, managed] = await Promise.all([
      this.asked(),
      this.managed?.look(generations),
    ]);
    const queues = await this.queues.look({ session, processes, paused, managed });
    const { lost, lengths: delays } = await this.delays.look(session, managed?.all);
    if (this.down.size > 0) throw away();
    return {
      at: this.transport.clock.monotonic(),
      processes,
      paused,
      unasked,
      queues,
      delays,
      blocked: this.blocked.size > 0,
      lost,
      managed,
      silent: this.managed && !managed ? ['the management API does not answer'] : [],
    };
  }

  /** A session for what else whoever looks does. @throws ConnectError */
  async opened(): Promise<Session> {
    return (await this.knowing()).session;
  }

  private knowing(): Promise<KnowingSession> {
    const { names, events, transport, service } = this;
    const options = { service, names, events, log: silentLogger, ...LIMITS };
    if (this.opening) return this.opening;
    this.connecting = new Deadline(transport.clock, CONNECT_MS);
    this.opening = openKnowing(transport, options, this.connecting).catch((error) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /** The workers of the application. @throws ConnectError, TopologyError if none has ever listened */
  control(): Promise<Control> {
    const { prefix, wait } = this.options;
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
    return this.controlling;
  }

  /** The same; undefined where none has ever listened, which is believed for a while. @throws ConnectError */
  async workers(): Promise<Control | undefined> {
    const now = this.transport.clock.monotonic();
    if (now - (this.unheardAt ?? Number.NEGATIVE_INFINITY) < UNHEARD_MS) return undefined;
    try {
      return await this.control();
    } catch (error) {
      if (!(error instanceof TopologyError)) throw error;
      this.unheardAt = now;
      return undefined;
    }
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
        appId: this.service,
      },
      mustRoute: false,
      deadlineMs: PUBLISH_MS,
    });
  }

  /** Doesn't wait for a broker that has not answered yet. */
  async close(): Promise<void> {
    this.connecting?.end();
    const control = await this.controlling?.catch(() => undefined);
    await control?.close().catch(() => {});
    const opened = await this.opening?.catch(() => undefined);
    await opened?.session.close(new Deadline(this.transport.clock, CLOSE_MS)).catch(() => {});
  }

  /** What the workers say; nothing if none has ever run here, or the broker takes no requests. */
  private async asked(): Promise<Looked & Pick<Survey, 'unasked'>> {
    try {
      const control = await this.workers();
      return control ? { ...(await control.look()), unasked: undefined } : NOBODY;
    } catch (error) {
      if (!(error instanceof HoplineError)) throw error;
      const unasked = `the workers were not asked: ${error.message}`;
      return error instanceof TopologyError ? NOBODY : { processes: [], paused: undefined, unasked };
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
}

const away = () =>
  new ConnectError('the connection to the broker is down', 'It is tried again; see hopline doctor.');
