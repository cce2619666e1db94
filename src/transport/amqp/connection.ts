import { AmqpConnectionManagerClass as ConnectionManager } from 'amqp-connection-manager';
import type { ChannelModel } from 'amqplib';
import { ConnectError, OptionsError } from '../../errors.js';
import type { ConnectionRole } from '../../events.js';
import { Backoff } from '../../util/backoff.js';
import type { Deadline } from '../../util/deadline.js';
import { deferred } from '../../util/deferred.js';
import { errorText } from '../../util/error-text.js';
import { connectionOf } from './internals.js';
import type { BrokerAddress, RabbitmqSettings } from './options.js';
import { refusalOf } from './refusal.js';
import { dropStragglers } from './stragglers.js';

/** What a connection tells those who use it. */
export interface ConnectionListener {
  up(model: ChannelModel, address: string): void;
  down(error: Error, address: string, retryInMs: number): void;
  blocked(reason: string, address: string): void;
  unblocked(address: string): void;
}

/** Between the addresses of one list; the backoff comes after each whole round. */
const NEXT_ADDRESS_MS = 50;

/** A connection that has lived this long counts as a success. */
const STABLE_AFTER_MS = 5_000;

/** How long the broker may take to say that it has closed; nothing depends on its answer. */
const CLOSE_OK_MS = 2_000;

/**
 * One connection to the broker, found and re-found by amqp-connection-manager: it goes through the list of addresses,
 * asks for fresh credentials, and connects again with backoff and jitter. Only that is taken from it. Channels, and all
 * traffic, are ours: the manager's own channels lose messages over a reconnect.
 */
export class Connection {
  /** The live connection, if there is one. */
  model: ChannelModel | undefined;
  isBlocked = false;

  private blockedFor = '';
  private readonly manager: ConnectionManager;
  private readonly listeners = new Set<ConnectionListener>();
  private readonly backoff = new Backoff({ firstMs: 100, maxMs: 30_000 });
  private address = 'no address yet';
  private addresses: readonly string[] = [];
  private triedInRound = 0;
  private connectedAt = 0;
  private lastError: Error | undefined;
  private closed = false;
  /** Rejects when it is closed: nobody waits for a connection that is not looked for any more. */
  private readonly closing = deferred<never>();

  constructor(
    readonly role: ConnectionRole,
    private readonly settings: RabbitmqSettings,
    private readonly connectionName: string,
  ) {
    this.closing.promise.catch(() => {}); // most are closed while nobody waits
    this.manager = new ConnectionManager([], {
      findServers: () => this.findServers(),
      heartbeatIntervalInSeconds: settings.heartbeatSeconds,
    });
    this.manager.on('connect', ({ connection }) => this.onConnect(connection as unknown as ChannelModel));
    this.manager.on('connectFailed', ({ err }) => this.onConnectFailed(err));
    // Not the connection's own `close`: the manager plans its next try before listeners added later hear of it.
    this.manager.on('disconnect', ({ err }) => this.onClose(err ?? new Error('the connection was closed')));
  }

  listen(listener: ConnectionListener): void {
    this.listeners.add(listener);
    if (this.model) listener.up(this.model, this.address);
    if (this.model && this.isBlocked) listener.blocked(this.blockedFor, this.address);
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
    // Its promise settles for some outcomes only; listeners hear of all.
    this.manager.connect().catch(() => {});
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

  /** Closes in order if the broker answers soon, and tears the socket down in any case. */
  async close(deadline: Deadline): Promise<void> {
    this.closed = true;
    this.closing.reject(this.connectError());
    this.listeners.clear();
    const { model } = this;
    this.model = undefined;
    const closing = this.manager.close().catch(() => {});
    // Without a connection the manager waits for the end of its next try, which is nobody's concern.
    if (!model) return;
    await deadline
      .atMost(this.isBlocked ? 0 : CLOSE_OK_MS)
      .race(closing, () => new Error('late'))
      .catch(() => {});
    socketOf(model)?.destroy();
  }

  private async findServers() {
    const addresses = await this.settings.findAddresses();
    this.addresses = addresses.map(({ name }) => name);
    this.triedInRound = 0;
    return addresses.map((address) => ({ url: address.url, connectionOptions: this.socketOptions(address) }));
  }

  private socketOptions({ credentials, tls }: BrokerAddress) {
    return {
      credentials,
      // Without it a message of some kilobytes waits for the other side's delayed ACK: 23 ms instead of 1.3 ms.
      noDelay: true,
      keepAlive: true,
      timeout: this.settings.connectDeadlineMs,
      clientProperties: { connection_name: `${this.connectionName} ${this.role}` },
      ...tls,
    };
  }

  private onConnect(model: ChannelModel): void {
    if (this.closed) {
      // Connected while close() gave up waiting for it.
      socketOf(model)?.destroy();
      return;
    }
    dropStragglers(model);
    this.address = this.addresses[this.triedInRound] ?? this.address;
    this.model = model;
    this.isBlocked = false;
    this.connectedAt = performance.now();
    model.on('blocked', (reason) => {
      this.isBlocked = true;
      this.blockedFor = reason;
      for (const listener of this.listeners) listener.blocked(reason, this.address);
    });
    model.on('unblocked', () => {
      this.isBlocked = false;
      for (const listener of this.listeners) listener.unblocked(this.address);
    });
    for (const listener of this.listeners) listener.up(model, this.address);
  }

  private onConnectFailed(error: Error): void {
    this.address = this.addresses[this.triedInRound] ?? this.address;
    this.triedInRound += 1;
    this.lastError = error;
    this.tellDown(error, this.pauseBeforeNext());
  }

  private onClose(error: Error): void {
    this.lastError = error;
    // A half-open socket would linger until the system gives it up.
    socketOf(this.model)?.destroy();
    this.model = undefined;
    // One that is closed as soon as it is open would be opened again without end.
    if (performance.now() - this.connectedAt > STABLE_AFTER_MS) this.backoff.reset();
    this.triedInRound += 1;
    this.tellDown(error, this.pauseBeforeNext());
  }

  private pauseBeforeNext(): number {
    const more = this.triedInRound < this.addresses.length;
    const pauseMs = more ? NEXT_ADDRESS_MS : this.backoff.next();
    // The manager reads this after each failure, and has no backoff of its own.
    this.manager.reconnectTimeInSeconds = pauseMs / 1_000;
    return pauseMs;
  }

  private tellDown(error: Error, retryInMs: number): void {
    for (const listener of this.listeners) listener.down(error, this.address, retryInMs);
  }

  private connectError(): ConnectError {
    const error = this.lastError;
    const where = this.addresses.length > 0 ? this.addresses.join(', ') : 'the broker';
    const refusal = error && refusalOf(error);
    if (refusal) return new ConnectError(`${this.address} ${refusal.what}`, refusal.help, { cause: error });
    return new ConnectError(
      `can't connect to ${where} in time: ${error ? errorText(error) : 'no answer'}`,
      'Start the broker or correct the url; startDeadline: Infinity waits for it instead.',
      { cause: error },
    );
  }
}

function socketOf(model: ChannelModel | undefined) {
  return model && connectionOf(model).stream;
}
