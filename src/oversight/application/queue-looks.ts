import type { SlotGroupStatus } from '../../consume/report/status.js';
import type { ProcessStatus } from '../../control/answer.js';
import {
  stateInProcesses,
  toldOldestMs,
  type UnconsumedParts,
  unconsumedMs,
} from '../../control/queue-report.js';
import type { Looked } from '../../control/results.js';
import { HoplineError } from '../../errors.js';
import type { QueueFacts } from '../../observe/alerts/measuring/snapshot.js';
import { deadQueueOf, type Names } from '../../topology/names.js';
import type { QueueState } from '../../transport/operator-session.js';
import type { Session, Transport } from '../../transport/transport.js';
import type { ManagedState } from './managed-state.js';
import { Turns } from './turns.js';

export interface QueueLooksOptions {
  readonly transport: Transport;
  readonly names: Names;
  /** Queues that are looked at whether anybody has told of them or not. */
  readonly named: readonly string[];
  /**
   * Questions to the broker in one look beyond which the counts of the management API are taken instead, if there is one: they are some
   * seconds old, and cost the broker a fifth of that.
   */
  readonly mostQuestions: number;
}

/** What a look at queues goes by. */
export interface Looking extends Looked {
  readonly session: Session;
  readonly managed: ManagedState | undefined;
}

/** Time for which the first message of a queue is not looked at again that could not be: for a stream, the broker closes the connection. */
const PEEK_AGAIN_MS = 600_000;

/** Time for which what a look at the first message has told is believed, while nobody consumes. */
const PEEKED_MS = 10_000;

/** Time for which a queue that is not there is not asked for again: the broker logs each such question as an error. */
const ABSENT_MS = 10_000;

/** Time for which it is believed how many consumers of others a queue has, where only the broker knows that. */
const OTHERS_MS = 60_000;

/** The work queues of an application, looked at again and again. */
export class QueueLooks {
  private readonly queues: Set<string>;
  /** Queue that each lane belongs to, as workers have told: it stays so while none of them answers. */
  private readonly wholes = new Map<string, string>();
  private readonly turns: Turns;
  /** Monotonic milliseconds from which on it may be tried again, by queue. */
  private readonly unreadable = new Map<string, number>();
  /** What the first message of a queue that nobody consumes has told of the time for which it waits. */
  private readonly peeked = new Map<string, { readonly oldestMs: number | undefined; readonly at: number }>();
  /** Monotonic milliseconds at which it was seen that there is no such queue. */
  private readonly absent = new Map<string, number>();
  /** Consumers beside those that have told of themselves, by queue. */
  private readonly others = new Map<string, { readonly count: number; readonly at: number }>();

  constructor(private readonly options: QueueLooksOptions) {
    this.queues = new Set(options.named);
    this.turns = new Turns(options.transport.clock);
  }

  async look(looking: Looking): Promise<QueueFacts[]> {
    const { processes, managed } = looking;
    for (const { queue, of } of lanesOf(processes)) {
      this.queues.add(queue);
      this.wholes.set(queue, of);
    }
    for (const queue of managed?.queues ?? []) this.queues.add(queue);
    for (const [queue, at] of this.absent) if (this.now - at >= ABSENT_MS) this.absent.delete(queue);
    const asked = [...this.queues];
    const counts = 2 * asked.length > this.options.mostQuestions ? managed?.all : undefined;
    const served = slotGroupsBy(processes);
    const found = await this.turns.ask(asked, (queue) =>
      this.facts(queue, served.get(queue) ?? [], looking, counts),
    );
    return asked.flatMap((queue) => (found.has(queue) ? (found.get(queue) ?? []) : this.unknownQueue(queue)));
  }

  /** Undefined for a queue that does not exist. @param slotGroups those of all processes that serve it */
  private async facts(
    queue: string,
    slotGroups: readonly SlotGroupStatus[],
    looking: Looking,
    counts: ManagedState['all'] | undefined,
  ): Promise<QueueFacts | undefined> {
    const { paused } = looking;
    const processes = [{ slotGroups }];
    const serving = lanesOf(processes).filter((lane) => lane.queue === queue);
    const whole = this.wholes.get(queue) ?? queue;
    const isPaused =
      serving.some((lane) => lane.paused.some((why) => why !== 'higher-lane')) ||
      paused?.some((name) => name === queue || name === whole);
    try {
      const consuming = serving.filter((lane) => lane.paused.length === 0).length;
      const state =
        stateInProcesses(queue, processes) ??
        this.counted(queue, counts, consuming) ??
        (await this.inspected(queue, looking, consuming));
      if (!state) {
        this.peeked.delete(queue);
        if (!this.options.named.includes(queue)) this.queues.delete(queue);
        return undefined;
      }
      return {
        queue,
        of: whole,
        length: state.ready,
        consumers: state.consumers,
        paused: isPaused,
        oldestMs:
          toldOldestMs(queue, state.ready, processes) ?? (await this.unconsumedMs(queue, state, looking)),
        deadLetters:
          counts?.get(deadQueueOf(whole))?.counts?.ready ??
          (await this.inspect(deadQueueOf(whole), looking))?.ready,
      };
    } catch (error) {
      // It has no leader, for instance; of the others there is an answer.
      if (!(error instanceof HoplineError)) throw error;
      return { ...this.unknownQueue(queue), paused: isPaused };
    }
  }

  /** By the management API, as far as that can be: how many consumers there are it does not tell without its statistics. */
  private counted(
    queue: string,
    counts: ManagedState['all'] | undefined,
    consuming: number,
  ): QueueState | undefined {
    const ready = counts?.get(queue)?.counts?.ready;
    const others = this.others.get(queue);
    if (ready === undefined || consuming === 0 || !others) return undefined;
    if (this.now - others.at > OTHERS_MS) return undefined;
    return { ready, consumers: consuming + others.count };
  }

  private async inspected(
    queue: string,
    looking: Looking,
    consuming: number,
  ): Promise<QueueState | undefined> {
    const state = await this.inspect(queue, looking);
    const at = this.now;
    if (state) this.others.set(queue, { count: Math.max(0, state.consumers - consuming), at });
    else this.others.delete(queue);
    return state;
  }

  /** State of a queue by the broker; undefined if there is none, which is believed for a while. */
  private async inspect(queue: string, { session, managed }: Looking): Promise<QueueState | undefined> {
    if (managed && !managed.all.has(queue)) return undefined;
    if (this.absent.has(queue)) return undefined;
    const state = await session.inspect(queue);
    if (!state) this.absent.set(queue, this.now);
    return state;
  }

  private async unconsumedMs(
    queue: string,
    state: QueueState,
    { session }: Looking,
  ): Promise<number | undefined> {
    if (state.consumers > 0 || state.ready === 0) {
      this.peeked.delete(queue);
      return state.consumers > 0 ? undefined : 0;
    }
    const { peeked, options } = this;
    const { transport, names } = options;
    const before = peeked.get(queue);
    const age = before && this.now - before.at;
    if (before && age !== undefined && age < PEEKED_MS)
      return before.oldestMs === undefined ? undefined : before.oldestMs + age;
    const at = this.now;
    const oldestMs = await unconsumedMs(queue, state, { session: this.reader(session), transport, names });
    peeked.set(queue, { oldestMs, at });
    return oldestMs;
  }

  private get now(): number {
    return this.options.transport.clock.monotonic();
  }

  /**
   * Looks at messages of queues that workers serve, or that are named: to look at one counts it as redelivered, which others may
   * mind, and of what a queue of theirs is nothing is known.
   */
  private reader(session: Session): UnconsumedParts['session'] {
    const { wholes, unreadable, options } = this;
    return {
      brokerInfo: session.brokerInfo,
      async peek(queue) {
        const now = options.transport.clock.monotonic();
        if (!wholes.has(queue) && !options.named.includes(queue)) return undefined;
        if (now < (unreadable.get(queue) ?? now)) return undefined;
        unreadable.delete(queue);
        return await session.peek(queue).catch((error) => {
          unreadable.set(queue, now + PEEK_AGAIN_MS);
          throw error;
        });
      },
    };
  }

  /** A queue of which nothing is known but whose it is. */
  private unknownQueue(queue: string): QueueFacts {
    return {
      ...{ queue, of: this.wholes.get(queue) ?? queue },
      ...{
        length: undefined,
        consumers: undefined,
        paused: undefined,
        oldestMs: undefined,
        deadLetters: undefined,
      },
    };
  }
}

/** Slot groups of all processes by the queues that they serve. */
function slotGroupsBy(processes: Looked['processes']): ReadonlyMap<string, readonly SlotGroupStatus[]> {
  const groups = new Map<string, SlotGroupStatus[]>();
  for (const group of processes.flatMap(({ slotGroups }) => slotGroups))
    for (const queue of new Set(group.lanes.map((lane) => lane.queue))) {
      const known = groups.get(queue);
      if (known) known.push(group);
      else groups.set(queue, [group]);
    }
  return groups;
}

const lanesOf = (processes: readonly Pick<ProcessStatus, 'slotGroups'>[]) =>
  processes.flatMap(({ slotGroups }) => slotGroups.flatMap((group) => group.lanes));
