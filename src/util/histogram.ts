/**
 * Buckets per power of two: each is at most 1/16 wider than the one before, so a percentile is wrong by 3 % at
 * most.
 */
const BUCKETS_OF_OCTAVE = 16;
const BITS_OF_BUCKET = 4;

/** Values from 2^43 on share the last bucket: as microseconds that is a hundred days. */
const OCTAVES = 40;
const MAX_VALUE = 2 ** (OCTAVES + BITS_OF_BUCKET - 1) - 1;

/** Number of octaves beyond the 31 bits of bitwise operators. */
const UPPER_OCTAVES = 12;

/** Pairs of bucket and count: the form in which a histogram is sent. */
export type HistogramData = readonly (readonly [bucket: number, count: number])[];

/**
 * Counts non-negative integers by size, for percentiles. The memory is the same for any number of values, and
 * histograms of several processes can be added, unlike percentiles. (`perf_hooks.createHistogram` can't be sent
 * to another process.)
 */
export class Histogram {
  /** Created with the first value, since most histograms are never used. */
  private counts: Uint32Array | undefined;
  private size = 0;

  static of(all: Iterable<HistogramData>): Histogram {
    const histogram = new Histogram();
    for (const data of all) histogram.add(data);
    return histogram;
  }

  get count(): number {
    return this.size;
  }

  record(value: number): void {
    this.counts ??= new Uint32Array(OCTAVES * BUCKETS_OF_OCTAVE);
    const bucket = bucketOf(value);
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.size += 1;
  }

  add(data: HistogramData): void {
    for (const [bucket, count] of data) {
      this.counts ??= new Uint32Array(OCTAVES * BUCKETS_OF_OCTAVE);
      const before = this.counts[bucket];
      // Buckets of another version that don't exist here are ignored.
      if (before === undefined) continue;
      this.counts[bucket] = before + count;
      this.size += count;
    }
  }

  /**
   * Value that `share` (0 to 1) of all values do not exceed: the middle of its bucket. Undefined if there are
   * no values.
   */
  percentile(share: number): number | undefined {
    if (!this.counts || this.size === 0) return undefined;
    const wanted = Math.max(1, Math.ceil(share * this.size));
    let seen = 0;
    for (const [bucket, count] of this.counts.entries()) {
      seen += count;
      if (seen >= wanted) return middleOf(bucket);
    }
    return undefined;
  }

  get data(): HistogramData {
    const data: [bucket: number, count: number][] = [];
    // Most of the hundreds of buckets are empty, and a status has four histograms of each handler.
    this.counts?.forEach((count, bucket) => {
      if (count > 0) data.push([bucket, count]);
    });
    return data;
  }

  clear(): void {
    this.counts?.fill(0);
    this.size = 0;
  }
}

/** Values below 16 have a bucket each; above, each power of two has 16 of the same width. */
function bucketOf(value: number): number {
  const whole = Math.min(Math.max(0, Math.floor(value)), MAX_VALUE);
  if (whole < BUCKETS_OF_OCTAVE) return whole;
  if (whole >= 2 ** 31) return bucketOf(whole / 2 ** UPPER_OCTAVES) + UPPER_OCTAVES * BUCKETS_OF_OCTAVE;
  const octave = 31 - Math.clz32(whole) - BITS_OF_BUCKET;
  return (octave + 1) * BUCKETS_OF_OCTAVE + ((whole >>> octave) - BUCKETS_OF_OCTAVE);
}

function middleOf(bucket: number): number {
  if (bucket < BUCKETS_OF_OCTAVE) return bucket;
  const octave = Math.floor(bucket / BUCKETS_OF_OCTAVE) - 1;
  const from = (BUCKETS_OF_OCTAVE + (bucket % BUCKETS_OF_OCTAVE)) * 2 ** octave;
  return from + (2 ** octave - 1) / 2;
}
