import { StoppedError } from '../../../errors.js';
import type { OutgoingMessage } from '../../../message/message.js';
import type { Published } from '../../../message/published.js';
import type { Deadline } from '../../../util/deadline.js';
import { Line } from '../../../util/line.js';
import { inRootContext } from '../../../util/root-context.js';
import type { ChannelError } from '../connection/channel.js';
import type { Connection, ConnectionListener } from '../connection/connection.js';
import type { Watched } from '../connection/stall-watch.js';
import type { Mended } from '../topology/declarations.js';
import { examine, type SuspectVerdict } from '../topology/examine.js';
import { YoungExchanges } from '../topology/young-exchanges.js';
import { HeldPublishes } from './held-publishes.js';
import { PendingPublish, type Verdict } from './pending-publish.js';
import {
  notTakenYet,
  outcomeUnknown,
  refused,
  rejected,
  timedOut,
  unencodable,
  unroutable,
} from './publish-errors.js';
import { PublishLane, type PublishLaneListener } from './publish-lane.js';

export interface AmqpPublisherOptions {
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  /** Called when the broker reports a missing exchange: declares it again if it is one of ours. True if it did. */
  onMissingExchange(exchange: string): Promise<boolean>;
  /**
   * Called when no queue took a message: if one of our bindings should have, declares our topology again. True
   * if it did.
   */
  onUnroutable(message: OutgoingMessage): Promise<boolean>;
  onReopened(error: Error): void;
}

/** Interval at which deadlines are checked. */
const SWEEP_MS = 50;

const FIRST_NACK_PAUSE_MS = 50;
const LONGEST_NACK_PAUSE_MS = 1_000;
/**
 * RabbitMQ 3.10 nacks without end on a channel whose first publish to a queue came at a moment without a
 * leader. A new channel may be opened in that moment, too, so it is not necessarily the last one.
 */
const NACKS_BEFORE_NEW_LANE = 3;
const NEW_LANE_AT_MOST_EVERY_MS = 250;
/**
 * Counted from the first nack. An election takes 0.1 to 0.4 s, also on a busy machine (tried on 3.10.8, 4.0.5
 * and 4.3.6).
 */
const REFUSED_FOR_MS = 5_000;

/** Shortest and longest pause between two tries of a message that no queue takes in a young exchange. */
const FIRST_KEPT_PAUSE_MS = 50;
const LONGEST_KEPT_PAUSE_MS = 2_000;

/** The broker's words. */
const MISSING_EXCHANGE = /no exchange '([^']*)'/;

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
  private readonly young = new YoungExchanges();
  private inFlight = 0;
  private inFlightBytes = 0;
  private lane: PublishLane;
  private laneSince = performance.now();
  private readonly unblocked: ConnectionListener;
  private sweeper: NodeJS.Timeout | undefined;
  private draining = false;
  private onEmpty: (() => void) | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: AmqpPublisherOptions,
  ) {
    this.lane = new PublishLane(connection, this);
    let wasDown = false;
    this.unblocked = {
      up: () => {
        if (wasDown) this.young.reconnected();
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
    return new Promise((resolve, reject) => {
      const pending = new PendingPublish(message, performance.now() + message.deadlineMs, resolve, reject);
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
    for (const exchange of exchanges) this.young.remade(exchange);
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
    else if (verdict === 'returned') void this.returned(pending);
    else this.nacked(pending, lane);
    this.pump();
  }

  lost(unconfirmed: readonly PendingPublish[], error: ChannelError): void {
    for (const pending of unconfirmed) {
      pending.outcomeUnknown = true;
      this.land(pending);
    }
    const open = unconfirmed.filter(({ ended }) => !ended);
    const { model } = this.connection;
    if (error.code === 404) this.missed(open, error);
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
    const { message } = pending;
    pending.mandatory = message.mandatory || this.young.has(message);
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

  private nacked(pending: PendingPublish, lane: PublishLane): void {
    const now = performance.now();
    pending.nacks += 1;
    pending.firstNackAt ??= now;
    // A message that an earlier channel may have stored is not rejected: it is tried until its deadline.
    if (now - pending.firstNackAt >= REFUSED_FOR_MS && !pending.outcomeUnknown) {
      this.end(pending, refused(pending));
      return;
    }
    if (pending.nacks >= NACKS_BEFORE_NEW_LANE && lane === this.lane) void this.renewLane();
    const pauseMs = Math.min(FIRST_NACK_PAUSE_MS * 2 ** (pending.nacks - 1), LONGEST_NACK_PAUSE_MS);
    setTimeout(() => this.writeAgain(pending), pauseMs);
  }

  private writeAgain(pending: PendingPublish): void {
    if (pending.ended) return;
    this.enqueue(pending);
    this.pump();
  }

  /** Publishes that wait for confirms on the old lane get them there. */
  private async renewLane(): Promise<void> {
    const now = performance.now();
    if (now - this.laneSince < NEW_LANE_AT_MOST_EVERY_MS) return;
    this.laneSince = now;
    const old = this.lane;
    const fresh = new PublishLane(this.connection, this);
    try {
      await fresh.start();
    } catch {
      return;
    }
    this.lane = fresh;
    old.retire();
    this.pump();
  }

  private examined(pending: PendingPublish, verdict: SuspectVerdict): void {
    if (verdict === 'confirmed') this.end(pending);
    else if (verdict === 'returned') void this.returned(pending);
    else if (verdict === 'nacked' || verdict === 'lost') this.writeAgain(pending);
    else void this.culprit(pending, verdict.closedBy);
  }

  /** Whoever declares the exchange again: until it is bound, messages to it must not be dropped. */
  private missed(open: readonly PendingPublish[], error: ChannelError): void {
    const [, exchange] = MISSING_EXCHANGE.exec(error.message) ?? [];
    if (exchange === undefined) return;
    this.young.remade(exchange);
    for (const pending of open) pending.mandatory ||= pending.message.exchange === exchange;
  }

  private async returned(pending: PendingPublish): Promise<void> {
    const { message } = pending;
    if (await this.mended(pending, () => this.options.onUnroutable(message))) this.writeAgain(pending);
    else if (this.young.keeps(message)) this.keep(pending);
    else this.end(pending, message.mandatory ? unroutable(pending) : undefined);
  }

  /** A binding to the message's exchange may be on its way: tries again after a pause. */
  private keep(pending: PendingPublish): void {
    const pauseMs = Math.min(FIRST_KEPT_PAUSE_MS * 2 ** pending.kept, LONGEST_KEPT_PAUSE_MS);
    pending.kept += 1;
    setTimeout(() => this.writeAgain(pending), pauseMs);
  }

  /** Ends the publish for which the broker closed the channel. */
  private async culprit(pending: PendingPublish, error: ChannelError): Promise<void> {
    const { exchange } = pending.message;
    const isMissing = error.code === 404;
    if (isMissing && (await this.mended(pending, () => this.options.onMissingExchange(exchange))))
      this.writeAgain(pending);
    else this.end(pending, rejected(pending, error.message, error));
  }

  /** True if the missing part of the topology was declared again, for the first time. */
  private async mended(pending: PendingPublish, declare: () => Promise<boolean>): Promise<boolean> {
    if (pending.redeclared) return false;
    pending.redeclared = true;
    return declare().catch(() => false);
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

  /**
   * Error at the deadline of a message that no queue has taken; undefined for an event, which no queue needs to
   * take.
   */
  private unwanted(pending: PendingPublish): Error | undefined {
    const { message } = pending;
    if (message.mandatory) return unroutable(pending);
    return this.young.wasRemade(message.exchange) ? notTakenYet(pending) : undefined;
  }

  private unfinished(pending: PendingPublish): Error | undefined {
    if (pending.inFlight || pending.outcomeUnknown) return outcomeUnknown(pending);
    if (pending.kept > 0) return this.unwanted(pending);
    return pending.nacks > 0 ? refused(pending) : timedOut(pending, this.connection);
  }
}
