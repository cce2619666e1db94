import type { Failures } from '../../failures/failures.js';
import type { DeadLetterIndex } from '../../failures/groups/dead-letter-index.js';
import { openFailures } from '../../failures/open-failures.js';
import type { Operations } from '../../failures/operations/operation.js';
import type { FailuresOptions } from '../../failures/options.js';
import type { Names } from '../../topology/names.js';
import { lazily } from './lazily.js';
import { OpenedIndex } from './opened-index.js';
import type { Seen } from './seen.js';

export interface DeadLettersOptions extends Omit<FailuresOptions, 'queues'> {
  readonly names: Names;
  /** Queues that are known from the start. */
  readonly queues: readonly string[];
  /** The last look at the application: it finds more queues. */
  seen(): Seen | undefined;
  /** Resolves once it has been looked at, also if the broker is away. */
  looked(): Promise<unknown>;
  /** True if operations that another process has left go on in this one. */
  readonly takesOn: boolean;
}

/** Dead letters of an application, on one connection that is opened when it is first needed. */
export interface DeadLetters {
  readonly index: OpenedIndex;
  readonly operations: Operations;
  failures(): Promise<Failures>;
  close(): Promise<void>;
}

export function deadLettersOf(given: DeadLettersOptions): DeadLetters {
  const { queues, seen, looked, takesOn, names, ...options } = given;
  // What was seen once stays: a queue that can't be looked at for a moment still has its letters.
  const known = new Set([names.delayLost, ...queues]);
  const failures = lazily(() =>
    openFailures({
      ...options,
      queues: () => {
        for (const { of } of seen()?.queues ?? []) if (!names.isOwnQueue(of)) known.add(of);
        return [...known];
      },
    }),
  );
  const index = lazily(async (): Promise<DeadLetterIndex> => {
    // An index that has read before any queue is known says that no letter is there, and a link to one leads nowhere.
    const [opened] = await Promise.all([failures.get(), looked()]);
    return opened.index();
  });
  const operations = lazily(async (): Promise<Operations> => {
    const [opened, its] = await Promise.all([failures.get(), index.get()]);
    return opened.operations(its, { takesOn });
  });
  const closed = async (lazy: { readonly made: Promise<{ close(): Promise<void> }> | undefined }) =>
    (await lazy.made?.catch(() => undefined))?.close().catch(() => {});
  return {
    index: new OpenedIndex(index.get),
    operations: operationsBy(operations.get),
    failures: failures.get,
    close: async () => {
      for (const each of [operations, index, failures]) await closed(each);
    },
  };
}

/** Operations on a connection that is opened with the first call. */
function operationsBy(open: () => Promise<Operations>): Operations {
  return {
    list: async () => (await open()).list(),
    begin: async (...asked) => (await open()).begin(...asked),
    stop: async (...asked) => (await open()).stop(...asked),
    ended: async (id) => (await open()).ended(id),
    close: async () => (await open()).close(),
  };
}
