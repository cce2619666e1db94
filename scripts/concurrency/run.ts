/** One run of the measurement, as its workers are told of it. */
export interface Run {
  readonly url: string;
  readonly redisUrl: string;
  /** Prefix of all names of the run. */
  readonly name: string;
  readonly isLimited: boolean;
  readonly slots: number;
  readonly prefetch: number;
  /** Time that the handler takes for a message, in milliseconds; 0 for a turn of the event loop. */
  readonly workMs: number;
  /** Messages that may come to one worker. */
  readonly most: number;
}

/** Payload of a message. */
export interface Numbered {
  /** Rank of the key: 0 is the most frequent. */
  readonly key: number;
  /** When it was published, in milliseconds of the machine's monotonic clock. */
  readonly at: number;
}

/** Numbers that are kept of each message: its key, and when it was published, begun and ended. */
export const FIELDS = 4;

/** Milliseconds of a clock that all processes of the machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What a worker says. */
export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'handled'; readonly count: number }
  | {
      readonly kind: 'over';
      readonly handled: Float64Array;
      readonly cpuMs: number;
      readonly released: number;
    };
