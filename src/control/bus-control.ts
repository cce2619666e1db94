import type { Consumption } from '../consume/intake/consumption.js';
import type { DeadLetterNotices } from '../consume/report/dead-letter-notices.js';
import { ConnectError, TopologyError } from '../errors.js';
import type { BusEvents } from '../events.js';
import { heldIn } from '../kept/migrations/document.js';
import type { Migrations } from '../kept/migrations/migrations.js';
import { CONTROL_TOPOLOGY, type TopologyMode } from '../topology/bus-topology.js';
import type { Names } from '../topology/names.js';
import type { Heard } from '../transport/operator-session.js';
import type { Session } from '../transport/transport.js';
import { type Clock, pause, type Timer } from '../util/clock.js';
import type { Deadline } from '../util/deadline.js';
import type { Emitter } from '../util/emitter.js';
import type { Logger } from '../util/logger.js';
import { reasonText } from '../util/text/error-text.js';
import type { ControlAnswer, ProcessStatus } from './answer.js';
import { requestsTo, sendAnswer } from './answering.js';
import { mayLimit } from './may-limit.js';
import { Orders } from './orders.js';
import { decodeRequest, processIdentity } from './protocol.js';
import type { ControlRequest } from './shapes.js';

export interface BusControlOptions {
  readonly service: string;
  readonly names: Names;
  readonly session: Pick<Session, 'declare' | 'publish' | 'hold' | 'listen' | 'inspect'>;
  readonly topology: TopologyMode;
  readonly clock: Clock;
  readonly events: Emitter<BusEvents>;
  readonly log: Logger;
  readonly consumption: Consumption;
  /** Which queues were migrated, and are. */
  readonly migrations: Migrations;
  /** Tells of dead letters while operators want to know. */
  readonly notices?: Pick<DeadLetterNotices, 'askedFor'> | undefined;
  status(): ProcessStatus;
}

/** Messages that a process tells of when it is asked what runs. */
const MOST_RUNNING = 100;

/** Time until the broker is asked again which queues are paused, if it did not answer. */
const READ_AGAIN_MS = 5_000;
/** The same while a start waits for the answer. */
const ASK_AGAIN_MS = 500;

/** Receives operators' requests to the workers of an application, obeys them, and answers. */
export class BusControl {
  private readonly orders: Orders;
  private reading: Timer | undefined;
  /** Numbers of notices that have been received about paused queues, and about limits. */
  private toldOfPauses = 0;
  private toldOfLimits = 0;
  private isStopped = false;

  constructor(private readonly options: BusControlOptions) {
    const { session, names, clock } = options;
    this.orders = new Orders(session, names, clock);
  }

  /**
   * Listens for requests first, and reads what operators have ordered after that, so that no change in between is
   * missed. A broker that doesn't allow listening does not stop the bus: a warning is logged.
   *
   * @throws ConnectError at the deadline, or if the broker doesn't say which queues are paused: a worker that
   * took this for "none" would do harm
   */
  async start(deadline: Deadline): Promise<void> {
    const { service, session, names, topology, log } = this.options;
    try {
      await session.declare(CONTROL_TOPOLOGY, topology, deadline);
      const listening = session.listen(requestsTo(names), {
        heard: (message) => void this.heard(message),
        back: () => void this.readAgain(),
      });
      await deadline.race(listening, notHearing);
      await this.applyOrdersBy(deadline);
    } catch (error) {
      if (!(error instanceof TopologyError)) throw error;
      log.warn(
        { service, error },
        "this process can't receive operators' requests, so it can't be paused or asked for its status: give its user the permissions, or set operatorControl to false",
      );
    }
  }

  stop(): void {
    this.isStopped = true;
    this.reading?.cancel();
  }

  /** A notice that arrives during the read is newer than the result of the read. */
  private async applyOrders(deadline?: Deadline): Promise<void> {
    const { toldOfPauses, toldOfLimits } = this;
    const { consumption } = this.options;
    await this.obeyMigrations(deadline).catch((error) => {
      // Who may not read the document was warned of it when the session was opened.
      if (!(error instanceof TopologyError)) throw error;
    });
    const { paused, limits } = await this.orders.read(deadline);
    if (toldOfPauses === this.toldOfPauses) consumption.setPaused(new Set(paused));
    if (toldOfLimits === this.toldOfLimits) consumption.setLimits(limits);
  }

  /** @param version of the document, if it is known */
  private async obeyMigrations(deadline?: Deadline, version?: number): Promise<void> {
    const { migrations, consumption } = this.options;
    consumption.setHeld(heldIn(await migrations.read(deadline, version)));
  }

  /** A connection that is lost during the read has given no answer: the read is repeated on the next one. */
  private async applyOrdersBy(deadline: Deadline): Promise<void> {
    for (;;) {
      try {
        await this.applyOrders(deadline);
        return;
      } catch (error) {
        if (!(error instanceof ConnectError) || deadline.expired || this.isStopped) throw error;
        await pause(this.options.clock, ASK_AGAIN_MS);
      }
    }
  }

  /** Called after a lost connection, on which a notice may have been missed. */
  private async readAgain(): Promise<void> {
    const { service, clock, log } = this.options;
    this.reading?.cancel();
    this.options.migrations.expect();
    try {
      await this.applyOrders();
    } catch (error) {
      if (this.isStopped) return;
      log.warn({ service, error }, 'the broker did not say which queues are paused; asking again');
      this.reading = clock.setTimer(() => void this.readAgain(), READ_AGAIN_MS);
    }
  }

  private async heard(message: Heard): Promise<void> {
    const request = decodeRequest(message);
    if (request?.ask === 'dead-letters') this.options.notices?.askedFor(request.forMs);
    if (!request || message.properties.replyTo === undefined) return;
    const answer = request.ask === 'migration' ? await this.tryToMigrate(request) : this.tryToObey(request);
    if (!answer) return;
    const { session, names, service, log } = this.options;
    try {
      await sendAnswer(session, names, message, { ...processIdentity(service), ...answer });
    } catch (error) {
      log.debug({ service, ask: request.ask, error }, 'an answer to an operator could not be sent');
    }
  }

  private async tryToMigrate({ queue, document }: { queue: string; document: number }) {
    const { consumption, migrations, service, log } = this.options;
    if (consumption.unsettledOf(queue) === undefined) return undefined;
    try {
      if (document > migrations.known.version) await this.obeyMigrations(undefined, document);
      else consumption.setHeld(heldIn(migrations.known));
    } catch (error) {
      log.error({ service, queue, error }, 'the document of the migrations could not be read');
      return { problem: reasonText(error) };
    }
    const inHand = consumption.unsettledOf(queue) ?? 0;
    return { migration: { version: migrations.known.version, inHand } };
  }

  /** An error is reported in the answer. */
  private tryToObey(request: ControlRequest): ReturnType<BusControl['obey']> {
    const { service, log } = this.options;
    try {
      return this.obey(request);
    } catch (error) {
      log.error({ service, ask: request.ask, error }, "an operator's request could not be carried out");
      return { problem: reasonText(error) };
    }
  }

  /** Undefined if the request does not concern this bus. */
  private obey(request: ControlRequest): Omit<ControlAnswer, 'service' | 'host' | 'pid'> | undefined {
    const { service, consumption, log } = this.options;
    if (request.ask === 'status')
      return request.service === undefined || request.service === service
        ? { status: this.options.status() }
        : undefined;
    if (request.ask === 'restart') return request.service === service ? this.restart() : undefined;
    if (request.ask === 'cancel') {
      const cancelled = consumption.cancelMessage(request.messageId);
      if (cancelled > 0)
        log.warn({ service, messageId: request.messageId }, 'an operator cancelled a message');
      return cancelled > 0 ? { cancelled } : undefined;
    }
    if (request.ask === 'pauses') {
      this.toldOfPauses += 1;
      const paused = new Set(request.paused);
      consumption.setPaused(paused);
      if (!consumption.serves(request.queue)) return undefined;
      log.info({ service, paused: request.paused }, 'an operator changed which queues are paused');
      return { pausedBy: consumption.pausesOf(request.queue, paused) };
    }
    if (request.ask === 'limits') return this.limit(request);
    if (request.ask === 'may-limit') return mayLimit(request, consumption);
    if (request.ask === 'scale') return consumption.serves(request.queue) ? this.scale(request) : undefined;
    if (request.ask === 'reset-circuit') return this.resetCircuit(request);
    if (request.ask === 'running') return { running: consumption.running(MOST_RUNNING) };
    if (request.ask === 'slowest') return { slowest: consumption.slowest };
    if (request.ask === 'routes') return { routes: consumption.routes };
    return undefined; // for monitors
  }

  private limit(request: Extract<ControlRequest, { ask: 'limits' }>) {
    const { service, consumption, log } = this.options;
    this.toldOfLimits += 1;
    consumption.setLimits(request.limits);
    const answer = mayLimit(request, consumption);
    if (answer) log.info({ service, limits: request.limits }, 'an operator changed the limits of handlers');
    return answer;
  }

  private scale({ queue, concurrency }: { queue: string; concurrency: number }): { problem?: string } {
    const { service, consumption, log } = this.options;
    try {
      consumption.scale(queue, concurrency);
      log.info({ service, queue, concurrency }, 'an operator changed how many messages run at once');
      return {};
    } catch (error) {
      return { problem: (error as Error).message };
    }
  }

  private resetCircuit({ queue, handler }: { queue: string; handler: string }) {
    const { service, consumption, log } = this.options;
    const circuitsClosed = consumption.resetCircuit(queue, handler);
    if (circuitsClosed) log.warn({ service, queue, handler }, 'an operator closed the circuit of a handler');
    return circuitsClosed === undefined ? undefined : { circuitsClosed };
  }

  private restart(): { problem?: string } {
    const { service, events, log } = this.options;
    if (!events.has('control.restart'))
      return { problem: 'it can not be replaced: it was not started by `hopline work`' };
    log.info({ service }, 'an operator asked for this process to be replaced');
    events.emit('control.restart', { service });
    return {};
  }
}

const notHearing = () =>
  new ConnectError(
    "the broker did not answer in time while the process began to listen for operators' requests",
    'Look at the load and the alarms of the broker.',
  );
