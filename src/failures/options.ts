import { Encryption } from '../encryption/encryption.js';
import { type EncryptionOptions, encryptionOption } from '../encryption/key-provider.js';
import { OptionsError } from '../errors.js';
import { isMessageDefinition, type MessageDefinition } from '../message/define-message.js';
import { deadQueueOf, Names, queueNameProblem, workQueueOf } from '../topology/names.js';
import type { Transport } from '../transport/transport.js';
import {
  type Check,
  duration,
  type Fields,
  having,
  isPlainObject,
  objectWith,
  problemsOf,
  required,
  text,
} from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import { type Logger, loggerCheck, stderrLogger } from '../util/logger.js';
import { safeLogger } from '../util/safe-logger.js';
import { isRate, type Rate } from './acting/pace.js';
import type { ReplayTarget } from './acting/replay.js';
import type { DeadLetterFilter } from './filter.js';
import type { DeadLetter, DeadLetterSummary } from './letters/dead-letter.js';
import type { TrashedMark } from './letters/marks.js';

/** Options of {@link openFailures}. */
export interface FailuresOptions {
  /** Connection to the application's broker: the transport that its bus has. */
  transport: Transport;
  /**
   * Names of the queues whose dead letters are read; `<queue>.dead` means the same. `hopline.delay.lost` holds
   * delayed messages that no queue took when they were due. A function is asked each time: there may be more later.
   */
  queues: readonly string[] | (() => readonly string[]);
  /**
   * Names of queues that hold dead letters of others, read as they are: of a plain dead-letter exchange, `X_error` of MassTransit, `error` of
   * NServiceBus, of Spring AMQP's RepublishMessageRecoverer. A retry goes to the queue in which the message failed, through the default
   * exchange; where that is not known, as from Spring, to the exchange of its publish. @default none
   */
  others?: readonly string[];
  /** Prefix of the application. @default 'hopline' */
  prefix?: string;
  /** Prefix of the application's delay queues. @default 'hopline' */
  delayPrefix?: string;
  /** Keys of the application, needed only for showing encrypted bodies. @default none */
  encryption?: EncryptionOptions;
  /** Definitions of the application's messages, by whose schemas edited ones are checked. @default none: they are not checked */
  messages?: readonly MessageDefinition[];
  /** Maximum time for connecting. @default '10s' */
  connectDeadline?: Duration;
  /** Maximum time of one replay until its confirm. @default '30s' */
  publishDeadline?: Duration;
  /** Logger for warnings. @default standard error */
  log?: Logger;
}

/** Destination and rate of a replay. */
export interface ReplayOptions {
  /**
   * Destination: `queue` is exactly the queue in which the message failed; `republish` is the exchange and
   * routing key of the publish, so that every subscriber gets the message again. A delayed send that reached no
   * queue is always republished.
   * @default 'queue'
   */
  to?: ReplayTarget;
  /**
   * Maximum replays per second, as `50` or `'50/s'`, or per minute, as `'30/m'`. @default as fast as the broker
   * confirms
   */
  rate?: Rate;
  /** Function that is called after each dead letter. @default none */
  onProgress?: (progress: Progress) => void;
  /** Signal that ends the replay early: letters under way are finished, the others stay. @default none */
  signal?: AbortSignal;
}

/** How letters are forgotten. */
export interface ForgetOptions {
  /** Moves them into the trash, and names who does so. @default none: they are deleted for good */
  trash?: { readonly by: string };
  /** Function that is called after each dead letter. @default none */
  onProgress?: (progress: Progress) => void;
  /** Signal that ends the action early: letters under way are finished, the others stay. @default none */
  signal?: AbortSignal;
}

/** Who edits a letter, and where it goes. */
export interface EditOptions extends Pick<ReplayOptions, 'to'> {
  /** Name of who has edited it, for the header `hopline-edited`. */
  by: string;
}

/** Summary of a letter in the trash. */
export interface TrashedLetter extends DeadLetterSummary {
  /** Who has forgotten it; undefined for a message that another program has put there. */
  readonly trashed: TrashedMark | undefined;
}

/** Number of dead letters of one queue. */
export interface DeadLetterCount {
  readonly deadQueue: string;
  /** Dead letters in the queue; undefined if the queue does not exist. */
  readonly count: number | undefined;
}

/** Progress of an action on dead letters. */
export interface Progress {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** Dead letter that was just dealt with. */
  readonly letter: DeadLetter;
}

export interface FailuresSettings {
  readonly transport: Transport;
  /** Dead-letter queues, as they are known now. */
  queues(): readonly string[];
  /** True for a queue of another application. */
  isOther(deadQueue: string): boolean;
  readonly names: Names;
  readonly encryption: Encryption | undefined;
  readonly messages: readonly MessageDefinition[];
  readonly connectDeadlineMs: number;
  readonly publishDeadlineMs: number;
  readonly log: Logger;
}

const queueList: Check = {
  expected: 'a list of at least one queue name, or a function that returns a list',
  accepts: (value) =>
    typeof value === 'function' || (Array.isArray(value) && value.length > 0 && value.every(text.accepts)),
};

const FIELDS: Fields = {
  transport: required(having('a transport: rabbitmq({ url }) or memory()', 'open')),
  queues: required(queueList),
  others: {
    expected: 'a list of queue names',
    accepts: (value) => Array.isArray(value) && value.every(text.accepts),
  },
  prefix: text,
  delayPrefix: text,
  encryption: encryptionOption,
  messages: {
    expected: 'a list of what defineMessage returns',
    accepts: (value) => Array.isArray(value) && value.every(isMessageDefinition),
  },
  connectDeadline: duration,
  publishDeadline: duration,
  log: loggerCheck,
};

export const REPLAY_FIELDS: Fields = {
  to: { expected: "'queue' or 'republish'", accepts: (value) => value === 'queue' || value === 'republish' },
  rate: { expected: "a number a second, '50/s' or '30/m'", accepts: isRate },
  onProgress: { expected: 'a function', accepts: (value) => typeof value === 'function' },
  signal: { expected: 'an AbortSignal', accepts: (value) => value instanceof AbortSignal },
};

export const FORGET_FIELDS: Fields = {
  trash: objectWith({ by: required(text) }),
  onProgress: REPLAY_FIELDS.onProgress as Check,
  signal: REPLAY_FIELDS.signal as Check,
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
  if (Array.isArray(queues) && queueList.accepts(queues)) {
    for (const queue of queues) {
      const problem = queue === names.delayLost ? undefined : queueNameProblem(workQueueOf(queue));
      if (problem) problems.push(problem);
    }
  }
  if (problems.length > 0) throw new OptionsError('failures', problems);
  const {
    others = [],
    messages = [],
    transport,
    connectDeadline = '10s',
    publishDeadline = '30s',
    log = stderrLogger,
  } = options;
  return {
    transport,
    queues: () => {
      const all = typeof queues === 'function' ? queues() : queues;
      return [...new Set([...all.map((queue) => deadLettersOf(queue, names)), ...others])];
    },
    isOther: (deadQueue) => others.includes(deadQueue),
    names,
    encryption: options.encryption && new Encryption(options.encryption.keys, transport.clock),
    messages,
    connectDeadlineMs: toMs(connectDeadline),
    publishDeadlineMs: toMs(publishDeadline),
    log: safeLogger(log),
  };
}

/** Name of the queue that holds the dead letters of `queue`. */
export function deadLettersOf(queue: string, names: Names): string {
  return queue === names.delayLost ? queue : deadQueueOf(workQueueOf(queue));
}

/**
 * Dead-letter queues that a filter names; all that were opened if it names none.
 *
 * @throws OptionsError for one that was not
 */
export function openedOf(
  { queues: opened, isOther, names }: FailuresSettings,
  { queues }: Pick<DeadLetterFilter, 'queues'>,
): readonly string[] {
  if (!queues) return opened();
  const named = queues.map((queue) => (isOther(queue) ? queue : deadLettersOf(queue, names)));
  const all = opened();
  const unknown = named.filter((queue) => !all.includes(queue));
  if (unknown.length > 0)
    throw new OptionsError(
      'filter',
      unknown.map((queue) => `queue '${queue}' was not opened`),
    );
  return [...new Set(named)];
}

/** @throws OptionsError */
export function checkWith(what: string, value: object, fields: Fields): void {
  const problems = isPlainObject(value) ? problemsOf(value, '', fields) : ['expected an object'];
  if (problems.length > 0) throw new OptionsError(what, problems);
}

/** What an action has to know of a letter. */
export type ListedLetter = Pick<DeadLetterSummary, 'id' | 'deadQueue' | 'reason'>;

/** In a filter: letters that its caller has listed. Exactly these are meant, and no queue is read for them again. */
export const LISTED = Symbol('listed');

/** A filter for letters that were listed. */
export interface ListedFilter extends DeadLetterFilter {
  readonly [LISTED]?: readonly ListedLetter[];
}

/** True for a filter that leaves nothing out of its queues. */
export function selectsAll({ queues: _, ...filter }: ListedFilter): boolean {
  return filter[LISTED] === undefined && Object.values(filter).every((value) => value === undefined);
}

/** Selected dead letters: their ids, or a filter. */
export type Selection = readonly string[] | DeadLetterFilter;

export function filterOf(selection: Selection): DeadLetterFilter {
  return Array.isArray(selection) ? { ids: selection } : (selection as DeadLetterFilter);
}
