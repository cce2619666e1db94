import type { Session } from '../../transport/transport.js';
import type { FailuresSettings, ReplayOptions } from '../options.js';
import type { Act, ActingOptions } from './acting.js';
import { Pace } from './pace.js';
import { retrier } from './retry.js';
import { Runs } from './runs.js';

/** How letters are replayed by these options. A message that fails again during the replay is not replayed again. */
export function retrying(
  settings: FailuresSettings,
  session: Session,
  { to = 'queue', rate, ...hooks }: ReplayOptions,
): ActingOptions & { readonly one: Act } {
  const runs = new Runs();
  return {
    ...hooks,
    ...(rate === undefined ? {} : { pace: new Pace(settings.transport.clock, rate) }),
    one: retrier(settings, session, to, { runs }),
    hasComeBack: ({ properties }) => runs.hasBegun(properties.headers),
  };
}
