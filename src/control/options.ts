import { OptionsError } from '../errors.js';
import { Names } from '../topology/names.js';
import type { Transport } from '../transport/transport.js';
import { duration, type Fields, having, isPlainObject, problemsOf, required, text } from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import { type Logger, loggerCheck, stderrLogger } from '../util/logger.js';
import { safeLogger } from '../util/safe-logger.js';

/** Options of {@link openControl}. */
export interface ControlOptions {
  /** Connection to the application's broker: the transport that its bus has. */
  transport: Transport;
  /** Prefix of the application. @default 'hopline' */
  prefix?: string;
  /** Time to wait for answers; all of it passes, since the number of answers is not known. @default '1s' */
  wait?: Duration;
  /** Maximum time for connecting. @default '10s' */
  connectDeadline?: Duration;
  /** Logger for warnings. @default standard error */
  log?: Logger;
}

export interface ControlSettings {
  readonly transport: Transport;
  readonly names: Names;
  readonly waitMs: number;
  readonly connectDeadlineMs: number;
  readonly log: Logger;
}

const FIELDS: Fields = {
  transport: required(having('a transport: rabbitmq({ url }) or memory()', 'open')),
  prefix: text,
  wait: duration,
  connectDeadline: duration,
  log: loggerCheck,
};

/** @throws OptionsError with all problems at once */
export function controlSettings(options: ControlOptions): ControlSettings {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', FIELDS)
    : ['expected the options to be an object such as { transport }'];
  if (problems.length > 0) throw new OptionsError('control', problems);
  const { transport, prefix, wait = '1s', connectDeadline = '10s', log = stderrLogger } = options;
  return {
    transport,
    names: new Names(prefix),
    waitMs: toMs(wait),
    connectDeadlineMs: toMs(connectDeadline),
    log: safeLogger(log),
  };
}

/** Requests to monitors. */
const ASKED = {
  silence: { pattern: required(text), duration: required(duration) },
  acknowledge: { pattern: required(text) },
} satisfies Record<string, Fields>;

/** @throws OptionsError with all problems at once */
export function checkAsked(ask: keyof typeof ASKED, given: object): void {
  const problems = problemsOf(given, '', ASKED[ask]);
  if (problems.length > 0) throw new OptionsError(ask, problems);
}
