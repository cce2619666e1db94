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
    const asked = [...this.queues];
    const counts = 2 * asked.length > this.options.mostQuestions ? managed?.all : undefined;
    const found = await this.turns.ask(asked, (queue) => this.facts(queue, looking, counts));
    return asked.flatMap((queue) => (found.has(queue) ? (found.get(queue) ?? []) : this.unknownQueue(queue)));
  }

  /** Undefined for a queue that does not exist. */
  private async facts(
    queue: string,
    { session, processes, paused }: Looking,
    counts: ManagedState['all'] | undefined,
  ): Promise<QueueFacts | undefined> {
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
        (await this.inspected(queue, session, consuming));
      if (!state) {
        if (!this.options.named.includes(queue)) this.queues.delete(queue);
        return undefined;
      }
      const { transport, names } = this.options;
      return {
        queue,
        of: whole,
        length: state.ready,
        consumers: state.consumers,
        paused: isPaused,
        oldestMs:
          toldOldestMs(queue, state.ready, processes) ??
          (await unconsumedMs(queue, state, { session: this.reader(session), transport, names })),
        deadLetters:
          counts?.get(deadQueueOf(whole))?.counts?.ready ??
          (await session.inspect(deadQueueOf(whole)))?.ready,
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
    if (this.options.transport.clock.monotonic() - others.at > OTHERS_MS) return undefined;
    return { ready, consumers: consuming + others.count };
  }

  private async inspected(
    queue: string,
    session: Session,
    consuming: number,
  ): Promise<QueueState | undefined> {
    const state = await session.inspect(queue);
    const at = this.options.transport.clock.monotonic();
    if (state) this.others.set(queue, { count: Math.max(0, state.consumers - consuming), at });
    else this.others.delete(queue);
    return state;
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

const lanesOf = (processes: Looked['processes']) =>
  processes.flatMap(({ slotGroups }) => slotGroups.flatMap((group) => group.lanes));
