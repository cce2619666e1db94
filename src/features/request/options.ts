import { OptionsError } from '../../errors.js';
import { exchangeOption } from '../../message/exchange-option.js';
import { isRequestDefinition } from '../../message/requests/define-request.js';
import type { RequestManyOptions, RequestOptions } from '../../message/requests/requester.js';
import { checkPublishOptions, shortText } from '../../pipeline/publish-checks.js';
import {
  type Check,
  durationUpTo,
  type Fields,
  flag,
  isPlainObject,
  positiveInteger,
  show,
} from '../../util/check.js';

/** Milliseconds that a request waits that sets no timeout. */
export const REQUEST_TIMEOUT_MS = 30_000;

const signal: Check = {
  expected: 'an AbortSignal',
  // Not by its class: an environment of tests may have one of its own.
  accepts: (value) => {
    const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>;
    const methods = [addEventListener, removeEventListener];
    return typeof aborted === 'boolean' && methods.every((each) => typeof each === 'function');
  },
};

const FIELDS: Fields = {
  timeout: durationUpTo('1d'),
  headers: { expected: 'an object', accepts: isPlainObject },
  correlationId: shortText,
  exchange: exchangeOption,
  repeatable: flag,
  signal,
};

const MANY_FIELDS: Fields = { ...FIELDS, count: positiveInteger };

/** @throws OptionsError for what is no request's definition */
export function checkDefinition(what: string, definition: unknown): void {
  if (isRequestDefinition(definition)) return;
  const key = (definition as { key?: unknown } | null)?.key;
  const got = typeof key === 'string' ? `the definition '${key}' of a message` : show(definition);
  throw new OptionsError(what, [`expected what defineRequest returns, got ${got}`]);
}

/**
 * Checks the options of a request.
 *
 * @throws OptionsError with all problems at once
 * @throws InvalidMessageError, MessageTooLargeError for headers
 */
export function checkRequestOptions(what: string, options: RequestOptions | RequestManyOptions): void {
  if (!isPlainObject(options))
    throw new OptionsError(what, [`expected its options to be an object, got ${show(options)}`]);
  checkPublishOptions(options, what === 'request' ? FIELDS : MANY_FIELDS, what);
}
