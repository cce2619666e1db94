import { type Check, isPlainObject } from '../../util/check.js';
import { type Arguments, type ExchangeRef, isArguments } from '../exchange-option.js';

/**
 * How the broker leads messages of an exchange to a handler's queue, where that is not by the handler's patterns. Which messages of
 * the queue the handler takes, its patterns say in any case.
 */
export interface BindingOption {
  /**
   * Key of the binding: for an exchange of type `x-consistent-hash` the weight of the queue. @default the pattern for `topic`, `direct`
   * and unknown types, `'1'` for `x-consistent-hash`, none for `fanout` and `headers`
   */
  readonly key?: string;
  /** Arguments of the binding: for a `headers` exchange the headers to match, and `x-match`. @default none */
  readonly arguments?: Arguments;
}

/** Key under which a queue is bound to this exchange for a handler's pattern. */
export function bindingKeyOf({ type }: ExchangeRef, pattern: string, binding?: BindingOption): string {
  if (binding?.key !== undefined) return binding.key;
  switch (type) {
    case 'fanout':
    case 'headers':
      return '';
    case 'x-consistent-hash':
      return '1';
    default:
      return pattern;
  }
}

export const bindingOption: Check = {
  expected: '{ key, arguments }, of which one is set',
  accepts: (value) =>
    isPlainObject(value) &&
    Object.keys(value).every((name) => name === 'key' || name === 'arguments') &&
    (value.key !== undefined || value.arguments !== undefined) &&
    (value.key === undefined || typeof value.key === 'string') &&
    (value.arguments === undefined || isArguments(value.arguments)),
};
