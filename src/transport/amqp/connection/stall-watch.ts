import { OutcomeUnknownError, PublishRejectedError, UnroutableError } from '../../../errors.js';
import type { OutgoingMessage } from '../../../message/message.js';
import { pause, systemClock } from '../../../util/clock.js';
import type { BrokerAddress } from '../options.js';
import type { Addressed, PendingPublish } from '../publish/pending-publish.js';
import type { Finding } from '../publish/second-look.js';
import type { Connection } from './connection.js';
import type { Probe } from './probe.js';

/** The part of a publisher that is watched. */
export interface Watched {
  /** Number of the broker's answers: confirms, nacks and returns. */
  readonly answers: number;
  /** Oldest publish without an answer. */
  readonly unanswered: PendingPublish | undefined;
  /** Stops waiting for answers to publishes that have ended by their deadline. */
  forgetEnded(): void;
  publish(message: OutgoingMessage): Promise<unknown>;
  /** Called when another connection has confirmed the publish. */
  confirmedElsewhere(pending: PendingPublish): void;
}

export interface StallWatchOptions {
  readonly publish: Pick<Connection, 'model' | 'isBlocked' | 'address' | 'setStalled'>;
  readonly consume: Pick<Connection, 'model' | 'isBlocked' | 'address' | 'deliveries' | 'move'>;
  /** Other addresses to look at, in order. */
  others(than: string): Promise<readonly BrokerAddress[]>;
  look(address: BrokerAddress, message: Addressed): Promise<Finding>;
  /** Moves both connections. */
  move(to: BrokerAddress, why: Error): void;
}

const TICK_MS = 1_000;

/**
 * Seconds without an answer that count as a stall: an election takes 0.4 s, and heartbeats give a dead
 * connection up after 20 s.
 */
const STALLED_AFTER = 8;

/** Seconds without a delivery after which a consuming bus asks whether the broker still confirms. */
const QUIET_AFTER = 20;

/** Seconds between two checks that found nothing better; the pause grows. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 300;

/** Time for this address to confirm as well, after another one has confirmed. */
const GRACE_MS = 500;

/** At the start nothing shows yet that the address is worth waiting for. */
const PROVE_WITHIN_MS = 4_000;

/** The publish that has waited longest for an answer. */
interface Waiting {
  readonly pending: PendingPublish;
  /** Number of ticks for which it has waited. */
  ticks: number;
}

/**
 * Detects a node that is cut off from its majority: its port is open and its heartbeats arrive, but it confirms
 * nothing. A single timer compares counters; a message costs nothing. Before a move another address is checked:
 * see {@link secondLook}.
 *
 * The watch counts its own ticks instead of the time: a blocked event loop, after which all answers are read at
 * once, is one tick.
 */
export class StallWatch {
  private readonly watched = new Map<Watched, Waiting | undefined>();
  private readonly probes = new Map<Watched, Probe>();
  private timer: NodeJS.Timeout | undefined;
  /** The connection at the last tick. */
  private model: unknown;
  private answers = 0;
  private ticksWithoutAnswer = 0;
  private deliveries = 0;
  private quietTicks = 0;
  /** Number of consumers on the consuming connection. */
  consumers = 0;

  private isStalled = false;
  private isLooking = false;
  private isProbing = false;
  /** Ticks until the next check. */
  private restTicks = 0;
  private pauseTicks = FIRST_PAUSE;

  constructor(private readonly options: StallWatchOptions) {}

  add(publisher: Watched): void {
    this.watched.set(publisher, undefined);
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** @param probe a message that a quorum queue stores and drops */
  addProbe(publisher: Watched, probe: Probe): void {
    if (this.watched.has(publisher)) this.probes.set(publisher, probe);
  }

  remove(publisher: Watched): void {
    this.watched.delete(publisher);
    this.probes.delete(publisher);
  }

  /**
   * Checks the address before a starting bus uses it: an address that confirms nothing is left for the next one
   * that does.
   *
   * @returns false if both connections move
   */
  async prove(publisher: Watched, probe: Probe): Promise<boolean> {
    const outcome = await publisher
      .publish({ ...probe, deadlineMs: PROVE_WITHIN_MS })
      .catch((error) => error);
    if (!(outcome instanceof OutcomeUnknownError)) return true;
    const to = await this.confirming(plain(probe));
    if (to) this.leap(to);
    return !to;
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.watched.clear();
    this.probes.clear();
  }

  /** Called once a second. */
  tick(): void {
    const { publish } = this.options;
    if (this.restTicks > 0) this.restTicks -= 1;
    this.countAnswers();
    const waits = this.countWaiting();
    const isAnother = this.model !== undefined && publish.model !== this.model;
    this.model = publish.model;
    if (!publish.model || publish.isBlocked || isAnother) {
      this.forget();
      return;
    }
    if (waits < STALLED_AFTER) {
      if (waits === 0) this.pauseTicks = FIRST_PAUSE;
      this.setStalled(false);
    } else if (this.ticksWithoutAnswer >= STALLED_AFTER) this.setStalled(true);
    if (waits >= STALLED_AFTER && this.restTicks === 0 && !this.isLooking) void this.look();
    this.listenForDeliveries();
  }

  private countAnswers(): void {
    let answers = 0;
    for (const each of this.watched.keys()) answers += each.answers;
    if (answers !== this.answers) {
      // The oldest of those that are left, so its waiting begins now.
      this.ticksWithoutAnswer = 1;
      this.setStalled(false);
    } else this.ticksWithoutAnswer += 1;
    this.answers = answers;
  }

  /** Ticks for which the oldest publish has waited. */
  private countWaiting(): number {
    let longest = 0;
    for (const [each, before] of this.watched) {
      const pending = each.unanswered;
      if (!pending) this.watched.set(each, undefined);
      else if (before?.pending === pending) before.ticks += 1;
      else this.watched.set(each, { pending, ticks: 1 });
      longest = Math.max(longest, this.watched.get(each)?.ticks ?? 0);
    }
    return longest;
  }

  /** Nothing can be expected yet without a connection, on a new one and on a blocked one. */
  private forget(): void {
    this.ticksWithoutAnswer = 0;
    this.quietTicks = 0;
    this.isStalled = false;
    for (const each of this.watched.keys()) this.watched.set(each, undefined);
  }

  private setStalled(isStalled: boolean): void {
    if (this.isStalled === isStalled) return;
    this.isStalled = isStalled;
    this.options.publish.setStalled(isStalled);
  }

  private async look(): Promise<void> {
    this.isLooking = true;
    try {
      const [publisher, waiting] =
        [...this.watched].sort(([, a], [, b]) => (b?.ticks ?? 0) - (a?.ticks ?? 0))[0] ?? [];
      if (!publisher || !waiting) return;
      if (waiting.pending.ended) await this.lookWithProbe(publisher);
      else await this.lookWith(publisher, waiting.pending);
    } finally {
      this.isLooking = false;
      this.restTicks = this.pauseTicks;
      this.pauseTicks = Math.min(this.pauseTicks * 2, LONGEST_PAUSE);
    }
  }

  private async lookWith(publisher: Watched, pending: PendingPublish): Promise<void> {
    const to = await this.confirming(pending);
    if (!to) return;
    publisher.confirmedElsewhere(pending);
    await pause(systemClock, GRACE_MS);
    if (publisher.unanswered === pending) this.leap(to);
  }

  /**
   * The waiting publishes have ended by their deadline. A probe is used instead, which must fail here as well:
   * its confirm elsewhere proves nothing alone.
   */
  private async lookWithProbe(publisher: Watched): Promise<void> {
    const probe = this.probes.get(publisher);
    if (!probe) return;
    let isConfirmed = false;
    publisher.publish(probe).then(
      () => {
        isConfirmed = true;
      },
      () => {},
    );
    const to = await this.confirming(plain(probe));
    await pause(systemClock, GRACE_MS);
    if (isConfirmed) publisher.forgetEnded();
    else if (to) this.leap(to);
  }

  /** The next address that can be reached, if it confirms. */
  private async confirming(message: Addressed): Promise<BrokerAddress | undefined> {
    const { publish, others, look } = this.options;
    const addresses = await others(publish.address).catch(() => []);
    for (const address of addresses) {
      const finding = await look(address, message);
      if (finding !== 'unreachable') return finding === 'confirmed' ? address : undefined;
    }
    return undefined;
  }

  /** A bus that only consumes gets no sign from a node that is cut off, and none from one whose queues are empty. */
  private listenForDeliveries(): void {
    const { consume } = this.options;
    const isQuiet = consume.model && this.consumers > 0 && consume.deliveries === this.deliveries;
    this.deliveries = consume.deliveries;
    this.quietTicks = isQuiet ? this.quietTicks + 1 : 0;
    if (this.quietTicks < QUIET_AFTER || this.isProbing) return;
    this.quietTicks = 0;
    this.isProbing = true;
    void this.probe().finally(() => {
      this.isProbing = false;
    });
  }

  private async probe(): Promise<void> {
    const { publish, consume } = this.options;
    const [[publisher, probe] = []] = this.probes;
    if (!publisher || !probe) return;
    if (publish.address !== consume.address) return this.compare(probe);
    // Unanswered, the probe is the waiting publish.
    await publisher.publish(probe).catch((error) => {
      // A user who may not publish the probe, or has no delays, goes without this check.
      if (error instanceof PublishRejectedError || error instanceof UnroutableError)
        this.probes.delete(publisher);
    });
  }

  /** The consuming connection has another address, and must not publish: a blocked connection can't ack. */
  private async compare(probe: Probe): Promise<void> {
    const { publish, consume, others, look } = this.options;
    const all = await others('').catch(() => []);
    const here = all.find(({ name }) => name === consume.address);
    const there = all.find(({ name }) => name === publish.address);
    if (!here || !there || (await look(here, plain(probe))) !== 'not confirmed') return;
    if ((await look(there, plain(probe))) === 'confirmed') consume.move(there, cutOff(here.name, there.name));
  }

  private leap(to: BrokerAddress): void {
    const { publish, move } = this.options;
    // Other connections may be confirmed there, but this one is known to be stalled.
    this.setStalled(true);
    move(to, cutOff(publish.address, to.name));
  }
}

const plain = (probe: Probe): Addressed => ({ message: probe, address: probe });

function cutOff(from: string, to: string): Error {
  return new Error(`${from} confirms nothing, and ${to} does: its node may be cut off from the others`);
}
