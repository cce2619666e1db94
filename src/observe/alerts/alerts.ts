import { OptionsError } from '../../errors.js';
import { type Clock, pause } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { type Duration, isDuration, toMs } from '../../util/duration.js';
import { Emitter, type Listener } from '../../util/emitter.js';
import { inRootContext } from '../../util/root-context.js';
import type { Alert, AlertStatus, Silence } from './alert.js';
import { type Snapshot, unreached } from './measuring/snapshot.js';
import type { AlertsSettings } from './options.js';
import { BusSink } from './sinks/bus-sink.js';
import { Delivery } from './sinks/delivery.js';
import { Ping } from './sinks/ping.js';
import type { AlertSink } from './sinks/sink.js';
import { Webhook } from './sinks/webhook.js';
import { Board } from './state/board.js';

/** Events of alerts, each with the alert. */
export interface AlertEvents {
  /** An alert begins, gets worse or less, or still fires after `remindEvery`. */
  'alert.fired': Alert;
  'alert.resolved': Alert;
}

/** @internal */
export interface AlertsParts {
  /** Name of the service, or of the monitor. */
  readonly source: string;
  readonly settings: AlertsSettings;
  readonly clock: Clock;
  /** Looks at all. @throws if the broker can't be asked */
  look(): Promise<Snapshot>;
  /** Publishes an alert on the bus. */
  publish(routingKey: string, alert: Alert, messageId: string): Promise<unknown>;
}

/** Time that deliveries have when all is stopped. */
const STOP_MS = 5_000;

const LOG_LEVELS = { warning: 'warn', critical: 'error' } as const;

/** Looks at an application every now and then, and tells of what is wrong. Made by {@link alerts}. */
export class Alerts {
  private readonly board: Board;
  private readonly events: Emitter<AlertEvents>;
  private readonly deliveries: readonly Delivery[];
  private readonly ping: Ping | undefined;
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;
  /** Monotonic milliseconds of the last look that reached the broker. */
  private lookedAt: number | undefined;

  /** @internal */
  constructor(private readonly parts: AlertsParts) {
    const { settings, clock, source, publish } = parts;
    const { rules, remindMs, webhooks, deliverMs, ping, publishAs, log, everyMs } = settings;
    this.board = new Board(rules, remindMs);
    this.events = new Emitter((event, error) => log.error({ event, error }, 'a listener threw'));
    const sinks: AlertSink[] = webhooks.map((options) => new Webhook(options, source, () => clock.now()));
    if (publishAs !== undefined) sinks.push(new BusSink(publishAs, publish));
    this.deliveries = sinks.map((sink) => new Delivery(sink, { clock, log, deadlineMs: deliverMs }));
    const isWell = () =>
      this.lookedAt !== undefined && clock.monotonic() - this.lookedAt <= 2 * everyMs + STOP_MS;
    this.ping = ping && new Ping(ping.url, { clock, log, everyMs: ping.everyMs, isWell });
  }

  /** Adds a listener; the returned function removes it. */
  on<Name extends keyof AlertEvents>(event: Name, listener: Listener<AlertEvents[Name]>): () => void {
    return this.events.on(event, listener);
  }

  /** State of each rule for each subject. Reads memory alone. */
  status(): AlertStatus[] {
    return this.board.status(this.parts.clock.now());
  }

  /** Silences that are not over. */
  get silences(): Silence[] {
    return this.board.silenced(this.parts.clock.now());
  }

  /**
   * Tells nobody of these alerts for a time. Those that still fire when it is over are told then; the end of one that was told before
   * is told at once. A duration of 0 ends a silence.
   *
   * @param pattern pattern of ids, subjects or queues, in which `*` stands for any text
   * @throws OptionsError
   */
  silence(pattern: string, duration: Duration): void {
    if (typeof pattern !== 'string' || pattern === '' || !isDuration(duration))
      throw new OptionsError('silence', ["expected a pattern and a duration, such as 'orders*' and '1h'"]);
    this.board.silence(pattern, this.parts.clock.now() + toMs(duration));
  }

  /**
   * Ends the reminders of alerts that fire, until they get worse or end.
   *
   * @param pattern as in {@link silence}
   * @returns the ids of these alerts
   */
  acknowledge(pattern: string): string[] {
    return this.board.acknowledge(pattern);
  }

  /** Stops looking; resolves when what is to be told is delivered, or 5 s are over. */
  async stop(): Promise<void> {
    this.ending.abort();
    this.ping?.stop();
    const { running = Promise.resolve(), deliveries, parts } = this;
    // A look may take longer; what it sees is told to nobody any more.
    const looked = new Deadline(parts.clock, STOP_MS).race(running, () => new Error('it still looks'));
    await Promise.all([looked.catch(() => {}), ...deliveries.map((delivery) => delivery.end(STOP_MS))]);
  }

  /** @internal begins to look; once */
  start(): void {
    this.running ??= inRootContext(() => {
      this.ping?.start();
      return this.run();
    });
  }

  /** @internal looks once, and tells; never rejects */
  async look(): Promise<void> {
    const { clock, settings, look } = this.parts;
    const snapshot = await look().catch((error) => {
      settings.log.debug({ error }, 'the broker could not be asked');
      return unreached(clock.monotonic());
    });
    if (this.ending.signal.aborted) return;
    if (snapshot.reached) this.lookedAt = clock.monotonic();
    const alerts = this.board.take(snapshot, clock.now());
    if (alerts.length === 0) return;
    for (const alert of alerts) this.tell(alert);
    for (const delivery of this.deliveries) delivery.add(alerts);
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      await this.look();
      await pause(this.parts.clock, this.parts.settings.everyMs, signal).catch(() => {});
    }
  }

  private tell(alert: Alert): void {
    const { log } = this.parts.settings;
    const { id, state, severity, value, limit, help } = alert;
    const level = state === 'resolved' ? 'info' : LOG_LEVELS[severity];
    log[level]({ alert: id, state, severity, value, limit, help }, alert.message);
    this.events.emit(state === 'resolved' ? 'alert.resolved' : 'alert.fired', alert);
  }
}
