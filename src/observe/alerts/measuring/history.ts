/** A figure's change over a time. */
export interface Change {
  readonly by: number;
  readonly overMs: number;
}

/** Points that a series keeps, whatever its length: windows are exact to a hundredth. */
const POINTS = 120;

/** A process that does not answer for a while goes on where it was; after an hour it is forgotten. */
const FORGET_MS = 3_600_000;

/** Figures over time, as far back as a window needs them. */
export class Series {
  private readonly points: { readonly at: number; readonly figure: number }[] = [];

  constructor(private readonly keepMs: number) {}

  add(at: number, figure: number): void {
    const { points, keepMs } = this;
    const [before, last] = points.slice(-2);
    if (before && last && last.at - before.at < keepMs / POINTS) points.pop();
    points.push({ at, figure });
    while ((points[1]?.at ?? at) < at - keepMs) points.shift();
  }

  /** Change within the last `windowMs`, or since the first figure if that is later; undefined with one figure alone. */
  change(windowMs: number): Change | undefined {
    const last = this.points.at(-1);
    if (!last) return undefined;
    const base = this.points.findLast(({ at }) => at <= last.at - windowMs) ?? this.points[0];
    return base && base !== last ? { by: last.figure - base.figure, overMs: last.at - base.at } : undefined;
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

  /** Ends a look. */
  mark(at: number): void {
    this.series.add(at, this.total);
    for (const [source, seen] of this.sources) if (at - seen.at > FORGET_MS) this.sources.delete(source);
  }

  change(windowMs: number): Change | undefined {
    return this.series.change(windowMs);
  }
}
