import type { Logger } from '../../util/logger.js';
import type { HandlerDefinition } from './definition.js';
import { patternOf } from './queue-problems.js';

/*
 * A class that names no queue has one that is called after the class. Tools that bundle and minify call classes as they
 * like, perhaps otherwise with each build: then a new queue takes over, and the old one fills, bound and not consumed.
 */

/** Longest name that is taken for a minifier's. Theirs may be longer, but nobody's own is as short. */
const SHORT_NAME = 2;

/** What compilers and bundlers call a class without a name: `default_1`, `orders_default`, `class_1`, `_class`. */
const MADE_UP = /^(\w*_)?default(_?\d+)?$|^_?class(_?\d+)?$/;

/** Classes that a queue can't be called after, as sentences. */
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
 * Asks for names, in production, where a queue outlives the build that has named it. A single line for all.
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
