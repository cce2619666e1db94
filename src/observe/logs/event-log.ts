import type { BusEvents, EventName } from '../../events.js';
import type { Clock } from '../../util/clock.js';
import type { Listener } from '../../util/emitter.js';
import { safeLogger } from '../../util/safe-logger.js';
import { FAILURE_EVENTS, type FailureEvent, failuresOf } from '../failure-log/failure.js';
import { LEVELS, type LogLevel, lineOfOne } from '../failure-log/sum.js';
import { Sums } from '../failure-log/sums.js';
import { EVENT_LINES, type EventLine } from './catalogue.js';
import { type Happening, happeningWording } from './happening.js';
import type { LogSettings } from './options.js';

/** What a bus and an emitter have. */
export interface EventSource {
  on<Name extends EventName>(name: Name, listener: Listener<BusEvents[Name]>): () => void;
}

const FAILURES: ReadonlySet<EventName> = new Set<EventName>(FAILURE_EVENTS);

/** Warnings and errors are summed; what is below them was asked for line by line. */
const SUMMED = LEVELS.indexOf('warn');

/** A logger that says what it writes, as pino's do. */
interface Choosy {
  isLevelEnabled?(level: LogLevel): boolean;
}

/** Writes events as lines, and listens to those alone that its logger writes. */
export class EventLog {
  private readonly log;
  private readonly sums;
  private readonly removers: (() => void)[];
  /** True if it writes some of the failures that the bus writes, too. */
  readonly writesFailures: boolean;

  constructor(events: EventSource, { log, levels, given, everyMs }: LogSettings, clock: Clock) {
    this.log = safeLogger(log);
    this.sums = new Sums(happeningWording, { log: this.log, clock, everyMs });
    const isWritten = (level: LogLevel | false): level is LogLevel =>
      level !== false && (log as Choosy).isLevelEnabled?.(level) !== false;
    this.writesFailures = [...FAILURES].some((name) => isWritten(levels.get(name) ?? false));
    this.removers = [...levels].flatMap(([name, level]) => {
      if (!isWritten(level)) return [];
      const minor = given.has(name) ? undefined : (EVENT_LINES[name] as EventLine<unknown>).minor;
      return [
        events.on(name, (event) => this.add({ name, level: minor?.is(event) ? 'debug' : level, event })),
      ];
    });
    // Last, so that nothing is counted afterwards.
    for (const name of ['bus.startFailed', 'bus.stopped'] as const)
      this.removers.push(events.on(name, () => this.sums.end()));
  }

  /** Writes what is counted so far, and no more. */
  stop(): void {
    for (const remove of this.removers.splice(0)) remove();
    this.sums.end();
  }

  private add(happening: Happening): void {
    const { name, event } = happening;
    const failures = FAILURES.has(name) ? failuresOf(name as FailureEvent, event as never) : [];
    if (failures.length === 0) this.tell(happening);
    for (const failure of failures) this.tell({ ...happening, failure });
  }

  private tell(happening: Happening): void {
    if (LEVELS.indexOf(happening.level) >= SUMMED) this.sums.add(happening);
    else {
      const { level, fields, message } = lineOfOne(happening, happeningWording);
      this.log[level](fields, message);
    }
  }
}
