import type { ChannelModel } from 'amqplib';
import { ConnectError, OptionsError } from '../../errors.js';
import type { ConnectionRole } from '../../events.js';
import { pause, systemClock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import { deferred } from '../../util/deferred.js';
import { reasonText } from '../../util/error-text.js';
import { AddressSearch } from './address-search.js';
import { dial, type Line } from './line.js';
import type { BrokerAddress, RabbitmqSettings } from './options.js';
import { refusalOf } from './refusal.js';
import { dropStragglers } from './stragglers.js';

/** What a connection tells those who use it. */
export interface ConnectionListener {
  up(model: ChannelModel, address: string): void;
  down(error: Error, address: string, retryInMs: number): void;
  blocked(reason: string, address: string): void;
  unblocked(address: string): void;
  /** The broker has confirmed nothing on it for a while though something waits. */
  stalled?(address: string): void;
  /** It confirms again. */
  flowing?(address: string): void;
}

/** A connection that has lived this long counts as a success: one that is closed as soon as it is open would be opened without end. */
const STABLE_AFTER_MS = 5_000;

/** How long the broker may take to say that it has closed; nothing depends on its answer. */
const CLOSE_OK_MS = 2_000;

/** One connection to the broker, found and re-found: over the list of addresses, with backoff and jitter after each round. */
export class Connection {
  isBlocked = false;
  /** How many messages were delivered on it. */
  deliveries = 0;
  /** Host and port that it has, or tried last. */
  address = 'no address yet';

  private isStalled = false;
  private blockedFor = '';
  private line: Line | undefined;
  private readonly search: AddressSearch;
  private readonly listeners = new Set<ConnectionListener>();
  private seeking = false;
  private connectedAt = 0;
  /** Why it was told to move. */
  private left: Error | undefined;
  private lastError: Error | undefined;
  /** Aborts when it is closed: nothing is looked for, or dialled, any more. */
  private readonly ending = new AbortController();
  /** Rejects when it is closed: nobody waits for a connection that is not looked for any more. */
  private readonly closing = deferred<never>();

  constructor(
    readonly role: ConnectionRole,
    private readonly settings: RabbitmqSettings,
    private readonly connectionName: string,
  ) {
    this.closing.promise.catch(() => {}); // most are closed while nobody waits
    this.search = new AddressSearch(() => settings.findAddresses());
  }

  /** The live connection, if there is one. */
  get model(): ChannelModel | undefined {
    return this.line?.model;
  }

  /** Host and port of all, as they were found last. */
  get addresses(): readonly string[] {
    return this.search.names;
  }

  listen(listener: ConnectionListener): void {
    this.listeners.add(listener);
    if (this.model) listener.up(this.model, this.address);
    if (this.model && this.isBlocked) listener.blocked(this.blockedFor, this.address);
    if (this.model && this.isStalled) listener.stalled?.(this.address);
  }

  unlisten(listener: ConnectionListener): void {
    this.listeners.delete(listener);
  }

  /**
   * Begins to look for a connection; resolves when there is one.
   *
   * @throws OptionsError if the url or tls function brings what can't work
   * @throws ConnectError at the deadline, when closed, or at once where trying again changes nothing: credentials, vhost or
   * certificate are refused, by the broker or by us
   */
  connect(deadline: Deadline): Promise<void> {
    void this.seek(0);
    return this.whenUp(deadline);
  }

  /** Resolves when there is a connection, now or later; throws as `connect` does. */
  async whenUp(deadline: Deadline): Promise<void> {
    if (this.model) return;
    const { promise, resolve, reject } = deferred();
    const waiter: ConnectionListener = {
      up: () => resolve(),
      down: (error) => {
        if (error instanceof OptionsError) reject(error);
        else if (refusalOf(error)) reject(this.connectError());
      },
      blocked: () => {},
      unblocked: () => {},
    };
    this.listen(waiter);
    try {
      await deadline.race(Promise.race([promise, this.closing.promise]), () => this.connectError());
    } finally {
      this.unlisten(waiter);
    }
  }

  /** Leaves the line it has for another address, at once and whatever waits there. */
  move(to: BrokerAddress, why: Error): void {
    this.search.startWith(to);
    this.left = why;
    this.line?.hangUp();
  }

  /** Somebody has seen that the broker confirms nothing on it, or does so again. */
  setStalled(isStalled: boolean): void {
    if (this.isStalled === isStalled || !this.model) return;
    this.isStalled = isStalled;
    for (const listener of this.listeners)
      if (isStalled) listener.stalled?.(this.address);
      else listener.flowing?.(this.address);
  }

  /** Closes in order if the broker answers soon, and tears the socket down in any case. */
  async close(deadline: Deadline): Promise<void> {
    this.ending.abort();
    this.closing.reject(this.connectError());
    this.listeners.clear();
    const { line } = this;
    this.line = undefined;
    if (!line) return;
    await deadline
      .atMost(this.isBlocked ? 0 : CLOSE_OK_MS)
      .race(line.model.close(), () => new Error('late'))
      .catch(() => {});
    line.hangUp();
  }

  /** Until there is a connection, or it is closed. */
  private async seek(pauseMs: number): Promise<void> {
    if (this.line || this.seeking) return;
    this.seeking = true;
    const { signal } = this.ending;
    let line: Line | undefined;
    for (let waitMs = pauseMs; !line && !signal.aborted; ) {
      try {
        if (waitMs > 0) await pause(systemClock, waitMs, signal);
        line = await this.dialNext();
      } catch (error) {
        if (signal.aborted) break;
        this.lastError = error as Error;
        waitMs = this.search.pauseMs();
        this.tellDown(error as Error, waitMs);
      }
    }
    this.seeking = false;
    if (signal.aborted) line?.hangUp();
    else if (line) this.opened(line);
  }

  private async dialNext(): Promise<Line> {
    const address = await this.search.next();
    this.address = address.name;
    return dial(address, {
      ...this.settings,
      connectionName: `${this.connectionName} ${this.role}`,
      signal: this.ending.signal,
    });
  }

  private opened(line: Line): void {
    const { model } = line;
    dropStragglers(model);
    this.line = line;
    this.address = line.address;
    this.isBlocked = false;
    this.isStalled = false;
    this.left = undefined;
    this.connectedAt = performance.now();
    model.on('close', (error) => this.lost(line, error ?? new Error('the connection was closed')));
    model.on('blocked', (reason) => {
      this.isBlocked = true;
      // Nothing is expected of it any more.
      this.isStalled = false;
      this.blockedFor = reason;
      for (const listener of this.listeners) listener.blocked(reason, this.address);
    });
    model.on('unblocked', () => {
      this.isBlocked = false;
      for (const listener of this.listeners) listener.unblocked(this.address);
    });
    for (const listener of this.listeners) listener.up(model, this.address);
  }

  private lost(line: Line, error: Error): void {
    this.lastError = error;
    // A half-open socket would linger until the system gives it up.
    line.hangUp();
    if (this.line !== line) return;
    this.line = undefined;
    if (performance.now() - this.connectedAt > STABLE_AFTER_MS) this.search.succeeded();
    const pauseMs = this.left ? 0 : this.search.pauseMs();
    this.tellDown(this.left ?? error, pauseMs);
    void this.seek(pauseMs);
  }

  private tellDown(error: Error, retryInMs: number): void {
    for (const listener of this.listeners) listener.down(error, this.address, retryInMs);
  }

  private connectError(): ConnectError {
    const error = this.lastError;
    const where = this.search.names.join(', ') || 'the broker';
    const refusal = error && refusalOf(error);
    if (refusal) return new ConnectError(`${this.address} ${refusal.what}`, refusal.help, { cause: error });
    return new ConnectError(
      `can't connect to ${where} in time: ${error ? reasonText(error) : 'no answer'}`,
      'Start the broker or correct the url; startDeadline: Infinity waits for it instead.',
      { cause: error },
    );
  }
}
