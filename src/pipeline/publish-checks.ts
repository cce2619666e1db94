import { InvalidMessageError, OptionsError } from '../errors.js';
import type { ChainOptions, ChainStep } from '../message/chain.js';
import { isMessageDefinition, packSize } from '../message/define-message.js';
import { DEFAULT_EXCHANGE, exchangeOption } from '../message/exchange-option.js';
import { checkHeaders } from '../message/headers.js';
import type { LeavingIntent, PublishManyOptions, PublishOptions } from '../message/publish-options.js';
import { uniqueSendOption } from '../message/unique.js';
import { exchangeOptionProblem, laneNameProblem } from '../topology/names.js';
import {
  anything,
  type Check,
  duration,
  durationUpTo,
  type Fields,
  flag,
  isPlainObject,
  problemsOf,
  shortPlainText,
  show,
  text,
} from '../util/check.js';
import { msAsWritten } from '../util/duration.js';

const priority: Check = {
  expected: 'an integer from 0 to 255',
  accepts: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255,
};

/** What fits into a short string of the protocol. */
export const shortText: Check = {
  expected: 'a string of 1 to 255 bytes',
  accepts: (value) => text.accepts(value) && Buffer.byteLength(value as string) <= 255,
};

const tagList: Check = {
  expected: 'a list of 1 to 20 strings of 1 to 255 bytes',
  accepts: (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= 20 && value.every(shortPlainText.accepts),
};

const moment: Check = {
  expected: 'a valid Date',
  accepts: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
};

/** The delay's range is checked when the message is composed, with an error that names the alternative. */
const delay: Check = { ...duration, accepts: (value) => msAsWritten(value) !== undefined };

const PUBLISH_FIELDS: Fields = {
  key: text,
  headers: { expected: 'an object', accepts: isPlainObject },
  messageId: shortText,
  correlationId: shortText,
  exchange: exchangeOption,
  queue: shortText,
  delay,
  at: moment,
  priority,
  lane: text,
  expiration: duration,
  replyTo: shortText,
  userId: shortText,
  deadline: duration,
  allowForeignExchange: flag,
  unique: uniqueSendOption,
  encrypted: flag,
  track: flag,
  name: shortPlainText,
  tags: tagList,
  keep: durationUpTo('366d'),
};

/** Check of an option that something can't have. */
const leftOut = (why: string): Check => ({ expected: `left out, ${why}`, accepts: () => false });

/** The options of jobs, for what can't be one. */
const noJob = (why: string): Fields => {
  const check = leftOut(why);
  return { track: check, name: check, tags: check, keep: check };
};

const { messageId: _, unique: _ofOneOnly, ...FIELDS_OF_EACH } = PUBLISH_FIELDS;
const MANY_FIELDS: Fields = {
  ...FIELDS_OF_EACH,
  ...noJob('since the result of a call of many has no single jobs: track each with send()'),
  pack: packSize,
};
const { deadline: __, userId: ___, ...FIELDS_OF_A_STEP } = FIELDS_OF_EACH;
const OUTBOX_FIELDS: Fields = {
  ...FIELDS_OF_A_STEP,
  ...noJob('since its record would stay though the transaction is rolled back: send it after the commit'),
  messageId: shortText,
};
const STEP_FIELDS: Fields = {
  ...FIELDS_OF_A_STEP,
  ...noJob("since a step ends when its chain goes on, and a batch counts its jobs' ends itself"),
  definition: { expected: 'what defineMessage returns', accepts: isMessageDefinition },
  payload: anything,
};

/** Properties that would act on the delay queues instead of the destination queue. */
const NOT_WITH_A_DELAY = ['expiration', 'userId'] as const;

/** Options that say a queue alone, can't change, and were right: `sendToQueue()` has the same ones for each call. */
const rightAlready = new WeakSet<PublishOptions>();

const isOnlyQueue = (options: PublishOptions): boolean =>
  options.queue !== undefined && Object.isFrozen(options) && Object.keys(options).length === 1;

/**
 * Checks the options of a publish.
 *
 * @throws OptionsError with all problems at once
 * @throws InvalidMessageError, MessageTooLargeError for headers
 */
export function checkPublishOptions(
  options: PublishOptions,
  fields = PUBLISH_FIELDS,
  what = 'publish',
): void {
  if (typeof options !== 'object' || options === null)
    throw new OptionsError(what, [`expected its options to be an object, got ${show(options)}`]);
  if (rightAlready.has(options)) return;
  const problems = problemsOf(options, '', fields);
  const destination = destinationProblem(options);
  if (destination) problems.push(destination);
  const laneProblem = text.accepts(options.lane) && laneNameProblem(options.lane as string);
  if (laneProblem) problems.push(laneProblem);
  if (options.delay !== undefined && options.at !== undefined)
    problems.push('expected either delay or at, got both');
  if (problems.length > 0) throw new OptionsError(what, problems);
  if (isOnlyQueue(options)) rightAlready.add(options);
  if (options.headers) checkHeaders(options.headers);
  const isNamed = options.name !== undefined;
  if (options.delay === undefined && options.at === undefined && !isNamed) return;
  const acting = NOT_WITH_A_DELAY.find((name) => options[name] !== undefined) ?? carbonCopyIn(options);
  if (acting) {
    throw new InvalidMessageError(
      `a ${isNamed ? 'named' : 'delayed'} message can't have ${acting}: it would act while the message waits, not when it is due`,
      `Leave out ${acting}, or publish without a ${isNamed ? 'name' : 'delay'}.`,
    );
  }
}

/** A step that travels names the default exchange beside its queue. */
function destinationProblem({ exchange, queue }: PublishOptions): string | undefined {
  if (queue === undefined) return exchangeOptionProblem(exchange);
  return exchange === undefined || exchange === DEFAULT_EXCHANGE.name
    ? undefined
    : 'expected either queue or exchange, got both';
}

/** Checks that what goes to a queue is sent. @throws OptionsError */
export function mustBeSent(intent: LeavingIntent, { queue }: PublishOptions): void {
  if (queue === undefined || intent === 'send') return;
  throw new OptionsError(intent, [
    `expected queue to be left out, since an event goes to all that want it: send to '${queue}' with sendToQueue()`,
  ]);
}

/**
 * Checks the options of a `publishMany`.
 *
 * @throws as {@link checkPublishOptions}; OptionsError for a messageId, which can't belong to many messages
 */
export function checkPublishManyOptions(options: PublishManyOptions): void {
  checkPublishOptions(options, MANY_FIELDS);
}

/**
 * Checks the options of a publish into an outbox.
 *
 * @throws as {@link checkPublishOptions}; OptionsError for options of a call or a connection, which a relay
 * can't apply
 */
export function checkOutboxOptions(options: PublishOptions): void {
  checkPublishOptions(options, OUTBOX_FIELDS, 'outbox');
}

/** @throws OptionsError */
export function checkChainOptions(options: ChainOptions): void {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', { id: shortText })
    : [`expected its options to be an object, got ${show(options)}`];
  if (problems.length > 0) throw new OptionsError('chain', problems);
}

/**
 * Checks the options of a step.
 *
 * @throws as {@link checkPublishOptions}; OptionsError for options of a call or a connection, which a step
 * can't have
 */
export function checkStep(step: ChainStep): void {
  if (!isPlainObject(step))
    throw new OptionsError('chain', [`expected each step to be an object, got ${show(step)}`]);
  checkPublishOptions(step, STEP_FIELDS, `step '${step.key ?? step.definition?.key}' of a chain`);
}

/** Checks the payloads of a call of many. @throws OptionsError */
export function mustBeIterable(payloads: unknown): void {
  const source = payloads as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  if (typeof payloads === 'object' && (source?.[Symbol.iterator] || source?.[Symbol.asyncIterator])) return;
  throw new OptionsError('publishMany', [
    `expected payloads to be a list or something else to iterate over, got ${show(payloads)}`,
  ]);
}

function carbonCopyIn({ headers }: PublishOptions): string | undefined {
  return ['CC', 'BCC'].find((name) => headers?.[name] !== undefined);
}

/** Milliseconds from now until the message is due; 0 if it is due at once. */
export function delayMsOf({ delay, at }: PublishOptions, now: number): number {
  if (at !== undefined) return Math.max(0, at.getTime() - now);
  return msAsWritten(delay) ?? 0;
}

/** The options of each of many. What is no object is refused as it is. */
export function withoutPack(options: PublishManyOptions): PublishOptions {
  if (typeof options !== 'object' || options === null) return options;
  const { pack: _, ...each } = options;
  return each;
}
