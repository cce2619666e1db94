/** A property or an argument that is other than wanted; undefined for one that isn't there. */
export interface ValueDifference {
  /** `type`, `durable`, `autoDelete`, `internal`, or the name of an argument. */
  readonly what: string;
  readonly is: unknown;
  readonly wanted: unknown;
}

type Table = Readonly<Record<string, unknown>>;

/** What differs between what was found and what is wanted. */
export function different(found: Table, wanted: Table): ValueDifference[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])]
    .filter((what) => found[what] !== wanted[what])
    .map((what) => ({ what, is: found[what], wanted: wanted[what] }));
}
