import type { DelayFacts } from '../../observe/alerts/measuring/snapshot.js';
import type { Names } from '../../topology/names.js';
import type { NodeFacts } from '../doctor/facts.js';
import type { ManagedQueue } from '../management/managed.js';
import type { Management } from '../management/management.js';

/** What the management API knows beside AMQP. */
export interface ManagedState {
  /** Work queues of the vhost. */
  readonly queues: readonly string[];
  readonly nearAlarm: number | undefined;
  readonly critical: readonly string[];
  readonly delays: readonly DelayFacts[];
}

const OTHERS_OWN =
  /^amq\.|\.paused$|\.(failure-groups|operations)(\.lock)?$|\.trash$|\.delay\.|\.control\.([0-9a-f-]{36}|lock)$/;

/** Fewest copies with which the loss of one is meant to be survived. */
const MEANT_TO_SURVIVE = 3;

/** The management API, asked again and again. */
export class Managed {
  /** Messages of each level of the delays that were being handed on, at the last look. */
  private departing = new Map<string, number>();

  constructor(
    private readonly management: Management,
    private readonly names: Names,
  ) {}

  /** Undefined if it does not answer: all that only it knows is unknown then. */
  async look(): Promise<ManagedState | undefined> {
    try {
      const [queues, nodes] = await Promise.all([this.management.queues(), this.management.nodes()]);
      return {
        queues: queues.flatMap(({ name, exclusive }) => (!exclusive && this.isWorkQueue(name) ? name : [])),
        nearAlarm: nearAlarm(nodes),
        critical: queues.filter(isCritical).map(({ name }) => name),
        delays: this.delays(queues),
      };
    } catch {
      return undefined;
    }
  }

  /** Hopline's own queues of other prefixes are none either. */
  private isWorkQueue(name: string): boolean {
    return !this.names.isOwnQueue(name) && !OTHERS_OWN.test(name);
  }

  /** A level stands if it hands messages on and has no fewer of them than before: within minutes, one that works has. */
  private delays(queues: readonly ManagedQueue[]): DelayFacts[] {
    const before = this.departing;
    this.departing = new Map();
    return queues
      .filter(({ name }) => name.startsWith(`${this.names.delay}.`))
      .map(({ name, departing }) => {
        if (departing === undefined) return { queue: name, stands: undefined };
        this.departing.set(name, departing);
        return { queue: name, stands: departing > 0 && departing >= (before.get(name) ?? 0) };
      });
  }
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
