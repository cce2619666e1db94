/** State of something, with its beginning and its reason. */
export interface Condition<State extends string> {
  readonly state: State;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly reason?: string;
  readonly error?: unknown;
}

/**
 * Condition that follows `previous`: `since` is kept if the state is the same, or if both states are `kin`,
 * such as `down` and `refused`, both without a connection.
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
