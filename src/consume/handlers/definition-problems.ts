import { concurrencyCheck } from '../../features/concurrency/option.js';
import { FEATURE_FIELDS } from '../../features/handler-features.js';
import { publishesOption } from '../../features/publishes/option.js';
import { TIMEOUT_FIELDS } from '../../features/timeout/option.js';
import { argumentsOption, exchangeOption } from '../../message/exchange-option.js';
import { isRequestDefinition } from '../../message/requests/define-request.js';
import { REPLYING_FIELDS, replyingProblems } from '../../message/requests/replying-options.js';
import { bindingOption } from '../../message/routing/binding-option.js';
import { patternProblem } from '../../message/routing/routing-key.js';
import { RETRY_FIELDS } from '../../retry/policy.js';
import { bodyOption } from '../../serialization/body-option.js';
import { exchangeOptionProblem } from '../../topology/names.js';
import {
  type Check,
  callable,
  type Fields,
  flag,
  integerFrom,
  isPlainObject,
  objectWith,
  oneOf,
  positiveInteger,
  problemsOf,
  show,
  text,
} from '../../util/check.js';
import type { HandlerDefinition } from './definition.js';
import { lanesOption } from './lanes.js';
import { MAX_PREFETCH } from './limits.js';
import { patternOf } from './queue-problems.js';

/* What can be wrong with one handler by itself. */

/** The protocol has 8 bits for it. */
const MAX_PRIORITY = 255;

/** Of a class, which may have none: that has a sentence of its own. */
const className: Check = { expected: 'a string', accepts: (value) => typeof value === 'string' };

const QUEUE_FIELDS: Fields = {
  name: text,
  ownName: className,
  concurrency: positiveInteger,
  prefetch: integerFrom(1, MAX_PREFETCH),
  type: oneOf('quorum', 'classic'),
  exchange: exchangeOption,
  declare: flag,
  arguments: argumentsOption,
  singleActiveConsumer: flag,
  deliveryLimit: positiveInteger,
  maxPriority: integerFrom(1, MAX_PRIORITY),
  lanes: lanesOption,
  body: bodyOption,
  publishes: publishesOption.check,
};

const HANDLER_FIELDS: Fields = {
  retry: objectWith(RETRY_FIELDS),
  ...TIMEOUT_FIELDS,
  concurrency: concurrencyCheck,
  exchange: exchangeOption,
  binding: bindingOption,
  body: bodyOption,
  each: oneOf('process'),
  ...FEATURE_FIELDS,
};

/** Problems of a definition, as sentences that begin with its name. */
export function problemsOfDefinition({
  name,
  patterns,
  queue,
  options,
  answers,
  handle,
  failed,
}: HandlerDefinition): string[] {
  const problems = isPlainObject(queue)
    ? problemsOf(queue, 'queue', QUEUE_FIELDS)
    : [`expected queue to be a name or an object, got ${show(queue)}`];
  problems.push(...problemsOf(options, '', HANDLER_FIELDS));
  if (answers) {
    const { request, ...replying } = answers;
    problems.push(
      ...replyingProblems(options, failed !== undefined),
      ...problemsOf(replying, '', REPLYING_FIELDS),
    );
    if (!isRequestDefinition(request))
      problems.push(
        `expected the request that it answers to be made by defineRequest(), got ${show(request)}`,
      );
  }
  if (!callable.accepts(handle)) problems.push(`expected its code to be a function, got ${show(handle)}`);
  if (patterns.length === 0) problems.push('it handles no pattern');
  for (const pattern of patterns) {
    const problem = patternProblem(patternOf(pattern));
    if (problem) problems.push(problem);
  }
  for (const option of [queue.exchange, options.exchange]) {
    const problem = exchangeOptionProblem(option);
    if (problem) problems.push(problem);
  }
  return problems.map((problem) => `${name}: ${problem}`);
}
