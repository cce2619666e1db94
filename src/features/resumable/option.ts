import { type Check, durationUpTo, isPlainObject } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

export interface ResumableOption {
  /**
   * Lets the handler keep what it has done so far, with `context.checkpoint` and `context.yield`: the next attempt, wherever it runs, goes on
   * from `context.state`. When the bus stops, `context.signal` fires at once, so that work of hours is handed over. Its messages are
   * published at the call. Needs `stores` with checkpoints. @default off: each attempt begins anew
   */
  resumable?: true | ResumableOptions;
}

/** How a handler keeps what it has done so far. */
export interface ResumableOptions {
  /**
   * Time for which a state is kept, up to 366 days. It must be longer than the message may come back, replays of its dead
   * letter included. @default '7d'
   */
  keep?: Duration;
}

export type ResumableSettings = ReturnType<typeof resumableOption.settings>;

/** Options that go with it badly. */
interface Beside {
  readonly inbox?: object;
  readonly publishes?: 'now' | 'after';
  readonly each?: 'process';
}

const check: Check = {
  expected: 'true or an object',
  accepts: (value) => value === true || isPlainObject(value),
  fields: { keep: durationUpTo('366d') },
};

export const resumableOption = {
  check,
  settings: (option: true | ResumableOptions) => ({
    keepMs: toMs((option === true ? undefined : option.keep) ?? '7d'),
  }),
  problems: (
    { options: { inbox, publishes, each } }: { readonly options: Beside },
    { hasCheckpoints }: { readonly hasCheckpoints: boolean },
  ): string[] =>
    [
      !hasCheckpoints &&
        "it is resumable, so the bus's stores need checkpoints, as those of redisStores() and postgresStores()",
      inbox !== undefined &&
        'expected either resumable or inbox, got both: what its transaction takes back, its state would call done',
      publishes === 'after' &&
        "expected either resumable or publishes: 'after', got both: what an attempt has published that yields would be dropped, and its state would call it done",
      each !== undefined &&
        "expected either resumable or each: 'process', got both: all processes would have one state for their copies",
    ].filter((problem) => problem !== false),
};
