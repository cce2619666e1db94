import type { Alert, AlertStatus, Silence } from '../alert.js';
import type { Reading } from '../measuring/measure.js';
import { measureOf, valueText } from '../measuring/measures.js';
import { Measuring } from '../measuring/measuring.js';
import type { Snapshot } from '../measuring/snapshot.js';
import type { MeasureName } from '../rules/measure-name.js';
import { matches, type Rule, type Severity, takes } from '../rules/rule.js';
import { Watch } from './watch.js';

/** Time after which an alert ends whose subject is not there any more. */
const GONE_MS = 600_000;

/** Shortest time that figures are kept for: status shows them even where no rule looks back. */
const KEPT_MS = 300_000;

/** All rules for all subjects: what fires, and what is to be told of it. Pure, but for what it remembers. */
export class Board {
  private readonly measuring: Measuring;
  private readonly watches = new Map<string, Watch>();
  /** Wall-clock milliseconds at which each ends, by pattern. */
  private readonly silences = new Map<string, number>();

  /** @param remindMs time between two reminders of an alert that fires */
  constructor(
    private readonly rules: readonly Rule[],
    private readonly remindMs: number,
  ) {
    this.measuring = new Measuring(Math.max(KEPT_MS, ...rules.map(({ withinMs }) => withinMs)));
  }

  /** Takes a snapshot. @param at its wall-clock milliseconds @returns what is to be told now */
  take(snapshot: Snapshot, at: number): Alert[] {
    this.measuring.take(snapshot);
    for (const measure of new Set(this.rules.map((rule) => rule.measure)))
      this.measure(measure, snapshot.at, at);
    return [...this.watches.values()].flatMap((watch) => this.toTell(watch, snapshot.at, at) ?? []);
  }

  status(at: number): AlertStatus[] {
    return [...this.watches.values()].map((watch) => {
      const { id, rule, reading, severity, acknowledged, turning, lastValue } = watch;
      const { measure, limits } = rule;
      const { subject, value } = reading;
      const still = severity ? 'firing' : value === undefined ? 'unknown' : 'ok';
      return {
        id,
        measure,
        subject,
        state: turning === 'pending' && severity ? 'firing' : (turning ?? still),
        severity,
        value,
        limits,
        message: lastValue === undefined ? `${measure} of ${subject} is unknown` : sentence(watch, lastValue),
        help: measureOf(measure).help,
        acknowledged: acknowledged !== undefined,
        silenced: this.isSilenced(watch, at),
      };
    });
  }

  /** Tells nobody of these alerts until `until`, in wall-clock milliseconds. Those that still fire then are told. */
  silence(pattern: string, until: number): void {
    this.silences.set(pattern, until);
  }

  silenced(at: number): Silence[] {
    return [...this.silences]
      .filter(([, until]) => until > at)
      .map(([pattern, until]) => ({ pattern, until: new Date(until).toISOString() }));
  }

  /** Ends the reminders of these alerts until they get worse or end. @returns their ids */
  acknowledge(pattern: string): string[] {
    const firing = [...this.watches.values()].filter((watch) => watch.severity && isOf(pattern, watch));
    for (const watch of firing) watch.acknowledged = watch.severity;
    return firing.map(({ id }) => id);
  }

  private measure(name: MeasureName, now: number, at: number): void {
    const own = this.rules.filter(({ measure }) => measure === name);
    const seen = new Set<Watch>();
    let isKnown = false;
    for (const rule of own) {
      const readings = measureOf(name).read(this.measuring, rule);
      if (readings) isKnown = true;
      for (const reading of readings ?? []) {
        if (own.find((each) => takes(each, reading.queue)) !== rule) continue;
        const watch = this.watchOf(rule, reading);
        watch.take(reading, now, at);
        seen.add(watch);
      }
    }
    const isTold = ({ reading }: Watch) => this.measuring.wouldTell(reading.queue);
    for (const watch of this.watches.values()) {
      if (watch.rule.measure !== name || seen.has(watch)) continue;
      watch.reading = { ...watch.reading, value: undefined };
      // While nothing is known of any, or of those who would tell, it is not gone either.
      if (isKnown) watch.missingSince = isTold(watch) ? (watch.missingSince ?? now) : undefined;
    }
  }

  private watchOf(rule: Rule, reading: Reading): Watch {
    const fresh = new Watch(rule, reading);
    const watch = this.watches.get(fresh.id) ?? fresh;
    this.watches.set(watch.id, watch);
    return watch;
  }

  private toTell(watch: Watch, now: number, at: number): Alert | undefined {
    if (now - (watch.missingSince ?? now) >= GONE_MS) {
      this.watches.delete(watch.id);
      return watch.told && alertOf(watch, 'resolved', watch.told.heard, at);
    }
    const { told, severity } = watch;
    if (!severity) {
      watch.told = undefined;
      return told && alertOf(watch, 'resolved', told.heard, at);
    }
    if (this.isSilenced(watch, at)) return undefined;
    const isReminder = told?.severity === severity;
    if (isReminder && (watch.acknowledged || now - told.at < this.remindMs)) return undefined;
    // One who knows that it is critical has no use for hearing that it is less.
    const isQuiet = watch.acknowledged !== undefined && told !== undefined;
    watch.told = { severity, heard: isQuiet ? told.heard : severity, at: now };
    return isQuiet ? undefined : alertOf(watch, isReminder ? 'reminder' : 'fired', severity, at);
  }

  private isSilenced(watch: Watch, at: number): boolean {
    for (const [pattern, until] of this.silences) {
      if (until <= at) this.silences.delete(pattern);
      else if (isOf(pattern, watch)) return true;
    }
    return false;
  }
}

const isOf = (pattern: string, { id, reading: { subject, queue } }: Watch): boolean =>
  [id, subject, queue].some((name) => name !== undefined && matches(pattern, name));

function sentence({ rule, reading }: Watch, value: number): string {
  const { unit, says } = measureOf(rule.measure);
  const note = reading.note === undefined || reading.note === '' ? '' : ` (${reading.note})`;
  return `${says(valueText(unit, value), reading.subject)}${note}`;
}

function alertOf(watch: Watch, state: Alert['state'], severity: Severity, at: number): Alert {
  const { id, rule, reading, lastValue = 0, since, missingSince } = watch;
  const { measure, limits } = rule;
  const { help } = measureOf(measure);
  const limit = limits[severity] ?? 0;
  const said = sentence(watch, lastValue);
  return {
    id,
    measure,
    subject: reading.subject,
    state,
    severity,
    value: lastValue,
    limit,
    message:
      state !== 'resolved'
        ? `${said}, above ${valueText(measureOf(measure).unit, limit)}`
        : `over: ${missingSince === undefined ? said : `${reading.subject} is not there any more`}`,
    help,
    since: new Date(since ?? at).toISOString(),
    at: new Date(at).toISOString(),
  };
}
