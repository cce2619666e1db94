import { percentile } from '../../test/support/lateness.js';
import { FIELDS } from './run.js';

/** Messages of one run, in the order in which they began. */
export interface Handled {
  readonly key: number;
  readonly at: number;
  readonly begun: number;
  readonly ended: number;
}

export function handledIn(reports: readonly Float64Array[]): Handled[] {
  const all = reports.flatMap((report) =>
    Array.from({ length: report.length / FIELDS }, (_, index) => {
      const [key = 0, at = 0, begun = 0, ended = 0] = report.subarray(index * FIELDS, (index + 1) * FIELDS);
      return { key, at, begun, ended };
    }),
  );
  return all.sort((left, right) => left.begun - right.begun);
}

/** Number of messages that began while another of their key ran. */
export function overlapsIn(handled: readonly Handled[]): number {
  const endOf = new Map<number, number>();
  let overlaps = 0;
  for (const { key, begun, ended } of handled) {
    const before = endOf.get(key) ?? 0;
    if (begun < before) overlaps += 1;
    endOf.set(key, Math.max(before, ended));
  }
  return overlaps;
}

/** Milliseconds from the first that began to the last that ended. */
export function wallMs(handled: readonly Handled[]): number {
  const first = handled[0]?.begun ?? 0;
  return handled.reduce((latest, { ended }) => Math.max(latest, ended), first) - first;
}

export const perSecond = (handled: readonly Handled[]): number => (handled.length / wallMs(handled)) * 1_000;

/** Milliseconds for which messages of the most frequent key ran, one after the other. */
export function hottestMs(handled: readonly Handled[]): number {
  return handled.reduce((sum, { key, begun, ended }) => (key === 0 ? sum + ended - begun : sum), 0);
}

/** Milliseconds from the publish to the end that a share of the messages does not exceed. */
export function latency(handled: readonly Handled[], share: number): number {
  const sorted = handled.map(({ at, ended }) => ended - at).sort((left, right) => left - right);
  return percentile(sorted, share);
}

export function meanLatency(handled: readonly Handled[]): number {
  return handled.reduce((sum, { at, ended }) => sum + ended - at, 0) / handled.length;
}

/** Keys as people's are: the n-th of them is met n times as seldom as the first. Always the same ones. */
export function zipf(keys: number): () => number {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank += 1) {
    sum += 1 / (rank + 1);
    sums[rank] = sum;
  }
  let seed = 1;
  return () => {
    // Marsaglia's xorshift.
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    const wanted = ((seed >>> 0) / 2 ** 32) * sum;
    let [low, high] = [0, keys - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
