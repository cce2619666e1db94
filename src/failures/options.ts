import { Encryption } from '../encryption/encryption.js';
import { type EncryptionOptions, encryptionOption } from '../encryption/key-provider.js';
import { OptionsError } from '../errors.js';
import { deadQueueOf, Names, queueNameProblem } from '../topology/names.js';
import type { Transport } from '../transport/transport.js';
import {
  type Check,
  duration,
  type Fields,
  having,
  isPlainObject,
  problemsOf,
  required,
  text,
} from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import { type Logger, stderrLogger } from '../util/logger.js';
import { safeLogger } from '../util/safe-logger.js';
import type { DeadLetter } from './dead-letter.js';
import type { DeadLetterFilter } from './filter.js';
import { isRate, type Rate } from './pace.js';
import type { ReplayTarget } from './replay.js';

/** Options of {@link openFailures}. */
export interface FailuresOptions {
  /** Where the dead letters are: what the bus of the application has, too. */
  transport: Transport;
  /**
   * Names of the queues whose dead letters are meant; `<queue>.dead` means the same. `hopline.delay.lost` holds what no
   * queue took when its delay was over.
   */
  queues: readonly string[];
  /** The application's `prefix`. @default 'hopline' */
  prefix?: string;
  /** The application's `delayPrefix`. @default 'hopline' */
  delayPrefix?: string;
  /** The application's keys, for whoever wants to see what is encrypted; all else needs none. @default none */
  encryption?: EncryptionOptions;
  /** How long connecting may take. @default '10s' */
  connectDeadline?: Duration;
  /** How long one replay may take until its confirm. @default '30s' */
  publishDeadline?: Duration;
  /** Where warnings go. @default standard error */
  log?: Logger;
}

/** Where dead letters go that are retried, and how fast. */
export interface ReplayOptions {
  /**
   * `queue` is exactly the queue it failed in; `republish` its exchange and routing key, so that every subscriber gets
   * it again. A delayed send that never reached a queue is republished in any case.
   * @default 'queue'
   */
  to?: ReplayTarget;
  /** So many a second, as `50` or `'50/s'`; or `'30/m'`. @default as fast as the broker confirms */
  rate?: Rate;
  /** Told after each. */
  onProgress?: (progress: Progress) => void;
  /** Ends it early: what is under way is finished, the rest stays. */
  signal?: AbortSignal;
}

/** How far something with many dead letters is. */
export interface Progress {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** The one it was told after. */
  readonly letter: DeadLetter;
}

export interface FailuresSettings {
  readonly transport: Transport;
  readonly queues: readonly string[];
  readonly names: Names;
  readonly encryption: Encryption | undefined;
  readonly connectDeadlineMs: number;
  readonly publishDeadlineMs: number;
  readonly log: Logger;
}

const queueList: Check = {
  expected: 'a list of at least one queue name',
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(text.accepts),
};

const FIELDS: Fields = {
  transport: required(having('a transport: rabbitmq({ url }) or memory()', 'open')),
  queues: required(queueList),
  prefix: text,
  delayPrefix: text,
  encryption: encryptionOption,
  connectDeadline: duration,
  publishDeadline: duration,
  log: having('a logger', 'debug', 'info', 'warn', 'error'),
};

export const REPLAY_FIELDS: Fields = {
  to: { expected: "'queue' or 'republish'", accepts: (value) => value === 'queue' || value === 'republish' },
  rate: { expected: "a number a second, '50/s' or '30/m'", accepts: isRate },
  onProgress: { expected: 'a function', accepts: (value) => typeof value === 'function' },
  signal: { expected: 'an AbortSignal', accepts: (value) => value instanceof AbortSignal },
};

/** @throws OptionsError with all problems at once */
export function failuresSettings(options: FailuresOptions): FailuresSettings {
  if (!isPlainObject(options))
    throw new OptionsError('failures', [
      'expected the options to be an object such as { transport, queues }',
    ]);
  const problems = problemsOf(options, '', FIELDS);
  const { prefix, delayPrefix, queues } = options;
  const names = new Names(prefix, delayPrefix);
  if (queueList.accepts(queues)) {
    for (const queue of queues) {
      const problem = queue === names.delayLost ? undefined : queueNameProblem(workQueueOf(queue));
      if (problem) problems.push(problem);
    }
  }
  if (problems.length > 0) throw new OptionsError('failures', problems);
  const { transport, connectDeadline = '10s', publishDeadline = '30s', log = stderrLogger } = options;
  return {
    transport,
    queues: [...new Set(queues.map((queue) => deadLettersOf(queue, names)))],
    names,
    encryption: options.encryption && new Encryption(options.encryption.keys, transport.clock),
    connectDeadlineMs: toMs(connectDeadline),
    publishDeadlineMs: toMs(publishDeadline),
    log: safeLogger(log),
  };
}

const workQueueOf = (queue: string): string => queue.replace(/\.dead$/, '');

/** The queue in which the dead letters of `queue` lie. */
export function deadLettersOf(queue: string, names: Names): string {
  return queue === names.delayLost ? queue : deadQueueOf(workQueueOf(queue));
}

/** @throws OptionsError */
export function checkWith(what: string, value: object, fields: Fields): void {
  const problems = isPlainObject(value) ? problemsOf(value, '', fields) : ['expected an object'];
  if (problems.length > 0) throw new OptionsError(what, problems);
}

/** Which dead letters: their ids, or a filter. */
export type Selection = readonly string[] | DeadLetterFilter;

export function filterOf(selection: Selection): DeadLetterFilter {
  return Array.isArray(selection) ? { ids: selection } : (selection as DeadLetterFilter);
}
