import { AssertionError } from 'node:assert';
import type { Bus } from '../bus.js';
import { StoppedError } from '../errors.js';
import type { Batch, BatchJob, BatchOptions, BatchStatus, CheckedJobs } from '../message/batch.js';
import type { MessageDefinition } from '../message/define-message.js';
import { ForwardingRequests } from '../message/forwarding/forwarding-requests.js';
import { ForwardingSender } from '../message/forwarding/forwarding-sender.js';
import type { Sender } from '../message/publisher.js';
import { Requester, type RequestSender } from '../message/requests/requester.js';
import { type Duration, toMs } from '../util/duration.js';
import { originOf } from './delivery.js';
import type {
  DeadLetteredMessage,
  HandledMessage,
  MessageEntry,
  PublishedMessage,
  RetriedMessage,
} from './entries.js';
import type { ArmedFaults, FaultTarget } from './exploring/faults.js';
import { Pace } from './exploring/pace.js';
import { Happened } from './happened.js';
import type { ManualClock } from './manual-clock.js';
import type { KitSettings } from './options.js';
import { Outside, type RawProperties } from './outside.js';
import type { KitProcess } from './process.js';
import type { User } from './publishes.js';
import { nameOf, selects, type Whose } from './whose.js';
import { comeAgain, type World } from './world.js';

/** Point at which the process dies, if not at once. */
export interface CrashPoint extends FaultTarget {
  /**
   * `before-ack`: the handler has returned, and nothing is sent yet. `before-publish` and `after-publish`:
   * before or after a publish of a handler, or before or after the copy that `of` names.
   */
  at: 'before-ack' | 'before-publish' | 'after-publish';
}

/** Parts of a kit. */
export interface KitParts {
  readonly world: World;
  readonly settings: KitSettings;
  /** Makes a process; `user` is told if it crashes. */
  readonly newProcess: (user: User) => KitProcess;
  readonly armed: ArmedFaults;
}

/**
 * A service on a broker of its own, whose time the test moves, and whose faults it orders. Made by `testKit()`.
 * Messages published and requests asked with the kit come from outside, as from another service.
 */
export class TestKit extends Requester implements AsyncDisposable {
  private readonly outside: Outside;
  protected readonly sender: Sender = new ForwardingSender(() => this.outside.bus);
  protected readonly requests: RequestSender = new ForwardingRequests(() => this.outside.bus);
  private readonly pace: Pace;
  private process: KitProcess;
  private restarting: Promise<void> = Promise.resolve();
  private stopping: Promise<void> | undefined;

  /** @internal */
  constructor(private readonly parts: KitParts) {
    super();
    this.pace = new Pace({ ...parts.world, ...parts.settings });
    this.outside = new Outside(parts.world, parts.settings);
    this.process = this.newProcess();
  }

  /** Clock of the bus and its broker; {@link advance} moves it. */
  get clock(): ManualClock {
    return this.parts.world.clock;
  }

  /** Bus of the service under test; a new one after each crash. */
  get bus(): Bus {
    return this.process.bus;
  }

  /**
   * Publishes bytes as they are, like a client other than Hopline: only with the given properties, without even
   * a messageId. Resolves with the confirm.
   */
  async publishRaw(key: string, body: string | Buffer, properties: RawProperties = {}): Promise<void> {
    if (this.stopping !== undefined) throw new StoppedError('publishRaw was called');
    await this.outside.publishRaw(key, Buffer.from(body), properties);
  }

  /**
   * Resolves when no work is in flight and nothing is due now: published messages are handled, and so are those
   * that their handlers published. Time stands still.
   *
   * @throws NotSettledError if a handler doesn't return, or a cascade doesn't end
   */
  async settled(): Promise<void> {
    await this.restarting;
    await this.pace.settled();
    await this.restarting;
  }

  /**
   * Moves time, and runs everything that is due on the way, each at its own moment and with all its
   * consequences.
   *
   * @throws NotSettledError if a cascade doesn't end
   */
  async advance(duration: Duration): Promise<void> {
    await this.restarting;
    await this.pace.advance(toMs(duration));
    await this.restarting;
  }

  /** Messages that were published, by the test or by handlers. A delayed one counts when it is published. */
  published(whose?: string | MessageDefinition): Happened<PublishedMessage> {
    return this.happened('published', whose);
  }

  /** Attempts that succeeded. */
  handled(whose?: Whose): Happened<HandledMessage> {
    return this.happened('handled', whose);
  }

  /** Attempts that failed or were released, and whose messages come back. */
  retried(whose?: Whose): Happened<RetriedMessage> {
    return this.happened('retried', whose);
  }

  /** Messages that were given up, by their handler's policy or by the broker itself. */
  deadLettered(whose?: Whose): Happened<DeadLetteredMessage> {
    return this.happened('dead-lettered', whose);
  }

  /** All events, one line each: for debugging a failed test. */
  timeline(): string {
    return this.parts.world.journal.lines().join('\n');
  }

  /**
   * Delivers a handled and acked message again, as if its ack had been lost: the last one, or the last that
   * matches.
   *
   * @param whose a pattern of its routing key, its definition, or the class or name of its handler
   * @throws AssertionError if none was handled
   */
  redeliver(whose?: Whose): void {
    const { handled, journal } = this.parts.world;
    const delivery = handled.findLast(
      (each) => whose === undefined || selects(whose, originOf(each).routingKey, each.handler),
    );
    if (!delivery) {
      throw new AssertionError({
        message: `expected ${nameOf(whose)} to have been handled, so that it can come again\n${journal.account()}`,
        stackStartFn: this.redeliver,
      });
    }
    journal.note(`fault: '${originOf(delivery).routingKey}' comes again to queue '${delivery.queue}'`);
    comeAgain(this.parts.world, delivery);
  }

  /**
   * Loses the confirm of the next publish that matches: the message is stored, and its publisher gets an
   * OutcomeUnknownError. If it is the copy of a retry or a dead letter (`of`), the original is held, and the
   * copy is published once more within a second.
   */
  loseConfirm(target: FaultTarget = {}): void {
    this.parts.armed.arm('confirm-lost', target);
  }

  /**
   * Kills the process and starts a new one: unsettled messages are delivered again, to handlers that are built
   * anew. Without a point it dies at once, and this resolves when the new process consumes; else it dies when
   * the next message that matches reaches the point. The code of a running handler can't be killed: it runs on,
   * but what it publishes and settles has no effect.
   */
  crash(point?: CrashPoint): Promise<void> {
    if (point) {
      this.parts.armed.arm(`crash-${point.at}`, point);
      return Promise.resolve();
    }
    this.replaceProcess('here');
    return this.restarting;
  }

  /** Stops the bus; time passes if its handlers need it to end. May be called again. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** See `bus.batch()`. The store survives crashes. */
  batch<Job extends BatchJob>(jobs: CheckedJobs<Job>, options?: BatchOptions): Batch {
    return this.outside.bus.batch(jobs, options);
  }

  /** See `bus.findBatch()`. */
  findBatch(id: string): Promise<BatchStatus | undefined> {
    return this.outside.bus.findBatch(id);
  }

  /** @internal */
  async start(): Promise<this> {
    await this.outside.bus.start();
    await this.process.start();
    return this;
  }

  private async end(): Promise<void> {
    await this.restarting.catch(() => {});
    const stopping = Promise.all([this.process.stop(), this.outside.bus.stop()]);
    const { stopDeadline = '30s' } = this.parts.settings.bus;
    await this.pace.until(stopping, toMs(stopDeadline) + 1);
    await stopping;
  }

  private newProcess(): KitProcess {
    const { settings, newProcess } = this.parts;
    return newProcess({
      name: settings.bus.service,
      by: 'service',
      onCrash: (where) => this.replaceProcess(where),
    });
  }

  private replaceProcess(where: string): void {
    if (this.stopping !== undefined) return;
    const { journal, flow } = this.parts.world;
    journal.note(`fault: the process crashed ${where}`);
    const restarted = flow.begin('a new process is starting');
    const died = this.process.die();
    const process = this.newProcess();
    this.process = process;
    this.restarting = this.restarting.then(async () => {
      await died;
      await process.start();
    });
    this.restarting.then(restarted, restarted);
  }

  private happened<Kind extends 'published' | 'handled' | 'retried' | 'dead-lettered'>(
    kind: Kind,
    whose: Whose | undefined,
  ) {
    const { journal } = this.parts.world;
    const all = journal.of(kind) as (MessageEntry & { handler?: string | undefined })[];
    const found = all.filter(
      ({ routingKey, handler }) => whose === undefined || selects(whose, routingKey, handler),
    );
    // biome-ignore lint/suspicious/noExplicitAny: each public method names its own kind
    return new Happened<any>(found, nameOf(whose), kind, () => journal.account());
  }
}
