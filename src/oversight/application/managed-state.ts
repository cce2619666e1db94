import { Counter } from '../../observe/alerts/measuring/history.js';
import type { DelayFacts } from '../../observe/alerts/measuring/snapshot.js';
import { type Generations, generationOf, logicalNameOf } from '../../topology/generations.js';
import type { Names } from '../../topology/names.js';
import type { Clock } from '../../util/clock.js';
import type { NodeFacts } from '../doctor/facts.js';
import type { ManagedQueue } from '../management/managed.js';
import type { Management } from '../management/management.js';

/** What the management API knows beside AMQP. */
export interface ManagedState {
  /** Work queues of the vhost. */
  readonly queues: readonly string[];
  /** All queues of the vhost, by name, and those that stand for migrated ones by the names of these, too. */
  readonly all: ReadonlyMap<string, ManagedQueue>;
  readonly nodes: readonly NodeFacts[];
  readonly nearAlarm: number | undefined;
  readonly critical: readonly string[];
  readonly delays: readonly DelayFacts[];
  readonly connections: number | undefined;
  /** Connections opened and closed per second, over the last five minutes or as long as this has looked. */
  readonly connectionChurn: number | undefined;
}

const OTHERS_OWN =
  /^amq\.|\.paused$|\.(failure-groups|operations|migrations(\.run)?)(\.lock)?$|\.trash$|\.delay\.|\.control\.([0-9a-f-]{36}|lock)$/;

/** Fewest copies with which the loss of one is meant to be survived. */
const MEANT_TO_SURVIVE = 3;

/** Time for which facts about the whole broker stay: they change slowly, and the broker has to add them up. */
const BROKER_FACTS_MS = 10_000;

const CHURN_OVER_MS = 300_000;

/** Time for which the API may tell the same counts again. */
const COUNTS_STAY_MS = 10_000;

/** A level of the delays at an earlier look. */
interface Level {
  /** Messages that were being handed on. */
  readonly departing: number;
  readonly at: number;
  readonly said: Pick<DelayFacts, 'stands'>;
}

type BrokerFacts = Pick<ManagedState, 'nodes' | 'nearAlarm' | 'connections' | 'connectionChurn'>;

/** The management API, asked again and again. */
export class Managed {
  private readonly levels = new Map<string, Level>();
  private readonly churn = new Counter(CHURN_OVER_MS);
  private broker: { readonly at: number; readonly facts: BrokerFacts } | undefined;
  /** Names of queues that look migrated, and stood for no queue at the last look. */
  private unknown = '';

  constructor(
    private readonly management: Management,
    private readonly names: Names,
    private readonly clock: Clock,
  ) {}

  /**
   * Undefined if it does not answer: all that only it knows is unknown then.
   *
   * @param generations as the session knows them, which hears nothing of migrations
   */
  async look(generations: Pick<Generations, 'standsFor' | 'refresh'>): Promise<ManagedState | undefined> {
    try {
      const [queues, facts] = await Promise.all([this.management.queues(), this.brokerFacts()]);
      await this.learn(queues, generations);
      const named = queues.map((queue) => ({ queue, name: generations.standsFor(queue.name) }));
      return {
        queues: [
          ...new Set(
            named.flatMap(({ queue, name }) =>
              !queue.exclusive && this.isWorkQueue(queue.name) ? name : [],
            ),
          ),
        ],
        all: byName(named),
        critical: named.filter(({ queue }) => isCritical(queue)).map(({ name }) => name),
        delays: this.delays(queues),
        ...facts,
      };
    } catch {
      return undefined;
    }
  }

  private async brokerFacts(): Promise<BrokerFacts> {
    const at = this.clock.monotonic();
    if (this.broker && at - this.broker.at < BROKER_FACTS_MS) return this.broker.facts;
    const [nodes, { open, changes }] = await Promise.all([
      this.management.nodes(),
      this.management.connections(),
    ]);
    if (changes !== undefined) {
      this.churn.count('', changes, at);
      this.churn.mark(at);
    }
    const change = this.churn.change(CHURN_OVER_MS);
    const connectionChurn = change && (change.by / change.overMs) * 1_000;
    const facts = { nodes, nearAlarm: nearAlarm(nodes), connections: open, connectionChurn };
    this.broker = { at, facts };
    return facts;
  }

  /** Hopline's own queues of other prefixes are none either. */
  /** Has the document of the migrations read again once there are queues that look migrated, and nobody knows of. */
  private async learn(
    queues: readonly ManagedQueue[],
    generations: Pick<Generations, 'standsFor' | 'refresh'>,
  ): Promise<void> {
    const unknown = queues
      .map(({ name }) => name)
      .filter((name) => logicalNameOf(name) !== name && generations.standsFor(name) === name)
      .join('\n');
    const isNew = unknown !== '' && unknown !== this.unknown;
    this.unknown = unknown;
    if (isNew && queues.some(({ name }) => name === this.names.migrations)) await generations.refresh();
  }

  private isWorkQueue(name: string): boolean {
    return !this.names.isOwnQueue(name) && !OTHERS_OWN.test(name);
  }

  /** A level stands if it hands messages on and has no fewer of them than before: within minutes, one that works has. */
  private delays(queues: readonly ManagedQueue[]): DelayFacts[] {
    const now = this.clock.monotonic();
    return queues
      .filter(({ name }) => name.startsWith(`${this.names.delay}.`))
      .map(({ name, departing }) => {
        const before = this.levels.get(name);
        if (departing === undefined) {
          this.levels.delete(name);
          return { queue: name, stands: undefined };
        }
        // The same counts are told again for some seconds.
        if (before && departing > 0 && now - before.at < COUNTS_STAY_MS)
          return { queue: name, ...before.said };
        const stands = departing > 0 && departing >= (before?.departing ?? 0);
        this.levels.set(name, { departing, at: now, said: { stands } });
        return { queue: name, stands };
      });
  }
}

interface Named {
  readonly queue: ManagedQueue;
  /** What it stands for. */
  readonly name: string;
}

/** While a queue is migrated, the older of the two is what processes take. */
function byName(named: readonly Named[]): Map<string, ManagedQueue> {
  const all = new Map(named.map(({ queue }) => [queue.name, queue]));
  for (const { queue, name } of named) {
    const known = all.get(name);
    if (!known || generationOf(name, known.name) > generationOf(name, queue.name)) all.set(name, queue);
  }
  return all;
}

function nearAlarm(nodes: readonly NodeFacts[]): number | undefined {
  const shares = nodes.flatMap(({ running, memoryAlarm, diskAlarm, memoryShare, diskShare }) =>
    running ? [memoryAlarm || diskAlarm ? 1 : undefined, memoryShare, diskShare] : [],
  );
  const known = shares.filter((share) => share !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** True if the queue has a majority, and none without one more of its nodes. */
function isCritical({ type, members, online }: ManagedQueue): boolean {
  const majority = Math.floor(members.length / 2) + 1;
  return type === 'quorum' && members.length >= MEANT_TO_SURVIVE && online.length <= majority;
}
