import { isDuration, toMs } from '../util/duration.js';

/** Rate that a text such as `50/1m` gives; undefined for another one. What a limit can be is checked when it is set. */
export function rateIn(text: string): { readonly allow: number; readonly every: number } | undefined {
  const [, allow, every] = /^(\d{1,4})\/(\S+)$/.exec(text) ?? [];
  return allow !== undefined && isDuration(every) ? { allow: Number(allow), every: toMs(every) } : undefined;
}
