import type { Duration } from '../util/duration.js';

/** Options of {@link MessageContext.once}. */
export interface OnceOptions {
  /**
   * Time for which the result is kept, up to 366 days. It must be longer than the message may come back,
   * replays of its dead letter included. @default '7d'
   */
  keep?: Duration;
}

/** Type of a value after JSON: a Date becomes a string, a class instance its fields. */
export type JsonForm<Value> = 0 extends 1 & Value // any stays any
  ? Value
  : Value extends { toJSON(...args: never[]): infer Written }
    ? JsonForm<Written>
    : // biome-ignore lint/suspicious/noExplicitAny: any function at all
      Value extends bigint | symbol | ((...args: any[]) => unknown)
      ? never
      : Value extends object
        ? { [Key in keyof Value]: JsonForm<Value[Key]> }
        : Value;
