import { GuiltyQueueError } from '../../errors.js';
import { pause, systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import type { Connection, ConnectionListener } from './connection.js';
import type { AmqpConsumer } from './consumer.js';
import { reachedLimit } from './limits.js';
import { SpareConnection } from './spare-connection.js';

/*
 * A message may end each connection that it is delivered over: the broker, the client library or something between them
 * doesn't survive it. It comes back at once, and ends the next one; and all queues share one connection.
 *
 * When that is lost twice in a short time, and the publishing one is not, its queues are suspects. Half of them each is
 * consumed over a connection of its own, one message at a time; a half whose connection is lost is halved again, until
 * one is alone; what lives long enough goes back. Who loses a connection alone twice is guilty, and stays apart: it is
 * tried again and again, which ends a quorum queue's message at its delivery limit.
 */

export interface SuspectsOptions {
  readonly publish: Pick<Connection, 'model'>;
  readonly consume: Connection;
  /** A new connection, not open yet. */
  spare(): Connection;
}

/** What becomes of a consumer. */
export interface SuspectListener {
  suspected(error: Error): void;
  guilty(error: Error, losses: number, retryInMs: number): void;
  cleared(): void;
}

interface Suspect {
  readonly consumer: AmqpConsumer;
  readonly listener: SuspectListener;
  /** Connections that it has lost alone. */
  losses: number;
}

/** Consumed over one connection apart. */
interface Group {
  members: readonly Suspect[];
}

const LOSSES_WITHIN_MS = 30_000;
/** Whether the other connection goes with it shows within this; a new try to connect begins later. */
const GOES_WITH_IT_MS = 50;
const MOST_SPARES = 4;
/** So long has a suspect to live over its connection apart. Doubled each time that the search begins again within {@link SAME_SEARCH_MS}. */
const CLEARED_AFTER_MS = 10_000;
const LATEST_CLEARED_MS = 300_000;
const SAME_SEARCH_MS = 600_000;
const GUILTY_FROM = 2;
/** Where each try is charged to the message, and to nothing else, tries end it: soon. */
const COUNTED_PAUSE_MS = 200;
/** More tries than a delivery limit of ours allows. */
const COUNTED_TRIES = 250;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;

/** Finds which queue of a connection ends it, and keeps that apart. */
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
    // A try to connect that fails is told in the same way.
    if (!this.isUp) return;
    this.isUp = false;
    if (isTold(error)) return;
    const now = performance.now();
    // That it goes with the other one, as when a broker restarts, is nobody's fault, and counts for nothing later.
    void this.ifAlone(() => {
      this.losses = [...this.losses.filter((at) => now - at < LOSSES_WITHIN_MS), now];
      if (this.losses.length >= 2) this.suspectAll(error);
    });
  }

  /** If the publishing connection stays up. */
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

  /** Those that have gone back are none of them, though it stays for what they have to settle there. */
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
    // What they have taken over it is settled over it.
    void Promise.all(moving).then(() => this.end(spare));
  }

  private end(spare: SpareConnection<Group>): void {
    this.spares.delete(spare);
    void spare.close(new Deadline(systemClock, 0));
    this.startNext();
  }
}

/** The broker says why it closes the connection, and that is no message: a limit, or an operator who wants it closed. */
const isTold = ({ message }: Error): boolean =>
  /CONNECTION[-_]FORCED/.test(message) || reachedLimit(message) !== undefined;

function pauseAfter(losses: number, counts: boolean): number {
  if (losses < GUILTY_FROM) return 0;
  if (counts && losses < COUNTED_TRIES) return COUNTED_PAUSE_MS;
  const grown = FIRST_PAUSE_MS * 2 ** (losses - (counts ? COUNTED_TRIES : GUILTY_FROM));
  return Math.min(LONGEST_PAUSE_MS, grown);
}
