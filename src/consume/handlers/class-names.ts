import type { Logger } from '../../util/logger.js';
import type { HandlerDefinition } from './definition.js';
import { patternOf } from './queue-problems.js';

/*
 * The queue of a class that names none is named after the class. Bundlers and minifiers rename classes, perhaps with each build:
 * then a new queue takes over, and the old one fills, bound and not consumed.
 */

/** Longest name that is taken for a minifier's: its names may be longer, but no author's is as short. */
const SHORT_NAME = 2;

/** Names that compilers and bundlers give a class without one: `default_1`, `orders_default`, `class_1`, `_class`. */
const MADE_UP = /^(\w*_)?default(_?\d+)?$|^_?class(_?\d+)?$/;

/** Problems of classes that a queue can't be named after, as sentences. */
export function classNameProblems(definitions: readonly HandlerDefinition[], service: string): string[] {
  const problems = definitions.flatMap(({ patterns, queue: { name, ownName } }) => {
    if (ownName === undefined) return [];
    if (ownName === '')
      return [
        `the class that handles '${patterns.map(patternOf).join("', '")}' has no name: give it one, by which its logs and stores know it, and its queue one with @Queue({ name: '${service}.…' })`,
      ];
    if (name !== undefined || !(ownName.length <= SHORT_NAME || MADE_UP.test(ownName))) return [];
    return [
      `class '${ownName}' names no queue, and '${service}.${ownName}' would not last: a class of such a name was called so by a minifier, bundler or compiler. Give its queue a name, @Queue({ name: '${service}.…' }), or have the tool keep class names (esbuild keepNames, terser keep_classnames)`,
    ];
  });
  return [...new Set(problems)];
}

/**
 * Warns, in production, of queues that are named after their classes: a queue outlives the build that has named it. One line for all.
 *
 * @param subscriptions of one bus
 */
export function warnOfClassNames(
  subscriptions: readonly { readonly queue: string; readonly namedAfter: string | undefined }[],
  log: Logger,
): void {
  if (process.env.NODE_ENV !== 'production') return;
  const queues = Object.fromEntries(
    subscriptions.flatMap(({ queue, namedAfter }) => (namedAfter === undefined ? [] : [[namedAfter, queue]])),
  );
  const [first] = Object.values(queues);
  if (first === undefined) return;
  log.warn(
    { queues },
    `queues are called after their classes: a rename, or a bundler, calls them otherwise, and the old queue stays, bound and not consumed, with its messages. Give each its name, the one that it has if nothing is to change: @Queue({ name: '${first}' })`,
  );
}
