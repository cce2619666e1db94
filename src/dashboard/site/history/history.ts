import type { Series, SeriesName } from '../seen.js';
import { LevelTrack, RateTrack } from './tracks.js';

export const STEP_MS = 5_000;
/** An hour. */
export const STEPS = 720;

/** Handlers, and queues, that have a history. */
const MOST = 500;

/** Values of one look, by the names of their series; undefined for those that are not known. */
export type Values = Readonly<Partial<Record<SeriesName, number | undefined>>>;

/** What one look adds. */
export interface Moment {
  /** Wall-clock milliseconds of the look, and of the one before it; undefined if there was none. */
  readonly at: number;
  readonly before: number | undefined;
  readonly all: Values;
  /** By the ids of handlers. */
  readonly handlers: ReadonlyMap<string, Values>;
  readonly queues: ReadonlyMap<string, Values>;
}

type Track = LevelTrack | RateTrack;

/** Series of one subject, with the time of the last look at it. */
interface Subject {
  readonly tracks: Map<SeriesName, Track>;
  at: number;
}

const RATES: ReadonlySet<SeriesName> = new Set(['handled', 'failed', 'dead-lettered']);

/** An hour of an application in memory: some 20 MB with 500 handlers and 500 queues. */
export class History {
  private readonly all: Subject = { tracks: new Map(), at: 0 };
  private readonly handlers = new Map<string, Subject>();
  private readonly queues = new Map<string, Subject>();

  take({ at, before, all, handlers, queues }: Moment): void {
    write(this.all, all, before, at);
    for (const [id, values] of handlers) write(subjectOf(this.handlers, id), values, before, at);
    for (const [queue, values] of queues) write(subjectOf(this.queues, queue), values, before, at);
    for (const subjects of [this.handlers, this.queues])
      for (const [name, subject] of subjects) if (at - subject.at > STEPS * STEP_MS) subjects.delete(name);
  }

  /**
   * The last whole steps.
   *
   * @param subject a handler's id or a queue; all of the application without one
   * @param spanMs an hour at most
   * @param now wall-clock milliseconds
   */
  read(name: SeriesName, subject: string | undefined, spanMs: number, now: number): Series {
    const steps = Math.min(STEPS, Math.max(1, Math.round(spanMs / STEP_MS)));
    const first = Math.floor(now / STEP_MS) - steps;
    const track = this.subject(subject)?.tracks.get(name);
    const values = Array.from({ length: steps }, (_, index) => track?.at(first + index) ?? null);
    return { from: first * STEP_MS, stepMs: STEP_MS, values };
  }

  private subject(name: string | undefined): Subject | undefined {
    if (name === undefined) return this.all;
    return this.handlers.get(name) ?? this.queues.get(name);
  }
}

/** Undefined for one too many. */
function subjectOf(subjects: Map<string, Subject>, name: string): Subject | undefined {
  const found = subjects.get(name);
  if (found || subjects.size >= MOST) return found;
  const made: Subject = { tracks: new Map(), at: 0 };
  subjects.set(name, made);
  return made;
}

function write(subject: Subject | undefined, values: Values, before: number | undefined, at: number): void {
  if (!subject) return;
  subject.at = at;
  for (const [name, value] of Object.entries(values) as [SeriesName, number | undefined][]) {
    let track = subject.tracks.get(name);
    // A series of which nothing has ever been known takes no memory.
    if (!track && value === undefined) continue;
    if (!track) {
      track = RATES.has(name) ? new RateTrack(STEP_MS, STEPS) : new LevelTrack(STEP_MS, STEPS);
      subject.tracks.set(name, track);
    }
    track.take(before, at, value);
  }
}
