import { OptionsError } from '../../errors.js';
import {
  type Check,
  duration,
  durationUpTo,
  type Fields,
  flag,
  having,
  isPlainObject,
  objectWith,
  oneOf,
  positiveDuration,
  problemsOf,
  required,
  text,
} from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';
import { type Logger, stderrLogger } from '../../util/logger.js';
import { safeLogger } from '../../util/safe-logger.js';
import { listOfRules, readRules } from './rules/read-rules.js';
import type { AlertRule, Rule } from './rules/rule.js';
import { HttpAddress } from './sinks/http.js';
import type { PingOptions } from './sinks/ping.js';
import type { WebhookOptions } from './sinks/webhook.js';

/** Options of alerts that a file may have, too. */
export interface AlertRulesOptions {
  /** Rules, of which the first of a measure that takes a queue holds. @default only the default rules */
  rules?: readonly AlertRule[];
  /** True to have the default rules behind these: docs/alerts.md lists them. @default true */
  defaults?: boolean;
  /** Time between two looks. @default '15s' */
  every?: Duration;
  /** Time after which an alert that still fires is told again. @default '4h' */
  remindEvery?: Duration;
  /** Addresses that alerts are posted to. @default none */
  webhooks?: readonly WebhookOptions[];
  /** Time for which a webhook or a publish that fails is tried again. @default '10m' */
  deliverWithin?: Duration;
  /** Address that is called while all is looked at. @default none */
  ping?: PingOptions;
  /** Routing key under which each alert is published on the bus; true for `hopline.alert`. @default false */
  publish?: boolean | string;
}

/** Options of {@link alerts}. */
export interface AlertsOptions extends AlertRulesOptions {
  /** Logger: a line for each alert. @default standard error */
  log?: Logger;
}

/** @internal */
export interface AlertsSettings {
  readonly rules: readonly Rule[];
  readonly everyMs: number;
  readonly remindMs: number;
  readonly webhooks: readonly WebhookOptions[];
  readonly deliverMs: number;
  readonly ping: { readonly url: string; readonly everyMs: number } | undefined;
  /** Routing key; undefined if alerts are not published. */
  readonly publishAs: string | undefined;
  readonly log: Logger;
}

/** A path may be a secret, as in Slack's addresses. */
const address: Check = {
  expected: 'an address http://… or https://…, with user and password percent-encoded if it has them',
  accepts: (value) => typeof value === 'string' && HttpAddress.accepts(value),
  isSecret: true,
};

const secretly = (check: Check): Check => ({ ...check, isSecret: true });

const FIELDS: Fields = {
  rules: listOfRules,
  defaults: flag,
  every: positiveDuration,
  remindEvery: positiveDuration,
  webhooks: {
    expected: 'a list of addresses such as { url, secret }',
    accepts: Array.isArray,
    each: secretly(
      objectWith({ url: required(address), secret: secretly(text), format: oneOf('json', 'slack') }),
    ),
    isSecret: true,
  },
  deliverWithin: duration,
  ping: secretly(objectWith({ url: required(address), every: durationUpTo('1d') })),
  publish: {
    expected: 'true, false or a routing key',
    accepts: (value) => typeof value === 'boolean' || text.accepts(value),
  },
  log: having('a logger', 'debug', 'info', 'warn', 'error'),
};

/** @internal @throws OptionsError with all problems at once */
export function alertsSettings(options: AlertsOptions): AlertsSettings {
  const isObject: boolean = isPlainObject(options);
  if (!isObject) throw new OptionsError('alerts', ['expected the options to be an object']);
  const { rules: given = [], defaults = true, every = '15s', remindEvery = '4h', webhooks = [] } = options;
  const { deliverWithin = '10m', ping, publish = false, log = stderrLogger } = options;
  const { rules, problems } = readRules(Array.isArray(given) ? given : [], defaults);
  const all = [...problemsOf(options, '', FIELDS), ...problems];
  if (all.length > 0) throw new OptionsError('alerts', all);
  return {
    rules,
    everyMs: toMs(every),
    remindMs: toMs(remindEvery),
    webhooks,
    deliverMs: toMs(deliverWithin),
    ping: ping && { url: ping.url, everyMs: toMs(ping.every ?? '1m') },
    publishAs: publish === true ? 'hopline.alert' : publish || undefined,
    log: safeLogger(log),
  };
}
