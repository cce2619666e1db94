import { OptionsError } from '../../errors.js';
import { isRate, type Rate } from '../../failures/acting/pace.js';

/** A field of a form, without the space around it; '' if it is not there. */
export function fieldOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

/** All values of a field, as of boxes that are ticked. */
export const fieldsOf = (form: FormData, name: string): string[] =>
  form.getAll(name).filter((value) => typeof value === 'string');

/** A rate that somebody has written; undefined for an empty field. @throws OptionsError */
export function rateOf(form: FormData): Rate | undefined {
  const given = fieldOf(form, 'rate').replaceAll(' ', '');
  if (given === '') return undefined;
  const rate = /^\d+(\.\d+)?$/.test(given) ? Number(given) : given.replace(/\/min$/, '/m');
  if (isRate(rate)) return rate;
  throw new OptionsError('retry', [`expected rate to be as 50/s or 30/m, got "${given.slice(0, 40)}"`]);
}
