import type { TransportSession } from '../transport/transport.js';
import { type Clock, pause } from '../util/clock.js';

/** How long what was given back may take to be there again. */
export const GIVEN_BACK_MS = 2_000;
/** How long a connection that was lost is waited for. */
const BACK_UP_MS = 10_000;

/**
 * Waits for the connection, and then a while for what was held over another one.
 *
 * @throws `error` if the broker does not come back
 */
export async function areBack(
  session: TransportSession,
  clock: Clock,
  { queue, ready, error }: { queue: string; ready: number; error: Error },
): Promise<void> {
  const endsAt = clock.monotonic() + BACK_UP_MS;
  for (let upSince: number | undefined; ; await pause(clock, 50)) {
    const state = await session.inspect(queue).catch(() => undefined);
    if (state) upSince ??= clock.monotonic();
    if (upSince !== undefined && clock.monotonic() - upSince > GIVEN_BACK_MS) return;
    if (state && state.ready >= ready) return;
    if (upSince === undefined && clock.monotonic() > endsAt) throw error;
  }
}
