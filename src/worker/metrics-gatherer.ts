import type { MetricsRequest, WorkerMetric, WorkerMetrics } from './protocol.js';

/** A worker process that can be asked for its metrics. */
export interface Asked {
  send(message: MetricsRequest): void;
}

/** Metrics of several processes at one moment. */
export interface GatheredMetrics {
  /** Of each process that has answered. */
  readonly answers: readonly (readonly WorkerMetric[])[];
  /** Counters of processes that have not answered, as they last told them, and of those that are gone. */
  readonly counters: readonly (readonly WorkerMetric[])[];
  /** Processes that could be asked. */
  readonly processes: number;
  /** Requests without an answer, since the beginning. */
  readonly unanswered: number;
}

interface Request {
  readonly missing: Set<Asked>;
  readonly answers: Map<Asked, readonly WorkerMetric[]>;
  readonly done: () => void;
}

/** Time after which a process that doesn't answer is left out: it is stuck, or ends. */
const WITHIN_MS = 2_000;

/**
 * Asks worker processes for their metrics. It keeps the counters of those that are gone or silent: in the sum of all processes a counter
 * that is missing once would look like one that begins anew.
 */
export class MetricsGatherer {
  /** Processes, with what they told last. */
  private readonly told = new Map<Asked, readonly WorkerMetric[]>();
  private readonly requests = new Map<number, Request>();
  private readonly gone = new CounterSum();
  private numbers = 0;
  private unanswered = 0;
  private underWay: Promise<GatheredMetrics> | undefined;

  constructor(private readonly withinMs = WITHIN_MS) {}

  /** Called when a process has loaded its application, before which it has no metrics. */
  joined(process: Asked): void {
    this.told.set(process, []);
  }

  received(process: Asked, { request, metrics }: WorkerMetrics): void {
    if (!this.told.has(process)) return;
    this.told.set(process, metrics);
    const asked = this.requests.get(request ?? 0);
    if (asked?.missing.delete(process)) asked.answers.set(process, metrics);
    if (asked?.missing.size === 0) asked.done();
  }

  /** Called when a process has ended. */
  left(process: Asked): void {
    this.gone.add(this.told.get(process) ?? []);
    this.told.delete(process);
    for (const { missing, answers, done } of this.requests.values()) {
      // Its counters are among those of the gone, and would count twice.
      answers.delete(process);
      if (missing.delete(process) && missing.size === 0) done();
    }
  }

  /** Resolves when all have answered, or when it is too late for those that have not. Calls at the same time have the same answer. */
  gather(): Promise<GatheredMetrics> {
    this.underWay ??= this.ask().finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  private async ask(): Promise<GatheredMetrics> {
    this.numbers += 1;
    const request = this.numbers;
    const missing = new Set(this.told.keys());
    const answers = new Map<Asked, readonly WorkerMetric[]>();
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.withinMs);
      this.requests.set(request, { missing, answers, done: resolve });
      for (const process of missing) process.send({ kind: 'metrics', request });
      if (missing.size === 0) resolve();
    });
    clearTimeout(timer);
    this.requests.delete(request);
    this.unanswered += missing.size;
    const silent = [...missing].map((process) => (this.told.get(process) ?? []).filter(isCounter));
    const { unanswered } = this;
    return {
      answers: [...answers.values()],
      counters: [...silent, this.gone.metrics],
      processes: this.told.size,
      unanswered,
    };
  }
}

/** Types whose values only grow, but for the quantiles of summaries, which nobody adds up. */
const COUNTING = ['counter', 'histogram', 'summary'];

const isCounter = ({ type, aggregator }: WorkerMetric) => aggregator === 'sum' && COUNTING.includes(type);

type Value = WorkerMetric['values'][number];

/** The sum of counters that no longer change. */
class CounterSum {
  private readonly sums = new Map<
    string,
    { readonly metric: WorkerMetric; readonly values: Map<string, Value> }
  >();

  add(metrics: readonly WorkerMetric[]): void {
    for (const metric of metrics.filter(isCounter)) {
      const { values } = this.sums.get(metric.name) ?? { values: new Map<string, Value>() };
      this.sums.set(metric.name, { metric, values });
      for (const each of metric.values) {
        const key = JSON.stringify([each.metricName, Object.entries(each.labels).toSorted()]);
        const { exemplar: _ofThePast, ...value } = each;
        values.set(key, { ...value, value: (values.get(key)?.value ?? 0) + (each.value ?? 0) });
      }
    }
  }

  get metrics(): WorkerMetric[] {
    return [...this.sums.values()].map(({ metric, values }) => ({ ...metric, values: [...values.values()] }));
  }
}
