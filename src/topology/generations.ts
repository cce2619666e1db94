import { createHash } from 'node:crypto';
import type { QueueType } from './bus-topology.js';
import { landingQueueOf, type Names } from './names.js';
import type { BindingPlan, QueuePlan, TopologyPlan } from './plan.js';

/**
 * A queue that was migrated to other arguments is another queue in the broker: `ledger~2` stands for `ledger`. Routing keys, dead
 * letters and landing queues keep the queue's own name, so that only the names of queues and the destinations of bindings differ.
 */
export interface Generation {
  /** The queue in the broker that is consumed now: the queue itself, or `ledger~2`. */
  readonly name: string;
  readonly type: QueueType;
  /** True if delays lead to it through its landing queue. @default classic ones, and those whose plan has one */
  readonly lands?: boolean | undefined;
  /** True while a migration changes its bindings: nobody else declares or binds it. */
  readonly isMoving: boolean;
  /** True while nobody is to take anything of it. @default false */
  readonly isHeld?: boolean | undefined;
  /** Messages that its next generation has as well. Undefined outside a migration. */
  readonly overlap?: Overlap | undefined;
}

/** Name of a later generation. @param number from 2 */
export const generationName = (queue: string, number: number): string => `${queue}~${number}`;

/** Number of the generation that a queue of the broker is; 1 for one that was never migrated. */
export const generationOf = (queue: string, name: string): number =>
  name.startsWith(`${queue}~`) ? Number(name.slice(queue.length + 1)) : 1;

/** The queue that a queue of the broker stands for; any other name as it is. */
export const logicalNameOf = (name: string): string => name.replace(/~\d+$/, '');

/** Bytes of a key: of a million messages, none is likely to share that of one of fifty thousand, with 10^11 to 1. */
const KEY_BYTES = 9;

/** Characters of a key. */
export const KEY_LENGTH = 12;

/** What is remembered of a message that lies in two generations. */
export const overlapKey = (messageId: string): string =>
  createHash('sha256').update(messageId).digest().subarray(0, KEY_BYTES).toString('base64url');

/** The messages that lie in two generations of a queue: in the older one they are acked and not handled. */
export class Overlap {
  /** @param keys as of {@link overlapKey} */
  constructor(private readonly keys: ReadonlySet<string>) {}

  /** True for one of them. */
  drops({ messageId }: { readonly messageId?: string }): boolean {
    return messageId !== undefined && this.keys.has(overlapKey(messageId));
  }
}

/** The queues of one broker that were migrated, or are. Filled by who reads the document of the migrations; empty until then. */
export class Generations {
  private all: ReadonlyMap<string, Generation> = new Map();
  private readonly left = new Set<string>();
  /** Called for a queue whose part of a topology was left out while it moved, when it has moved. */
  onMoved: (queue: string) => void = () => {};
  /** Called for a migrated queue whose arguments are not those of the plan. */
  onDiffers: (queue: string) => void = () => {};
  /** Reads the document again. Rejects if the broker doesn't answer. */
  read: () => Promise<unknown> = async () => {};
  /** Called when other queues may stand for some. */
  readonly followers = new Set<() => void>();
  /** Number of times that something may have been missed, and of those after which the document was read. */
  private doubts = 0;
  private cleared = 0;
  private clearing: Promise<void> | undefined;
  private refreshing: Promise<void> | undefined;

  constructor(private readonly names: Pick<Names, 'delayOut'>) {}

  replace(all: ReadonlyMap<string, Generation>): void {
    this.all = all;
    for (const queue of [...this.left]) {
      if (all.get(queue)?.isMoving) continue;
      this.left.delete(queue);
      this.onMoved(queue);
    }
    for (const follow of this.followers) follow();
  }

  /** Reads the document again, if the broker answers. A call while another is under way ends with that. */
  refresh(): Promise<void> {
    this.refreshing ??= this.read()
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        this.refreshing = undefined;
      });
    return this.refreshing;
  }

  /** A connection was lost, and with it perhaps the word that a queue is being migrated. */
  doubt(): void {
    this.doubts += 1;
  }

  /** Reads the document again if there is doubt: to be awaited before a queue is declared or consumed. @throws what `read` does */
  certain(): Promise<void> {
    if (this.doubts === this.cleared) return Promise.resolve();
    this.clearing ??= this.clear().finally(() => {
      this.clearing = undefined;
    });
    return this.clearing;
  }

  private async clear(): Promise<void> {
    while (this.doubts > this.cleared) {
      const { doubts } = this;
      await this.read();
      this.cleared = doubts;
    }
  }

  /** Undefined for a queue that was never migrated. */
  of(queue: string): Generation | undefined {
    return this.all.get(queue);
  }

  /** The queue that a queue of the broker stands for, or will once it is migrated; any other name as it is. */
  standsFor(name: string): string {
    const queue = logicalNameOf(name);
    const its = this.all.get(queue);
    return its && (its.name === name || its.isMoving) ? queue : name;
  }

  /** Its name in the broker. */
  nameOf(queue: string): string {
    return this.all.get(queue)?.name ?? queue;
  }

  /**
   * A plan with the names that the broker has. A migrated queue may have other arguments than its plan says: its owner may run an older
   * version of the application, or its options. What belongs to a queue that moves is left out, and declared when it has moved.
   */
  applied(plan: TopologyPlan): TopologyPlan {
    if (this.all.size === 0) return plan;
    const own = new Map<string, Generation>();
    const landings = new Map<string, Generation>();
    const planned = new Set(plan.queues.map(({ name }) => name));
    for (const { name } of plan.queues) {
      const generation = this.all.get(name);
      if (!generation) continue;
      own.set(name, generation);
      landings.set(landingQueueOf(name), generation);
      if (generation.isMoving) this.left.add(name);
    }
    if (own.size === 0) return plan;
    return {
      ...plan,
      queues: plan.queues.flatMap((queue) => {
        const generation = own.get(queue.name);
        if (generation) return [this.queueOf(queue, generation)];
        const landed = landings.get(queue.name);
        return landed && (landed.isMoving || !landsBefore(landed, true)) ? [] : [queue];
      }),
      bindings: plan.bindings.flatMap((binding) => {
        const generation = own.get(binding.destination) ?? landings.get(binding.destination);
        if (generation?.isMoving) return [];
        return generation
          ? [{ ...binding, destination: this.destinationOf(binding, generation, planned) }]
          : [binding];
      }),
    };
  }

  private queueOf(queue: QueuePlan, { name, type, isMoving }: Generation): QueuePlan {
    if (isMoving) return { ...queue, name, verifyOnly: true, migrated: queue };
    const ifDiffers = () => this.onDiffers(queue.name);
    const its = { ...queue.arguments, 'x-queue-type': type };
    return { ...queue, name, ifDiffers, arguments: its, migrated: queue };
  }

  /** Delays lead to a queue through its landing queue if it has one, else at once: what the queue is now decides. */
  private destinationOf(
    { source, destination }: BindingPlan,
    generation: Generation,
    planned: ReadonlySet<string>,
  ): string {
    const landing = this.all.has(destination) ? landingQueueOf(destination) : destination;
    const lands = source === this.names.delayOut && landsBefore(generation, planned.has(landing));
    return lands ? landing : generation.name;
  }
}

/** True if a landing queue stands before it; of a quorum queue, whose limits aren't known here, the plan says so. */
const landsBefore = ({ type, lands }: Generation, isPlanned: boolean): boolean =>
  lands ?? (type === 'classic' || isPlanned);
