import type { PlannedHandler } from '../../pipeline/handler.js';
import { releaseFor } from '../../pipeline/outcome.js';
import type { GuardStage } from '../../pipeline/stage.js';
import type { Clock } from '../../util/clock.js';
import type { QuietHoursSettings } from './option.js';

const DAY_MS = 86_400_000;

/** Releases a message that comes in a quiet hour until the hours are over, which is no attempt. */
export const quietHoursStage = (
  _handler: PlannedHandler,
  { fromMs, forMs }: QuietHoursSettings,
  { clock }: { readonly clock: Clock },
): GuardStage => {
  return (next) => (context) => {
    const sinceMs = (clock.now() - fromMs) % DAY_MS;
    return sinceMs < forMs ? releaseFor(forMs - sinceMs) : next(context);
  };
};
