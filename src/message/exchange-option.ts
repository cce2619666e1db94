import { type Check, isPlainObject } from '../util/check.js';

/** A topic exchange by name; or, with `declare: false`, one that belongs to someone else and is only checked. */
export type ExchangeOption = string | { readonly name: string; readonly declare: false };

/** The option with its default: `declare: false` if the exchange only has to exist. */
export interface ExchangeRef {
  readonly name: string;
  readonly declare: boolean;
}

export function exchangeRef(option: ExchangeOption): ExchangeRef {
  return typeof option === 'string' ? { name: option, declare: true } : { name: option.name, declare: false };
}

export const exchangeOption: Check = {
  expected: "an exchange's name, or { name, declare: false }",
  accepts: (value) =>
    typeof value === 'string' ||
    (isPlainObject(value) && typeof value.name === 'string' && value.declare === false),
};
