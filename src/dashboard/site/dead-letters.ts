import { ConnectError } from '../../errors.js';
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
  /** The first look, or the last. Never rejects. */
  look(): Promise<Seen>;
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

/** Time for what operators have said of groups: a page that waits for longer seems to be broken. */
const NOTES_MS = 2_000;

export function deadLettersOf({
  queues,
  seen,
  look,
  takesOn,
  names,
  ...options
}: DeadLettersOptions): DeadLetters {
  // What was seen once stays: a queue that can't be looked at for a moment still has its letters.
  const known = new Set([names.delayLost, ...queues]);
  const failures = lazily(async () => {
    // Before it, nobody knows which queues there are: an index would have read all of none.
    const { reached, silent } = await look();
    if (!reached) throw notReached(silent);
    return openFailures({
      ...options,
      queues: () => {
        for (const { of } of seen()?.queues ?? []) if (!names.isOwnQueue(of)) known.add(of);
        return [...known];
      },
    });
  });
  const index = lazily(async (): Promise<DeadLetterIndex> => {
    const opened = await failures.get();
    return opened.index({ notesMs: NOTES_MS });
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

const notReached = ([why = 'it has not answered yet']: readonly string[]) =>
  new ConnectError(`the broker is not reached: ${why}`, 'It is tried again; see hopline doctor.');

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
