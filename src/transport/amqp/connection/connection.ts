import type { ChannelModel } from 'amqplib';
import { ConnectError, OptionsError } from '../../../errors.js';
import type { ConnectionRole } from '../../../events.js';
import { pause, systemClock } from '../../../util/clock.js';
import type { Deadline } from '../../../util/deadline.js';
import { deferred } from '../../../util/deferred.js';
import { reasonText } from '../../../util/text/error-text.js';
import { dropStragglers } from '../consume/stragglers.js';
import type { BrokerAddress, RabbitmqSettings } from '../options.js';
import { dial, type Line } from '../publish/line.js';
import { refusalOf } from '../topology/refusal.js';
import { AddressSearch } from './address-search.js';

/** Listener of a connection. */
export interface ConnectionListener {
  up(model: ChannelModel, address: string): void;
  down(error: Error, address: string, retryInMs: number): void;
  blocked(reason: string, address: string): void;
  unblocked(address: string): void;
  /** Called when the broker has confirmed none of the waiting publishes for a while. */
  stalled?(address: string): void;
  /** Called when the broker confirms again. */
  flowing?(address: string): void;
}

/**
 * Time after which a connection counts as a success: one that the broker closes at once would otherwise be
 * opened in a tight loop.
 */
const STABLE_AFTER_MS = 5_000;

/** Deadline of the broker's answer to closing; nothing depends on it. */
const CLOSE_OK_MS = 2_000;

/**
 * One connection to the broker, and the search for it: over the list of addresses, with backoff and jitter
 * after each round.
 */
export class Connection {
  isBlocked = false;
  /** Number of messages delivered on it. */
  deliveries = 0;
  /** Host and port of the connection, or of the last try. */
  address = 'no address yet';

  private isStalled = false;
  private blockedFor = '';
  private line: Line | undefined;
  private readonly search: AddressSearch;
  private readonly listeners = new Set<ConnectionListener>();
  private seeking = false;
  private connectedAt = 0;
  /** Reason for moving to another address. */
  private left: Error | undefined;
  private lastError: Error | undefined;
  /** Aborts when the connection is closed: ends the search and any dialling. */
  private readonly ending = new AbortController();
  /** Rejects when the connection is closed: nobody may wait for one that is not searched for. */
  private readonly closing = deferred<never>();

  constructor(
    readonly role: ConnectionRole,
    private readonly settings: RabbitmqSettings,
    private readonly connectionName: string,
  ) {
    this.closing.promise.catch(() => {}); // usually nobody waits when it is closed
    this.search = new AddressSearch(() => settings.findAddresses());
  }

  /** The live connection; undefined without one. */
  get model(): ChannelModel | undefined {
    return this.line?.model;
  }

  /** Why it was lost last, or could not be had. */
  get lastLoss(): Error | undefined {
    return this.lastError;
  }

  /** Host and port of all addresses of the last round. */
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
   * Begins the search for a connection; resolves when there is one.
   *
   * @throws OptionsError if the url or tls function returns an invalid value
   * @throws ConnectError at the deadline, when closed, or at once if another try can't help: credentials, vhost
   * or certificate are refused, by the broker or by the client
   */
  connect(deadline: Deadline): Promise<void> {
    void this.seek(0);
    return this.whenUp(deadline);
  }

  /** Makes this address the first to try. */
  beginAt(address: BrokerAddress): void {
    this.search.startWith(address);
  }

  /** Resolves when there is a connection, now or later; throws like `connect`. */
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

  /** Leaves the current address for another, at once, whatever waits on it. */
  move(to: BrokerAddress, why: Error): void {
    this.search.startWith(to);
    this.left = why;
    this.line?.hangUp();
  }

  /** Called when the broker is found to confirm nothing on it, or to confirm again. */
  setStalled(isStalled: boolean): void {
    if (this.isStalled === isStalled || !this.model) return;
    this.isStalled = isStalled;
    for (const listener of this.listeners)
      if (isStalled) listener.stalled?.(this.address);
      else listener.flowing?.(this.address);
  }

  /** Closes in order if the broker answers soon, and destroys the socket in any case. */
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

  /** Searches until there is a connection, or it is closed. */
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
      // The next connection begins without a stall.
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
    // A half-open socket would stay until the system gives it up.
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
