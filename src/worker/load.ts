import type { SlotGroupLoad, WorkerLoad } from './protocol.js';

/** Load of all processes together. */
export interface Load extends Waiting {
  /** Service of the handlers, if there is only one. */
  readonly service: string | undefined;
  /** Load of each slot group: messages that wait for one group can't use the slots of another. */
  readonly slotGroups: readonly GroupLoad[];
}

export interface GroupLoad extends Waiting {
  readonly queues: readonly string[];
}

interface Waiting {
  /** Messages that no handler has begun: in the queues, and in the processes. */
  readonly backlog: number;
  /** Average run time of recent attempts, in milliseconds; undefined before the first has ended. */
  readonly averageMs: number | undefined;
  /** Messages that one process handles at once. */
  readonly slots: number;
}

/** Time that one process would take for the messages that wait for a slot group, in milliseconds. */
export function workMs({ backlog, slots }: Pick<GroupLoad, 'backlog' | 'slots'>, averageMs: number): number {
  // A paused queue has no slots, and its messages go back to it.
  return slots === 0 ? 0 : (backlog * averageMs) / slots;
}

/** The average covers attempts that ended within this time; if none has, the last one that did. */
const AVERAGE_OVER_MS = 30_000;

/**
 * Time after which a worker's load counts as unknown. A worker reports it twice a second; one that does not is
 * stuck, or can't reach its broker.
 */
const KNOWN_FOR_MS = 10_000;

/** A report, and the moment at which it came. */
interface Dated<Report> {
  readonly at: number;
  readonly report: Report;
}

type Ended = Pick<SlotGroupLoad, 'ended' | 'busyMs'>;

/** Adds up the load that workers report. */
export class LoadMeter {
  /** Last report of each worker. */
  private readonly loads = new Map<number, Dated<WorkerLoad>>();
  private readonly average = new Average();
  /** Average run time by slot group; the key is its queues. */
  private readonly averages = new Map<string, Average>();

  constructor(private readonly now = () => performance.now()) {}

  /** Handles a worker's report: its load, and its work since the last report. */
  add(worker: number, load: WorkerLoad): void {
    const at = this.now();
    this.loads.set(worker, { at, report: load });
    const { slotGroups } = load;
    this.average.add(
      { ended: sum(slotGroups, ({ ended }) => ended), busyMs: sum(slotGroups, ({ busyMs }) => busyMs) },
      at,
    );
    for (const group of slotGroups) this.averageOf(group).add(group, at);
  }

  remove(worker: number): void {
    this.loads.delete(worker);
  }

  /** Undefined while no worker reports. */
  get load(): Load | undefined {
    const now = this.now();
    const loads = since(now - KNOWN_FOR_MS, [...this.loads.values()]).map(({ report }) => report);
    const [first] = loads;
    if (!first) return undefined;
    const reports = loads.flatMap((load) => load.slotGroups);
    const keys = new Set(reports.map(keyOf));
    const slotGroups = [...keys].map((key) =>
      this.loadOf(
        reports.filter((report) => keyOf(report) === key),
        now,
      ),
    );
    return {
      service: first.service,
      backlog: sum(slotGroups, ({ backlog }) => backlog),
      averageMs: this.average.ms(now),
      slots: sum(slotGroups, ({ slots }) => slots),
      slotGroups,
    };
  }

  /** @param reports reports of one slot group, one per worker */
  private loadOf(reports: readonly SlotGroupLoad[], now: number): GroupLoad {
    const [first] = reports as [SlotGroupLoad];
    return {
      queues: first.queues,
      // All workers see the same queues.
      backlog: Math.max(...reports.map(({ ready }) => ready)) + sum(reports, ({ waiting }) => waiting),
      averageMs: this.averageOf(first).ms(now),
      slots: first.slots,
    };
  }

  private averageOf(group: SlotGroupLoad): Average {
    const key = keyOf(group);
    const average = this.averages.get(key) ?? new Average();
    this.averages.set(key, average);
    return average;
  }
}

/** Average run time of recent attempts. */
class Average {
  /** Oldest first. */
  private reports: readonly Dated<Ended>[] = [];

  add(report: Ended, at: number): void {
    if (report.ended > 0) this.reports = [...since(at - AVERAGE_OVER_MS, this.reports), { at, report }];
  }

  ms(now: number): number | undefined {
    const lately = since(now - AVERAGE_OVER_MS, this.reports);
    const counted = lately.length > 0 ? lately : this.reports.slice(-1);
    const ended = sum(counted, ({ report }) => report.ended);
    return ended > 0 ? sum(counted, ({ report }) => report.busyMs) / ended : undefined;
  }
}

function since<Report>(moment: number, reports: readonly Dated<Report>[]): Dated<Report>[] {
  return reports.filter(({ at }) => at > moment);
}

function keyOf({ queues }: SlotGroupLoad): string {
  return JSON.stringify(queues);
}

function sum<Each>(all: readonly Each[], count: (each: Each) => number): number {
  return all.reduce((total, each) => total + count(each), 0);
}
