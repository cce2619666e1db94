/** Labels that lead from a bucket to what one of its values came from, such as a trace. */
export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** Bounds of buckets in seconds, each the greatest value of its bucket: from a millisecond to an hour. */
export const DEFAULT_BOUNDS: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600,
];

/** Time for which a bucket keeps its exemplar: getting one may cost more than all else. */
const KEPT_FOR_MS = 1_000;

/** Counts values by fixed buckets. It is called for each message, so it allocates nothing. */
export class Distribution {
  /** One for each bound, and one for what is above all of them. */
  readonly counts: number[];
  /** By bucket. */
  readonly exemplars: (Exemplar | undefined)[] = [];
  sum = 0;

  constructor(readonly bounds: readonly number[]) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** @returns the value's bucket */
  record(value: number): number {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.sum += value;
    return bucket;
  }

  /** True if the bucket has no exemplar, or an old one. */
  wantsExemplar(bucket: number, now: number): boolean {
    const kept = this.exemplars[bucket];
    return kept === undefined || now - kept.at >= KEPT_FOR_MS;
  }

  /** Adds another one of the same bounds. */
  add(other: Distribution): void {
    for (const [bucket, count] of other.counts.entries()) {
      this.counts[bucket] = (this.counts[bucket] as number) + count;
      this.exemplars[bucket] ??= other.exemplars[bucket];
    }
    this.sum += other.sum;
  }
}
