import bytes from 'bytes';
import { rateIn } from '../control/rate-in.js';
import { isDuration, toMs } from '../util/duration.js';
import { UsageError } from './usage-error.js';

/*
 * Parsers of flags' values. Each throws a UsageError that names the flag and shows the syntax.
 */

export function nameList(flag: string, given: string, example = 'emails,media'): string[] {
  const all = given.split(',').map((name) => name.trim());
  if (all.every((name) => name !== '')) return all;
  throw new UsageError(`${flag} names nothing: '${given}'`, `Write it as ${example}`);
}

export function wholeNumber(flag: string, given: string): number {
  const number = Number(given);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new UsageError(`${flag} is no whole number from 1 on: '${given}'`, 'Write it as 4');
}

/** `4`, or `2..8`. */
export function range(flag: string, given: string): { readonly min: number; readonly max: number } {
  const [first = '', last = first, ...more] = given.split('..');
  const min = wholeNumber(flag, first);
  const max = wholeNumber(flag, last);
  if (more.length === 0 && min <= max) return { min, max };
  throw new UsageError(`${flag} is no range: '${given}'`, 'Write it as 4, or as 2..8');
}

export function durationMs(flag: string, given: string): number {
  if (isDuration(given)) return toMs(given);
  throw new UsageError(`${flag} is no duration: '${given}'`, 'Write it as 30s, 5m, 2h or 7d, 400d at most');
}

/** `50/1m`: starts in any time of this length. */
export function startRate(flag: string, given: string): { readonly allow: number; readonly every: number } {
  const rate = rateIn(given);
  if (rate) return rate;
  throw new UsageError(
    `${flag} is no rate: '${given}'`,
    'Write it as 50/1m: so many in any time of this length',
  );
}

/** A positive duration, for flags where 0 would end everything at once. */
export function positiveDurationMs(flag: string, given: string): number {
  const ms = durationMs(flag, given);
  if (ms >= 1) return ms;
  throw new UsageError(`${flag} is no time at all: '${given}'`, 'Write it as 30s, 5m or 2h');
}

/** `30s`, or a list of them: `1s,10s,1m`. */
export function durationList(flag: string, given: string): number[] {
  return nameList(flag, given, '1s,10s,1m').map((each) => durationMs(flag, each));
}

export function byteSize(flag: string, given: string): number {
  const parsed = /^\d+(\.\d+)?\s*(kb|mb|gb)$/i.test(given) ? bytes.parse(given) : null;
  if (parsed !== null && parsed > 0) return parsed;
  throw new UsageError(`${flag} is no size: '${given}'`, 'Write it as 512MB or 2GB');
}
