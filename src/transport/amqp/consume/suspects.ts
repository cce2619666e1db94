import { GuiltyQueueError } from '../../../errors.js';
import { pause, systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { Connection, ConnectionListener } from '../connection/connection.js';
import { reachedLimit } from '../connection/limits.js';
import { SpareConnection } from '../connection/spare-connection.js';
import type { AmqpConsumer } from './consumer.js';

/*
 * A message may end each connection over which it is delivered: the broker, the client library or something
 * between them fails on it. It is delivered again at once, and ends the next connection, which all queues
 * share.
 *
 * When the consuming connection is lost twice in a short time, and the publishing one is not, its queues are
 * suspects. Each half of them is consumed over a separate connection, one message at a time. A half whose
 * connection is lost is halved again, until one queue is alone; queues whose connection lives long enough go
 * back. A queue that loses a connection alone twice is guilty, and stays apart. It is tried again and again,
 * which ends a quorum queue's message at its delivery limit.
 */

export interface SuspectsOptions {
  readonly publish: Pick<Connection, 'model'>;
  readonly consume: Connection;
  /** A new, unopened connection. */
  spare(): Connection;
}

/** Listener of a suspected consumer. */
export interface SuspectListener {
  suspected(error: Error): void;
  guilty(error: Error, losses: number, retryInMs: number): void;
  cleared(): void;
}

interface Suspect {
  readonly consumer: AmqpConsumer;
  readonly listener: SuspectListener;
  /** Connections that it has lost while alone. */
  losses: number;
}

/** Queues that are consumed over one separate connection. */
interface Group {
  members: readonly Suspect[];
}

const LOSSES_WITHIN_MS = 30_000;
/**
 * Time within which the other connection is lost, too, if they have a common cause; a new try to connect begins
 * later.
 */
const GOES_WITH_IT_MS = 50;
const MOST_SPARES = 4;
/**
 * Time that a suspect's separate connection must live to clear it. Doubled each time that the search begins
 * again within {@link SAME_SEARCH_MS}.
 */
const CLEARED_AFTER_MS = 10_000;
const LATEST_CLEARED_MS = 300_000;
const SAME_SEARCH_MS = 600_000;
const GUILTY_FROM = 2;
/** Pause between tries where each try counts for the message alone: enough tries end it, so they are made quickly. */
const COUNTED_PAUSE_MS = 200;
/** More tries than Hopline's delivery limit allows. */
const COUNTED_TRIES = 250;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;

/** Finds the queue that ends its connection, and keeps it apart. */
export class Suspects {
  /** Consumers of the shared connection. */
  private readonly shared = new Map<AmqpConsumer, Suspect>();
  private readonly apart = new Map<Suspect, Group>();
  private readonly waiting: Group[] = [];
  private readonly spares = new Set<SpareConnection<Group>>();
  private losses: number[] = [];
  private isUp = false;
  private searches = 0;
  private lastSearchAt = Number.NEGATIVE_INFINITY;
  private readonly ending = new AbortController();
  private readonly watch: ConnectionListener;

  constructor(private readonly options: SuspectsOptions) {
    this.watch = {
      up: () => {
        this.isUp = true;
      },
      down: (error) => this.sharedDown(error),
      blocked: () => {},
      unblocked: () => {},
    };
    options.consume.listen(this.watch);
  }

  add(consumer: AmqpConsumer, listener: SuspectListener): void {
    this.shared.set(consumer, { consumer, listener, losses: 0 });
  }

  remove(consumer: AmqpConsumer): void {
    this.shared.delete(consumer);
    for (const [suspect, group] of this.apart) {
      if (suspect.consumer !== consumer) continue;
      this.apart.delete(suspect);
      group.members = group.members.filter((each) => each !== suspect);
    }
    for (const spare of this.spares) if (spare.isEmpty) this.end(spare);
  }

  async close(deadline: Deadline): Promise<void> {
    this.ending.abort();
    this.options.consume.unlisten(this.watch);
    await Promise.all([...this.spares].map((spare) => spare.close(deadline)));
    this.spares.clear();
  }

  private sharedDown(error: Error): void {
    // A failed try to connect is reported in the same way.
    if (!this.isUp) return;
    this.isUp = false;
    if (isTold(error)) return;
    const now = performance.now();
    // If the other connection is lost, too, as when a broker restarts, no queue is to blame, and the loss is
    // not counted later.
    void this.ifAlone(() => {
      this.losses = [...this.losses.filter((at) => now - at < LOSSES_WITHIN_MS), now];
      if (this.losses.length >= 2) this.suspectAll(error);
    });
  }

  /** Calls `then` if the publishing connection stays up. */
  private async ifAlone(then: () => void): Promise<boolean> {
    const { model } = this.options.publish;
    if (!model) return false;
    await pause(systemClock, GOES_WITH_IT_MS);
    if (this.ending.signal.aborted || this.options.publish.model !== model) return false;
    then();
    return true;
  }

  private suspectAll(error: Error): void {
    this.losses = [];
    const suspects = [...this.shared.values()];
    this.shared.clear();
    if (suspects.length === 0) return;
    const now = performance.now();
    this.searches = now - this.lastSearchAt < SAME_SEARCH_MS ? this.searches + 1 : 0;
    this.lastSearchAt = now;
    for (const suspect of suspects) suspect.listener.suspected(error);
    this.halve(suspects);
  }

  private halve(members: readonly Suspect[]): void {
    const half = Math.ceil(members.length / 2);
    for (const part of [members.slice(0, half), members.slice(half)]) if (part.length > 0) this.begin(part);
  }

  private begin(members: readonly Suspect[]): void {
    const group = { members };
    for (const suspect of members) this.apart.set(suspect, group);
    this.waiting.push(group);
    this.startNext();
  }

  private startNext(): void {
    while (this.spares.size < MOST_SPARES && !this.ending.signal.aborted) {
      const group = this.waiting.shift();
      if (!group) return;
      if (group.members.length > 0) this.start(group);
    }
  }

  private start(group: Group): void {
    const spare: SpareConnection<Group> = new SpareConnection(
      this.options.spare(),
      group,
      this.clearedAfterMs,
      {
        lost: (error) => {
          if (isTold(error)) spare.goesOn();
          else void this.ifAlone(() => this.lost(spare, error)).then((alone) => alone || spare.goesOn());
        },
        lived: () => this.goBack(spare),
      },
    );
    this.spares.add(spare);
    for (const { consumer } of group.members) void consumer.moveTo(spare.connection, 1);
    spare.connect();
  }

  private get clearedAfterMs(): number {
    return Math.min(LATEST_CLEARED_MS, CLEARED_AFTER_MS * 2 ** this.searches);
  }

  private lost(spare: SpareConnection<Group>, error: Error): void {
    const members = this.membersOf(spare);
    this.end(spare);
    const [only, ...others] = members;
    if (only && others.length === 0) void this.lostAlone(only, error);
    else this.halve(members);
  }

  /** Queues that have gone back are not members, though the connection stays until their deliveries are settled. */
  private membersOf({ group }: SpareConnection<Group>): readonly Suspect[] {
    return group.members.filter((each) => this.apart.get(each) === group);
  }

  private async lostAlone(suspect: Suspect, cause: Error): Promise<void> {
    suspect.losses += 1;
    const { consumer, listener, losses } = suspect;
    const retryInMs = pauseAfter(losses, consumer.counts);
    if (losses >= GUILTY_FROM) {
      const error = new GuiltyQueueError(consumer.queue, losses, consumer.counts, { cause });
      listener.guilty(error, losses, retryInMs);
    }
    await pause(systemClock, retryInMs, this.ending.signal).catch(() => {});
    if (this.apart.has(suspect)) this.begin([suspect]);
  }

  private goBack(spare: SpareConnection<Group>): void {
    const { consume } = this.options;
    const moving = this.membersOf(spare).map((suspect) => {
      this.apart.delete(suspect);
      suspect.losses = 0;
      this.shared.set(suspect.consumer, suspect);
      suspect.listener.cleared();
      return suspect.consumer.moveTo(consume, Number.POSITIVE_INFINITY);
    });
    // Deliveries on the separate connection are settled on it.
    void Promise.all(moving).then(() => this.end(spare));
  }

  private end(spare: SpareConnection<Group>): void {
    this.spares.delete(spare);
    void spare.close(new Deadline(systemClock, 0));
    this.startNext();
  }
}

/** The broker gives a reason for closing the connection that no message causes: a limit, or an operator. */
const isTold = ({ message }: Error): boolean =>
  /CONNECTION[-_]FORCED/.test(message) || reachedLimit(message) !== undefined;

function pauseAfter(losses: number, counts: boolean): number {
  if (losses < GUILTY_FROM) return 0;
  if (counts && losses < COUNTED_TRIES) return COUNTED_PAUSE_MS;
  const grown = FIRST_PAUSE_MS * 2 ** (losses - (counts ? COUNTED_TRIES : GUILTY_FROM));
  return Math.min(LONGEST_PAUSE_MS, grown);
}
