/*
 * Numbers as the pages write them, always with their unit. The server and the browser write the same text, so nothing here depends on
 * the language or the time zone of a machine.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A non-breaking space: a number and its unit stay on one line. */
const GAP = '\u00a0';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `12,431`. */
export const countText = (count: number): string => whole.format(count);

/** `1 message`, `12,431 messages`. @param many where it is not the word with an s */
export const countedText = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)}${GAP}${count === 1 ? one : many}`;

/** Two digits that say something: `0.042`, `3.4`, `12`, `1,034`. */
function shortText(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 9.95) return countText(value);
  if (size >= 0.1) return value.toFixed(1).replace(/\.0$/, '');
  return String(Number(value.toPrecision(1)));
}

/** `3.4/s`; by the minute what is less than one in ten seconds, by the hour what is rarer still. */
export function rateText(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 0.1) return `${shortText(perSecond)}/s`;
  const perMinute = perSecond * 60;
  return perMinute >= 0.1 ? `${shortText(perMinute)}/min` : `${shortText(perMinute * 60)}/h`;
}

/** Of a thousand each: `640 B`, `7 kB`, `1.2 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, at] = [bytes, 0];
  while (value >= 999.5 && at < units.length - 1) [value, at] = [value / 1_000, at + 1];
  return `${at === 0 ? countText(value) : shortText(value)}${GAP}${units[at]}`;
}

/** `0.4 ms`, `840 ms`, `2.4 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${shortText(ms)}${GAP}ms`;
  if (ms < 59.5 * SECOND) return `${shortText(ms / SECOND)}${GAP}s`;
  const units = [
    [DAY, 'd', HOUR, 'h'],
    [HOUR, 'h', MINUTE, 'min'],
    [MINUTE, 'min', SECOND, 's'],
  ] as const;
  for (const [unit, word, part, partWord] of units) {
    const parts = Math.round(ms / part);
    const perUnit = unit / part;
    if (parts < perUnit) continue;
    const rest = parts % perUnit;
    const first = `${countText(Math.floor(parts / perUnit))}${GAP}${word}`;
    return rest === 0 ? first : `${first}${GAP}${rest}${GAP}${partWord}`;
  }
  return `60${GAP}s`;
}

/** `0 %`, `< 0.1 %`, `0.4 %`, `12 %`. @param share from 0 to 1 */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return `<${GAP}0.1${GAP}%`;
  return `${shortText(percent)}${GAP}%`;
}

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `4 d ago`; `in 3 min` for what is to come. */
export function agoText(at: number, now: number): string {
  const ms = Math.abs(now - at);
  if (ms < SECOND) return 'just now';
  const [unit, word] =
    ms < MINUTE ? [SECOND, 's'] : ms < HOUR ? [MINUTE, 'min'] : ms < 2 * DAY ? [HOUR, 'h'] : [DAY, 'd'];
  const length = `${countText(Math.floor(ms / unit))}${GAP}${word}`;
  return at > now ? `in${GAP}${length}` : `${length}${GAP}ago`;
}

/** Moment in UTC: `2026-11-30 16:58:03 UTC`; undefined for what is no time that a date can hold. */
export function momentText(at: number): string | undefined {
  const date = new Date(at);
  return Number.isNaN(date.getTime())
    ? undefined
    : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** What a figure counts: says how it is written. */
export type Unit = 'count' | 'rate' | 'duration' | 'bytes' | 'share';

/** A figure as its unit is written. */
export const UNIT_TEXT: Readonly<Record<Unit, (value: number) => string>> = {
  count: countText,
  rate: rateText,
  duration: durationText,
  bytes: bytesText,
  share: shareText,
};
