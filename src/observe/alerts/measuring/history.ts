/** A figure's change over a time. */
export interface Change {
  readonly by: number;
  readonly overMs: number;
}

/** Windows are exact to this share of them, whatever their length: of old points there are fewer. */
const EXACT_TO = 0.01;

/** Points from which on some are left out. */
const MANY = 256;

/** A process that does not answer for a while goes on where it was; after an hour it is forgotten. */
export const FORGET_MS = 3_600_000;

/** Figures over time, as far back as a window needs them. */
export class Series {
  private points: { readonly at: number; readonly figure: number }[] = [];
  /** Number of points at which they are thinned next. */
  private thinAt = MANY;

  constructor(private readonly keepMs: number) {}

  /** Time of the last figure. */
  get at(): number {
    return this.points.at(-1)?.at ?? 0;
  }

  add(at: number, figure: number): void {
    const { points, keepMs } = this;
    points.push({ at, figure });
    while ((points[1]?.at ?? at) < at - keepMs) points.shift();
    if (points.length >= this.thinAt) this.thin(at);
  }

  /** Change within the last `windowMs`, or since the first figure if that is later; undefined with one figure alone. */
  change(windowMs: number): Change | undefined {
    const last = this.points.at(-1);
    if (!last) return undefined;
    const base = this.points.findLast(({ at }) => at <= last.at - windowMs) ?? this.points[0];
    return base && base !== last ? { by: last.figure - base.figure, overMs: last.at - base.at } : undefined;
  }

  /** Leaves out each point between two that are no further apart than the window that reaches back to them may be inexact. */
  private thin(now: number): void {
    const kept = this.points.slice(-1);
    for (let index = this.points.length - 2; index >= 0; index -= 1) {
      const [older, point] = [this.points[index - 1], this.points[index]];
      const newer = kept.at(-1);
      if (!point || !newer) continue;
      if (!older || newer.at - older.at > (now - newer.at) * EXACT_TO) kept.push(point);
    }
    this.points = kept.reverse();
    this.thinAt = Math.max(MANY, 2 * kept.length);
  }
}

/** Sum of what several processes count. It never falls: a process that is replaced begins at 0, which takes nothing away. */
export class Counter {
  private total = 0;
  private readonly sources = new Map<string, { figure: number; at: number }>();
  private readonly series: Series;

  constructor(keepMs: number) {
    this.series = new Series(keepMs);
  }

  /** @param from where a source began that is new here: 0 if it has counted since the last look only, else where it is now */
  count(source: string, figure: number, at: number, from = figure): void {
    const before = this.sources.get(source)?.figure ?? from;
    this.total += figure < before ? figure : figure - before;
    this.sources.set(source, { figure, at });
  }

  /** Adds what a length has grown by: what is taken away is no change. */
  grow(length: number, at: number): void {
    this.total += Math.max(0, length - (this.sources.get('')?.figure ?? length));
    this.sources.set('', { figure: length, at });
  }

  advance(by: number): void {
    this.total += by;
  }

  /** When the source has counted last; undefined if it never has. */
  countedAt(source: string): number | undefined {
    return this.sources.get(source)?.at;
  }

  /** Time of the last mark. */
  get at(): number {
    return this.series.at;
  }

  /** Ends a look. */
  mark(at: number): void {
    this.series.add(at, this.total);
    for (const [source, seen] of this.sources) if (at - seen.at > FORGET_MS) this.sources.delete(source);
  }

  change(windowMs: number): Change | undefined {
    return this.series.change(windowMs);
  }
}
