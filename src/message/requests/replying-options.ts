import { flag } from '../../util/check.js';

/** Options that only responders have. */
export interface ReplyingOptions {
  /**
   * Handling a request twice does no harm: one that was delivered before, and may have been handled, is handled again. @default
   * false: it is answered with the error HOPLINE_REQUEST_REDELIVERED
   */
  repeatable?: boolean;
  /**
   * Shows requesters the stack of an error. Leave it out where they are not of your own: a stack tells of paths and versions. @default
   * false: they get its code and its message
   */
  showStack?: boolean;
}

/** Parts what only a responder has from the options that it has as a handler. */
export function partReplying<Options extends ReplyingOptions>({ repeatable, showStack, ...others }: Options) {
  const replying: ReplyingOptions = {
    ...(repeatable === undefined ? {} : { repeatable }),
    ...(showStack === undefined ? {} : { showStack }),
  };
  return { replying, others };
}

export const REPLYING_FIELDS = { repeatable: flag, showStack: flag };

const IS_TRIED_ONCE = 'a request is tried once: its requester hears of the failure, and may ask again';

/** Options of handlers that a responder can't have, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  retry: IS_TRIED_ONCE,
  failOnTimeout: IS_TRIED_ONCE,
  rateLimit: 'a request over the limit could only wait, and its requester does not: limit the concurrency',
  idempotent: 'a copy that is skipped would have no reply: use context.once() for parts that are done once',
  inbox: 'a copy that is skipped would have no reply: open a transaction in the handler',
  resumable: 'a request that comes back later could only wait, and its requester does not',
  unique: 'each request has a reply of its own',
  long: 'its requester does not wait for so long: send a message',
  bulk: 'each request has a reply of its own',
};

/** A limit over all processes has what is above it wait, as a rate limit has. */
const isLimit = (name: string, value: unknown): boolean =>
  name === 'concurrency' && typeof value === 'object';

/** The options that a responder may have: of a class's defaults, those that are for its messages alone are left out. */
export function replyingDefaults<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => !(name in REFUSED || isLimit(name, value))),
  ) as Partial<Options>;
}

/** What is wrong with a responder's options beside their values, as sentences without its name. */
export function replyingProblems(options: object, hasFailed: boolean): string[] {
  const problems = Object.entries(options)
    .filter(([name, value]) => name in REFUSED && isSaid(name, value))
    .map(([name]) => `it answers requests, and can't have ${name}: ${REFUSED[name]}`);
  if (Object.entries(options).some(([name, value]) => isLimit(name, value)))
    problems.push(
      "it answers requests, and can't have concurrency.limit: a request above it could only wait, and its requester does not: say a number, for each process",
    );
  if (hasFailed) problems.push(`it answers requests, and can't have failed(): ${IS_TRIED_ONCE}`);
  return problems;
}

/** Decorators give every handler a policy: one of which nothing is set says nothing. */
const isSaid = (name: string, value: unknown): boolean =>
  name === 'retry' && typeof value === 'object' && value !== null
    ? Object.values(value).some((each) => each !== undefined)
    : value !== undefined;
