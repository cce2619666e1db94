import { type Check, durationFrom, isPlainObject, positiveDuration } from '../../util/check.js';
import { type Duration, formatMs, toMs } from '../../util/duration.js';

export interface LongOption {
  /**
   * Runs the handler under a lease in the bus's `stores`, so that a message whose channel is lost, or which the broker takes back since
   * it was kept for too long, runs on, and is not run again beside itself. A handler whose messages may be kept for longer than
   * `consumerTimeout` of the bus has it by itself, if the stores are shared. @default by itself, where it is needed
   */
  long?: true | LongOptions;
}

/** The lease of a handler that takes long. */
export interface LongOptions {
  /**
   * Time after which another process may run the message if this one is gone, or can't renew the lease: 1 s to 1 day. A shorter one has
   * the message run again sooner after a crash, and gives way sooner when the store is away. @default '60s'
   */
  lease?: Duration;
  /** Interval of its renewals, half of `lease` at most. @default a quarter of `lease`: '15s' */
  renew?: Duration;
}

/** Settings of a handler that runs under a lease. */
export interface LongSettings {
  readonly leaseMs: number;
  readonly renewMs: number;
}

const DEFAULT_LEASE = '60s';

const lease: Check = {
  ...durationFrom('1s', '1d'),
  expected: "a duration from 1 s to 1 day, such as '60s'",
};

interface DeclaredLong {
  readonly options: LongOption & { readonly each?: unknown };
}

/** Facts about the bus that a handler which says that it takes long is judged by. */
interface LongBus {
  /** Whether leases can be held among all processes that may get its messages. */
  readonly hasSharedLeases?: boolean | undefined;
}

export const longOption = {
  check: {
    expected: "true, or an object such as { lease: '60s' }",
    accepts: (value) => value === true || isPlainObject(value),
    fields: { lease, renew: positiveDuration },
  } satisfies Check,
  settings: (option: true | LongOptions): LongSettings => {
    const { lease: leaseFor = DEFAULT_LEASE, renew } = option === true ? ({} as LongOptions) : option;
    const leaseMs = toMs(leaseFor);
    return { leaseMs, renewMs: renew === undefined ? leaseMs / 4 : toMs(renew) };
  },
  problems: ({ options: { long, each } }: DeclaredLong, { hasSharedLeases }: LongBus): string[] => {
    if (long === undefined) return [];
    const { leaseMs, renewMs } = longOption.settings(long);
    return [
      renewMs > leaseMs / 2 &&
        `expected long.renew to be half of long.lease at most, ${formatMs(leaseMs / 2)}, so that one renewal may fail; got ${formatMs(renewMs)}`,
      each !== undefined &&
        "long has no place beside each: 'process': nobody but the process itself has its copies, so nobody runs one beside it",
      hasSharedLeases === false &&
        'expected long only with stores that have leases and that all processes share, as redisStores() of hopline/redis and postgresStores() of hopline/postgres have',
    ].filter((problem) => problem !== false);
  },
};
