import type { RouteStatus, RunningStatus, SlowStatus } from '../consume/report/messages.js';
import { ConnectError, OptionsError, TopologyError } from '../errors.js';
import type { BusEvents } from '../events.js';
import { openKnowing } from '../kept/migrations/open-session.js';
import { CONTROL_TOPOLOGY } from '../topology/bus-topology.js';
import type { Names } from '../topology/names.js';
import type { QueueState } from '../transport/operator-session.js';
import type { Session } from '../transport/transport.js';
import { Deadline } from '../util/deadline.js';
import { type Duration, toMs } from '../util/duration.js';
import { Emitter } from '../util/emitter.js';
import type { ControlAnswer, ProcessIdentity } from './answer.js';
import { Asking } from './asking.js';
import { ChangingPauses } from './changing-pauses.js';
import { existingQueue } from './existing-queue.js';
import { handlerReports } from './handler-report.js';
import { Limits } from './limits.js';
import { type ControlOptions, type ControlSettings, checkAsked, controlSettings } from './options.js';
import { Orders } from './orders.js';
import { type ProcessReport, queueReport } from './queue-report.js';
import type { ControlResult, Expected, Looked, PauseResult, StatusReport } from './results.js';
import type { ControlRequest } from './shapes.js';

/** Requests that may be under way. */
const LIMITS = { maxInFlight: 100, maxInFlightBytes: 1024 * 1024 };

const CLOSE_MS = 5_000;

/**
 * Minimum time that a status waits for the list of paused queues; other readers hold the list for some
 * milliseconds each.
 */
const PAUSED_MS = 2_000;

/**
 * Connects to the broker, for asking the workers of an application how they are and telling them what to do.
 *
 * @throws OptionsError with all problems at once
 * @throws ConnectError, TopologyError
 */
export async function openControl(options: ControlOptions): Promise<Control> {
  const settings = controlSettings(options);
  const { transport, names, log, connectDeadlineMs } = settings;
  const { clock } = transport;
  const events = new Emitter<BusEvents>((event, error) => log.error({ event, error }, 'a listener threw'));
  const deadline = new Deadline(clock, connectDeadlineMs);
  const known = { service: 'control', names, events, log, ...LIMITS };
  const { session } = await openKnowing(transport, known, deadline);
  try {
    // Verified, not declared: a misspelt prefix must leave nothing in the broker.
    await session.declare(CONTROL_TOPOLOGY, 'verify', deadline).catch((error) => {
      throw error instanceof TopologyError ? noWorkers(names, error) : error;
    });
    return new Control(settings, session, await Asking.begin(session, names, clock));
  } catch (error) {
    await session.close(new Deadline(clock, CLOSE_MS)).catch(() => {});
    throw error;
  }
}

function noWorkers({ control }: Names, cause: TopologyError): TopologyError {
  return new TopologyError(
    cause.resource,
    `no worker of this application has listened for operators' requests on this broker: ${cause.message}`,
    `Check prefix and vhost: '${control}' is declared by the first worker that starts.`,
    { cause },
  );
}

/**
 * The workers of an application on all machines, asked and told over the bus itself. A process that does not
 * run, or whose event loop is blocked, does not answer. Made by {@link openControl}.
 */
export class Control {
  /** The limits that operators set for handlers. */
  readonly limits: Limits;
  private readonly orders: Orders;
  private readonly pauses: ChangingPauses;

  /** @internal */
  constructor(
    private readonly settings: ControlSettings,
    private readonly session: Session,
    private readonly asking: Asking,
  ) {
    const { clock } = settings.transport;
    this.orders = new Orders(session, settings.names, clock);
    const parts = { asking, orders: this.orders, existing: (queue: string) => this.existing(queue) };
    this.pauses = new ChangingPauses({ ...parts, settings });
    this.limits = new Limits({ ...parts, ...settings, clock });
  }

  /**
   * Status of all processes, of one service or of all services.
   *
   * @throws ControlError during an alarm: the broker takes no requests then
   */
  async status({ service }: { service?: string } = {}): Promise<StatusReport> {
    const [answers, paused] = await Promise.all([this.ask({ ask: 'status', service }), this.knownPaused()]);
    const found = answers.flatMap(({ status, ...who }) => (status ? [{ ...who, ...status }] : []));
    const processes = found.map(({ handlers: _, ...process }) => process);
    const handlers = handlerReports(
      found.flatMap(({ service: of, handlers: all }) => all.map((each) => ({ ...each, service: of }))),
    );
    const queues = [
      ...new Set([...processes.flatMap(queuesOf), ...(service === undefined ? (paused ?? []) : [])]),
    ];
    const { session, settings } = this;
    const reports = await Promise.all(
      queues.map((queue) => queueReport(queue, { ...settings, session, processes, paused })),
    );
    return { processes, queues: reports.flatMap((report) => report ?? []), handlers, paused };
  }

  /**
   * The same for one who follows the counts: those of each process, and all queues that operators have paused, undefined if that is
   * not known.
   *
   * @internal
   */
  async look(): Promise<Looked> {
    const [answers, paused] = await Promise.all([this.ask({ ask: 'status' }), this.knownPaused()]);
    return {
      processes: answers.flatMap(({ status, ...who }) => (status ? [{ ...who, ...status }] : [])),
      paused,
    };
  }

  /**
   * Pauses a queue in all processes, including those that start later, until {@link resume}. Running handlers
   * go on to their end; messages that only wait in a process go back to the queue.
   *
   * @param queue name of the queue, or of one of its lanes, in the broker
   * @throws OptionsError if there is no such queue, or if it is a queue of Hopline's own or of dead letters
   * @throws ControlError during an alarm
   * @throws ConnectError if another process that is stopped holds the list of paused queues
   */
  async pause(queue: string): Promise<PauseResult> {
    if (this.settings.names.isOwnQueue(queue))
      throw new OptionsError('queue', [`'${queue}' is a queue of Hopline's own: no handler consumes it`]);
    // Before the list is locked: this may wait for the processes' answers.
    const state = await this.existing(queue);
    return this.pauses.change(queue, (paused) => [...new Set([...paused, queue])].sort(), state);
  }

  /**
   * Resumes a paused queue. `pausedBy` of the result says what is still paused: a lane stays paused with its
   * queue, and lanes that were paused by their own names stay so.
   *
   * @throws as {@link pause}, except for a paused queue that no longer exists
   */
  resume(queue: string): Promise<PauseResult> {
    return this.pauses.change(queue, (paused) => paused.filter((name) => name !== queue));
  }

  /**
   * Changes how many messages of a queue each running process handles at once; a new process begins with its
   * own options. Where several queues share their slots, the number is that of all of them.
   *
   * A lane has no slots of its own: the processes that serve it answer with a `problem`.
   *
   * @throws OptionsError if there is no such queue
   */
  async scale(queue: string, concurrency: number): Promise<ControlResult> {
    if (!Number.isSafeInteger(concurrency) || concurrency < 1)
      throw new OptionsError('scale', [
        `expected the concurrency to be a positive integer, got ${concurrency}`,
      ]);
    const { consumers } = await this.existing(queue);
    return { processes: await this.ask({ ask: 'scale', queue, concurrency }), consumers };
  }

  /**
   * Fires `context.signal` of the handlers that run this message at the moment. If the handler then throws, the
   * message is not tried again: it is dead-lettered as `cancelled`. A handler that ignores its signal goes on.
   *
   * @returns the processes in which the message ran
   */
  cancel(messageId: string): Promise<readonly ProcessIdentity[]> {
    return this.ask({ ask: 'cancel', messageId });
  }

  /**
   * Asks all processes of a service to be replaced, one after the other on each machine, so that some consume
   * at any time. Only `hopline work` can do that: other processes answer with a `problem`.
   */
  restart(service: string): Promise<readonly ControlAnswer[]> {
    return this.ask({ ask: 'restart', service });
  }

  /**
   * Has the monitors of the application tell nobody of these alerts for a time; a duration of 0 ends that. A monitor that starts later
   * doesn't know of it.
   *
   * @param pattern pattern of alerts' ids, subjects or queues, in which `*` stands for any text
   * @returns the monitors that answered
   * @throws OptionsError
   */
  async silence(pattern: string, duration: Duration): Promise<readonly ControlAnswer[]> {
    checkAsked('silence', { pattern, duration });
    return this.ask({ ask: 'silence', pattern, forMs: toMs(duration) });
  }

  /** Has the monitors remind nobody of these alerts until they get worse or end. Pattern and errors are those of {@link silence}. */
  async acknowledge(pattern: string): Promise<readonly ControlAnswer[]> {
    checkAsked('acknowledge', { pattern });
    return this.ask({ ask: 'acknowledge', pattern });
  }

  /**
   * Messages whose handlers run in all processes, a hundred of each process at most, the longest first. Processes of an older version
   * don't answer.
   *
   * @throws ControlError during an alarm
   */
  async running(expected?: Expected): Promise<readonly (ProcessIdentity & RunningStatus)[]> {
    const answers = await this.ask({ ask: 'running' }, expected);
    return answers
      .flatMap(({ service, host, pid, running = [] }) =>
        running.map((each) => ({ service, host, pid, ...each })),
      )
      .sort((left, right) => right.runningMs - left.runningMs);
  }

  /**
   * The slowest attempts that have ended within the last 2.5 to 5 minutes, up to five of each handler of each process, the slowest first.
   *
   * @throws ControlError during an alarm
   */
  async slowest(expected?: Expected): Promise<readonly (ProcessIdentity & SlowStatus)[]> {
    const answers = await this.ask({ ask: 'slowest' }, expected);
    return answers
      .flatMap(({ service, host, pid, slowest = [] }) =>
        slowest.map((each) => ({ service, host, pid, ...each })),
      )
      .sort((left, right) => right.runMs - left.runMs);
  }

  /** The exchanges and patterns by which messages reach the handlers of all processes. @throws ControlError during an alarm */
  async routes(expected?: Expected): Promise<readonly (Pick<ProcessIdentity, 'service'> & RouteStatus)[]> {
    const answers = await this.ask({ ask: 'routes' }, expected);
    const all = answers.flatMap(({ service, routes = [] }) => routes.map((each) => ({ service, ...each })));
    return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
  }

  /**
   * Closes the open circuit breaker of a handler in all processes: its queue goes on at once, and its failures count from 0.
   *
   * @returns the processes that have such a handler; `circuitsClosed` says how many were open
   */
  resetCircuit(queue: string, handler: string): Promise<readonly ControlAnswer[]> {
    return this.ask({ ask: 'reset-circuit', queue, handler });
  }

  /** Closes the connection, if no bus shares it. */
  close(): Promise<void> {
    return this.session.close(new Deadline(this.settings.transport.clock, CLOSE_MS));
  }

  private ask(request: ControlRequest, { of }: Expected = {}): Promise<readonly ControlAnswer[]> {
    const { waitMs } = this.settings;
    return this.asking.ask(request, of ? { waitMs, enough: (answers) => areAmong(of, answers) } : { waitMs });
  }

  private async knownPaused(): Promise<readonly string[] | undefined> {
    const { waitMs, transport } = this.settings;
    const deadline = new Deadline(transport.clock, Math.max(waitMs, PAUSED_MS));
    const ordered = await this.orders.read(deadline).catch((error) => {
      if (error instanceof ConnectError) return undefined;
      throw error;
    });
    return ordered?.paused;
  }

  private existing(queue: string): Promise<QueueState> {
    return existingQueue(this.session, queue, () => this.ask({ ask: 'status' }));
  }
}

const queuesOf = ({ slotGroups }: ProcessReport): string[] =>
  slotGroups.flatMap(({ lanes }) => lanes.map(({ queue }) => queue));

/** True if each of these processes has answered, with each of its buses. */
function areAmong(expected: readonly ProcessIdentity[], answers: readonly ControlAnswer[]): boolean {
  const missing = expected.map(identityOf);
  for (const answer of answers) {
    const index = missing.indexOf(identityOf(answer));
    if (index >= 0) missing.splice(index, 1);
  }
  return expected.length > 0 && missing.length === 0;
}

const identityOf = ({ service, host, pid }: ProcessIdentity): string => `${service} ${host} ${pid}`;
