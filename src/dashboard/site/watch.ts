import type { Expected } from '../../control/results.js';
import type { Alert } from '../../observe/alerts/alert.js';
import { unreached } from '../../observe/alerts/measuring/snapshot.js';
import { Monitored } from '../../oversight/application/monitored.js';
import { snapshotOf } from '../../oversight/application/survey.js';
import type { Clock, Timer } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { toMs } from '../../util/duration.js';
import { Emitter } from '../../util/emitter.js';
import { stderrLogger } from '../../util/logger.js';
import { inRootContext } from '../../util/root-context.js';
import { reasonText } from '../../util/text/error-text.js';
import { freshFor } from './fresh-for.js';
import { History, STEP_MS, STEPS } from './history/history.js';
import type { Subject } from './history/prometheus.js';
import { AlertsNow } from './looking/alerts-now.js';
import { Seeing } from './looking/seeing.js';
import {
  handlerIdOf,
  type RunningMessage,
  type Seen,
  type Series,
  type SeriesName,
  type SlowMessage,
  type Watch,
} from './seen.js';
import type { WatchOptions } from './watch-options.js';

/** Questions to the broker in one look beyond which the management API is asked instead: they cost some 0.4 ms of its CPU each. */
const MOST_QUESTIONS = 50;

/** Least time for each question: so all that is asked of the broker takes some 3 % of one core, however many queues there are. */
const MS_PER_QUESTION = 15;

/** Age up to which the last look will do. */
const YOUNG_MS = 10_000;

/** Time for a look that somebody waits for, if there was one before, and if there was none: then the last will do, or none. */
const PATIENCE_MS = 2_000;
const FIRST_PATIENCE_MS = 4_000;

/** Time for which what workers have told of single messages serves others who ask. */
const TOLD_FOR_MS = 1_000;

/** Begins to watch an application. Never throws: that the broker can't be reached is a thing that is seen. */
export function startWatch(options: WatchOptions): Watch {
  const watch = new ApplicationWatch(options);
  inRootContext(() => watch.start());
  return watch;
}

/** Looks at an application every few seconds, and remembers an hour of what it has seen. One look is under way at a time. */
class ApplicationWatch implements Watch {
  private readonly monitored: Monitored;
  private readonly clock: Clock;
  private readonly seeing: Seeing;
  private readonly past = new History();
  private readonly rules: AlertsNow;
  private readonly events: Emitter<{ readonly seen: Seen }>;
  private followers = 0;
  readonly running: () => Promise<readonly RunningMessage[]>;
  readonly slowest: () => Promise<readonly SlowMessage[]>;
  private last: Seen | undefined;
  private looking: Promise<Seen> | undefined;
  /** A look that somebody has waited for in vain. */
  private hanging: Promise<Seen> | undefined;
  private lookedAt = 0;
  /** Monotonic milliseconds at which the last look ended, whether it has reached the broker or not. */
  private triedAt = Number.NEGATIVE_INFINITY;
  private timer: Timer | undefined;
  private isClosed = false;

  constructor(private readonly options: WatchOptions) {
    const { transport, prefix, delayPrefix, queues = [], management, wait = '1s', rules } = options;
    const { log = stderrLogger } = options;
    this.clock = transport.clock;
    this.events = new Emitter((_event, error) => log.error({ error }, 'a follower of the dashboard failed'));
    this.monitored = new Monitored({
      ...{ transport, prefix, delayPrefix, queues, management, wait },
      service: 'hopline-dashboard',
      mostQuestions: MOST_QUESTIONS,
      delaysStayMs: YOUNG_MS,
    });
    this.seeing = new Seeing(this.monitored.names);
    this.rules = new AlertsNow(rules);
    const { clock, monitored } = this;
    this.running = freshFor(
      clock,
      TOLD_FOR_MS,
      async () => (await monitored.workers())?.running(this.expected()) ?? [],
    );
    this.slowest = freshFor(
      clock,
      TOLD_FOR_MS,
      async () => (await monitored.workers())?.slowest(this.expected()) ?? [],
    );
  }

  get seen(): Seen | undefined {
    return this.last;
  }

  get longestMs(): number {
    return this.options.prometheus ? Number.POSITIVE_INFINITY : STEPS * STEP_MS;
  }

  start(): void {
    void this.look();
  }

  async latest(): Promise<Seen> {
    if (this.isClosed) return this.last ?? NOTHING;
    // Where looks take long, they are further apart.
    const youngMs = Math.max(YOUNG_MS, 2 * this.everyMs());
    if (this.last && this.clock.monotonic() - this.triedAt < youngMs) return this.last;
    return await this.patiently(this.look());
  }

  async again(): Promise<Seen> {
    await this.looking;
    return this.isClosed ? (this.last ?? NOTHING) : await this.look();
  }

  follow(listener: (seen: Seen) => void): () => void {
    // Each call is one follower, whatever function it is.
    const end = this.events.on('seen', (seen) => listener(seen));
    this.followers += 1;
    this.schedule();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      end();
      this.followers -= 1;
    };
  }

  async history(name: SeriesName, subject?: string, spanMs = STEPS * STEP_MS): Promise<Series> {
    const { prometheus } = this.options;
    const now = this.clock.now();
    if (spanMs > STEPS * STEP_MS && prometheus)
      return await prometheus.series(name, this.subjectOf(subject), spanMs, now);
    return this.past.read(name, subject, spanMs, now);
  }

  alerts(): readonly Alert[] {
    return this.rules.read();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.timer?.cancel();
    await Promise.all([this.looking, this.monitored.close()]);
  }

  /** A look that hangs must not have a page hang. */
  private async patiently(look: Promise<Seen>): Promise<Seen> {
    const tooLong = () => new Error('the broker has not answered yet');
    // Whoever asks next does not wait for the same.
    if (this.hanging === look) return this.without(tooLong());
    const patience = new Deadline(this.clock, this.last ? PATIENCE_MS : FIRST_PATIENCE_MS);
    try {
      return await patience.race(look, tooLong);
    } catch (error) {
      this.hanging = look;
      return this.without(error);
    }
  }

  /** Looks now, or waits for the look that is under way. Never rejects. */
  private look(): Promise<Seen> {
    this.looking ??= this.lookOnce().finally(() => {
      this.looking = undefined;
      this.schedule();
    });
    return this.looking;
  }

  private async lookOnce(): Promise<Seen> {
    this.timer?.cancel();
    this.lookedAt = this.clock.monotonic();
    const seen = await this.found().catch((error) => this.notReached(error));
    this.last = seen;
    this.triedAt = this.clock.monotonic();
    if (!this.isClosed) this.events.emit('seen', seen);
    return seen;
  }

  private async found(): Promise<Seen> {
    const survey = await this.monitored.survey();
    const { brokerInfo } = await this.monitored.opened();
    const now = this.clock.now();
    const { seen, moment } = this.seeing.see(survey, brokerInfo, now);
    this.past.take(moment);
    this.rules.take(snapshotOf(survey), now);
    return seen;
  }

  /** All else stays as it was known last. */
  private notReached(error: unknown): Seen {
    this.rules.take(unreached(this.clock.monotonic()), this.clock.now());
    return this.without(error);
  }

  private without(error: unknown): Seen {
    return { ...(this.last ?? NOTHING), reached: false, silent: [reasonText(error)] };
  }

  /** Has the next look begin when it is due, counted from the beginning of the last. */
  private schedule(): void {
    this.timer?.cancel();
    if (this.isClosed || this.looking !== undefined) return;
    const due = this.lookedAt + this.everyMs() - this.clock.monotonic();
    this.timer = this.clock.setTimer(() => void this.look(), Math.max(0, due));
  }

  private everyMs(): number {
    const { every = '5s', everyWhileFollowed = '2s', management } = this.options;
    const everyMs = toMs(this.followers > 0 ? everyWhileFollowed : every);
    const questions = 2 * (this.last?.queues.length ?? 0);
    return management ? everyMs : Math.max(everyMs, questions * MS_PER_QUESTION);
  }

  private subjectOf(name: string | undefined): Subject {
    const { handlers = [] } = this.last ?? {};
    if (name === undefined)
      return { of: 'all', services: [...new Set(handlers.map(({ service }) => service))] };
    const handler = handlers.find((each) => handlerIdOf(each) === name);
    return handler ? { of: 'handler', ...handler } : { of: 'queue', queue: name };
  }

  /** Those who have answered last will answer again: nobody waits for more. */
  private expected(): Expected {
    return { of: this.last?.processes };
  }
}

/** What is seen before the broker was reached once. */
const NOTHING: Seen = {
  at: undefined,
  reached: false,
  silent: [],
  processes: [],
  handlers: [],
  queues: [],
  delays: [],
  broker: {
    name: 'the broker',
    cluster: undefined,
    blocked: undefined,
    nodes: [],
    critical: undefined,
    connections: undefined,
    connectionChurn: undefined,
  },
  paused: undefined,
  lost: undefined,
};
