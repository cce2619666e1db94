/** What state something is in, since when, and why. */
export interface Condition<State extends string> {
  readonly state: State;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly reason?: string;
  readonly error?: unknown;
}

/**
 * What follows on `previous`: the same state keeps its `since`, and so do states that are `kin`, as `down` and `refused`
 * are, both without a connection.
 */
export function follow<State extends string, Each extends Condition<State>>(
  previous: Each | undefined,
  next: Each,
  kin: readonly State[] = [],
): Each {
  const isSame = previous?.state === next.state;
  const areKin = previous && kin.includes(previous.state) && kin.includes(next.state);
  return isSame || areKin ? { ...next, since: previous?.since } : next;
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();
