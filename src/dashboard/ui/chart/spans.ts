import type { ChartSeries } from './chart-data.js';

/** Times that charts can be of. */
export const SPANS = {
  '1h': { ms: 3_600_000, text: 'hour' },
  '6h': { ms: 6 * 3_600_000, text: '6 hours' },
  '1d': { ms: 24 * 3_600_000, text: 'day' },
  '7d': { ms: 7 * 24 * 3_600_000, text: '7 days' },
} as const;

export type Span = keyof typeof SPANS;

/** Figures over time, by their names. */
export interface Charts<Name extends string> {
  readonly span: Span;
  /** True if there is more than the last hour to be had. */
  readonly isLong: boolean;
  readonly of: Readonly<Record<Name, ChartSeries>>;
  /** Why some of them are not known. */
  readonly problem: string | undefined;
}
