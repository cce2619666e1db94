import type { OperatorSession } from '../../transport/operator-session.js';
import { type Clock, pause } from '../../util/clock.js';

/** Time until letters that were given back must be in their queue again. */
export const RETURNED_WITHIN_MS = 2_000;
/** Time to wait for a lost connection. */
const BACK_UP_MS = 10_000;

/**
 * Waits for the connection, and then until the letters held over another one are back.
 *
 * @throws `error` if the broker does not come back
 */
export async function areReturned(
  session: Pick<OperatorSession, 'inspect'>,
  clock: Clock,
  { queue, ready, error }: { queue: string; ready: number; error: Error },
): Promise<void> {
  const endsAt = clock.monotonic() + BACK_UP_MS;
  for (let upSince: number | undefined; ; await pause(clock, 50)) {
    const state = await session.inspect(queue).catch(() => undefined);
    if (state) upSince ??= clock.monotonic();
    if (upSince !== undefined && clock.monotonic() - upSince > RETURNED_WITHIN_MS) return;
    if (state && state.ready >= ready) return;
    if (upSince === undefined && clock.monotonic() > endsAt) throw error;
  }
}
