import { StoppedError } from '../../../errors.js';
import type { OutgoingMessage } from '../../../message/message.js';
import type { Published } from '../../../message/published.js';
import { addressOf } from '../../../topology/address.js';
import type { Names } from '../../../topology/names.js';
import type { Deadline } from '../../../util/deadline.js';
import { Line } from '../../../util/line.js';
import { inRootContext } from '../../../util/root-context.js';
import type { ChannelError } from '../connection/channel.js';
import type { Connection, ConnectionListener } from '../connection/connection.js';
import type { Watched } from '../connection/stall-watch.js';
import type { Mended } from '../topology/declarations.js';
import { examine, type SuspectVerdict } from '../topology/examine.js';
import { CurrentLane } from './current-lane.js';
import { HeldPublishes } from './held-publishes.js';
import { PendingPublish, type Verdict } from './pending-publish.js';
import { outcomeUnknown, refused, timedOut, unencodable } from './publish-errors.js';
import type { PublishLane, PublishLaneListener } from './publish-lane.js';
import { SecondChances, type SecondChancesOptions } from './second-chances.js';

export interface AmqpPublisherOptions
  extends Pick<SecondChancesOptions, 'onMissingExchange' | 'onUnroutable' | 'elsewhere'> {
  readonly names: Names;
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  onReopened(error: Error): void;
}

/** Interval at which deadlines are checked. */
const SWEEP_MS = 50;

/**
 * Publishes over a confirm channel, and tracks each publish: waiting to be written, written and unconfirmed,
 * pausing after a nack, ended. When a channel is lost, its unconfirmed messages are written again on the next
 * one, with the same messageId: possibly duplicated, never lost. Written messages are limited in number and
 * bytes; the others wait.
 */
export class AmqpPublisher implements PublishLaneListener, Watched, Mended {
  /** Number of answers of the broker. */
  answers = 0;
  private readonly all = new Set<PendingPublish>();
  private readonly waiting = new Line<PendingPublish>();
  private readonly held = new HeldPublishes();
  private readonly chances: SecondChances;
  private inFlight = 0;
  private inFlightBytes = 0;
  private readonly lane: CurrentLane;
  private readonly unblocked: ConnectionListener;
  private sweeper: NodeJS.Timeout | undefined;
  private draining = false;
  private onEmpty: (() => void) | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: AmqpPublisherOptions,
  ) {
    this.lane = new CurrentLane(connection, this);
    this.chances = new SecondChances({
      onMissingExchange: options.onMissingExchange,
      onUnroutable: options.onUnroutable,
      elsewhere: options.elsewhere,
      instead: (pending, message) => this.publishInstead(pending, message),
      again: (pending) => this.writeAgain(pending),
      end: (pending, error) => this.end(pending, error),
    });
    let wasDown = false;
    this.unblocked = {
      up: () => {
        if (wasDown) this.chances.reconnected();
        this.pump();
      },
      unblocked: () => this.pump(),
      blocked: () => {},
      down: () => {
        wasDown = true;
      },
    };
  }

  async start(): Promise<void> {
    await this.lane.start();
    this.connection.listen(this.unblocked);
  }

  publish(message: OutgoingMessage): Promise<Published | undefined> {
    if (this.draining) return Promise.reject(new StoppedError('publish or send was called'));
    return this.begin(message);
  }

  private begin(message: OutgoingMessage): Promise<Published | undefined> {
    return new Promise((resolve, reject) => {
      const address = addressOf(this.options.names, message);
      const deadlineAt = performance.now() + message.deadlineMs;
      const pending = new PendingPublish(message, address, deadlineAt, resolve, reject);
      this.all.add(pending);
      this.sweeper ??= inRootContext(() => setInterval(() => this.sweep(), SWEEP_MS));
      if (!this.held.takes(pending)) this.writeOrEnqueue(pending);
      pending.isLate = true;
    });
  }

  /** Refuses new publishes; resolves when every publish has ended, by its confirm or at this deadline. */
  async drain(deadline: Deadline): Promise<void> {
    this.draining = true;
    const empty = new Promise<void>((resolve) => {
      this.onEmpty = resolve;
      if (this.all.size === 0) resolve();
    });
    await deadline.race(empty, () => new Error('late')).catch(() => this.endAll());
  }

  async close(): Promise<void> {
    this.draining = true;
    this.endAll();
    clearInterval(this.sweeper);
    this.connection.unlisten(this.unblocked);
    const closed = this.lane.close();
    // The broker doesn't read a blocked connection: its answer would come only after the alarm.
    if (!this.connection.isBlocked) await closed;
  }

  holdBack(exchanges: readonly string[], isMending: boolean): void {
    if (isMending) this.held.hold(exchanges);
    else for (const pending of this.held.release(exchanges)) this.enqueue(pending);
    this.pump();
  }

  remade(exchanges: readonly string[]): void {
    this.chances.remade(exchanges);
  }

  get unanswered(): PendingPublish | undefined {
    return this.lane.unanswered;
  }

  forgetEnded(): void {
    this.lane.forgetEnded();
  }

  confirmedElsewhere(pending: PendingPublish): void {
    this.end(pending);
  }

  ready(): void {
    this.pump();
  }

  reopened(error: Error): void {
    this.options.onReopened(error);
  }

  verdict(pending: PendingPublish, verdict: Verdict, lane: PublishLane): void {
    this.answers += 1;
    this.land(pending);
    if (verdict === 'confirmed') this.end(pending);
    else if (verdict === 'returned') void this.chances.returned(pending);
    else {
      this.chances.nacked(pending);
      if (!pending.ended) this.lane.nacked(pending, lane);
    }
    this.pump();
  }

  lost(unconfirmed: readonly PendingPublish[], error: ChannelError): void {
    for (const pending of unconfirmed) {
      pending.outcomeUnknown = true;
      this.land(pending);
    }
    const open = unconfirmed.filter(({ ended }) => !ended);
    const { model } = this.connection;
    if (error.code === 404) this.chances.missed(open, error);
    // A reply code means that the broker closed the channel because of one of these publishes.
    if (error.code === undefined || !model) for (const pending of open) this.enqueue(pending);
    else void examine(model, open, (pending, verdict) => this.examined(pending, verdict));
  }

  private pump(): void {
    const { waiting } = this;
    // A publish that still can't be written goes to the end of the line, and is not tried again in this turn.
    for (let left = waiting.size; left > 0; left -= 1) {
      const { first } = waiting;
      if (!first) return;
      if (!first.ended && !this.hasRoomFor(first)) return;
      waiting.shift();
      if (!first.ended && !this.held.takes(first)) this.write(first);
    }
  }

  private hasRoomFor({ bytes }: PendingPublish): boolean {
    if (!this.lane.writable || this.connection.isBlocked || this.inFlight >= this.options.maxInFlight)
      return false;
    // A message larger than the whole window goes alone.
    return this.inFlight === 0 || this.inFlightBytes + bytes <= this.options.maxInFlightBytes;
  }

  private write(pending: PendingPublish): void {
    pending.mandatory = pending.mustRoute || this.chances.mayFindNoQueue(pending);
    try {
      this.lane.write(pending);
    } catch (error) {
      // A channel that has just closed throws when it is used; its loss is reported in a moment.
      if ((error as Error).name === 'IllegalOperationError') this.enqueue(pending);
      else this.end(pending, unencodable(error as Error));
      return;
    }
    pending.inFlight = true;
    this.inFlight += 1;
    this.inFlightBytes += pending.bytes;
  }

  /** The common case, without waiting publishes, needs no queue. */
  private writeOrEnqueue(pending: PendingPublish): void {
    if (this.waiting.size === 0 && this.hasRoomFor(pending)) this.write(pending);
    else this.enqueue(pending);
  }

  private enqueue(pending: PendingPublish): void {
    this.waiting.push(pending);
  }

  /** Removes the publish from the window. */
  private land(pending: PendingPublish): void {
    if (!pending.inFlight) return;
    pending.inFlight = false;
    this.inFlight -= 1;
    this.inFlightBytes -= pending.bytes;
  }

  private end(pending: PendingPublish, error?: Error): void {
    if (pending.ended) return;
    pending.ended = true;
    this.land(pending);
    this.all.delete(pending);
    if (error) pending.reject(error);
    else pending.resolve(pending.message.receipt);
    if (this.all.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
    this.onEmpty?.();
  }

  private publishInstead(pending: PendingPublish, message: OutgoingMessage): void {
    if (pending.ended) return;
    const deadlineMs = pending.deadlineAt - performance.now();
    pending.runInAsyncScope(() => pending.resolve(this.begin({ ...message, deadlineMs })));
    this.end(pending);
  }

  private writeAgain(pending: PendingPublish): void {
    if (pending.ended) return;
    this.enqueue(pending);
    this.pump();
  }

  private examined(pending: PendingPublish, verdict: SuspectVerdict): void {
    if (verdict === 'confirmed') this.end(pending);
    else if (verdict === 'returned') void this.chances.returned(pending);
    else if (verdict === 'nacked' || verdict === 'lost') this.writeAgain(pending);
    else void this.chances.culprit(pending, verdict.closedBy);
  }

  private sweep(): void {
    const now = performance.now();
    const before = this.all.size;
    for (const pending of this.all) if (pending.deadlineAt <= now) this.expire(pending);
    // While nothing can be written, nothing else removes ended publishes.
    if (this.all.size < before) this.waiting.takeAll(({ ended }) => ended);
  }

  private endAll(): void {
    for (const pending of [...this.all]) this.expire(pending);
  }

  private expire(pending: PendingPublish): void {
    this.end(pending, this.unfinished(pending));
  }

  private unfinished(pending: PendingPublish): Error | undefined {
    if (pending.inFlight || pending.outcomeUnknown) return outcomeUnknown(pending);
    if (pending.kept > 0) return this.chances.unwanted(pending);
    return pending.nacks > 0 ? refused(pending) : timedOut(pending, this.connection);
  }
}
