import type { PlannedHandler } from '../pipeline/handler.js';
import { middlewareOption, middlewareSettings } from '../pipeline/middleware.js';
import type { AroundStage, GuardStage } from '../pipeline/stage.js';
import type { Check } from '../util/check.js';
import { circuitBreakerOption, circuitBreakerSettings } from './circuit-breaker/circuit-breaker.js';
import { idempotentOption, idempotentSettings } from './idempotent/option.js';
import { type ClaimsOptions, idempotentStage } from './idempotent/stage.js';
import { type InboxOptions, inboxAround, inboxStage } from './inbox/inbox.js';
import { rateLimitOption, rateLimitSettings } from './rate-limit/rate-limit.js';
import { type RateLimitsOptions, rateLimitStage } from './rate-limit/stage.js';

/** What the stages of features are made with. */
export type FeatureParts = ClaimsOptions & InboxOptions & RateLimitsOptions;

type HandlerWithFeatures = PlannedHandler & FeatureSettings;

/** What a handler option is to the handler's way. A handler without the option has nothing of it. */
interface Feature<Settings> {
  /** What of the option is accepted. */
  readonly option: Check;
  /** The option with its defaults. */
  settings(option: never): Settings;
  /** Its stages, by phase. */
  readonly guard?: (handler: PlannedHandler, settings: Settings, parts: FeatureParts) => GuardStage;
  readonly around?: AroundStage;
}

/**
 * The features that are a handler's option, by its name, in the order of their stages: the first is the outermost. Its option is
 * checked, settled and a field of the handler by its row here.
 *
 * Before a permit of the rate limit is taken copies are skipped, or they would use up what new messages wait for. A message that
 * has to wait for a permit gives its claim back: its copies need not wait for it, too.
 */
const FEATURES = {
  idempotent: { option: idempotentOption, settings: idempotentSettings, guard: idempotentStage },
  inbox: { option: idempotentOption, settings: idempotentSettings, guard: inboxStage, around: inboxAround },
  rateLimit: { option: rateLimitOption, settings: rateLimitSettings, guard: rateLimitStage },
  /** It looks at how attempts end, and pauses: it has no stage. */
  circuitBreaker: { option: circuitBreakerOption, settings: circuitBreakerSettings },
  /** Its stages stand behind those of the bus's middleware. */
  middleware: { option: middlewareOption, settings: middlewareSettings },
};

type Features = typeof FEATURES;
export type FeatureName = keyof Features;

/** What a handler has of each; undefined for what it doesn't ask for. */
export type FeatureSettings = {
  readonly [Name in FeatureName]: ReturnType<Features[Name]['settings']> | undefined;
};

const rows = Object.entries(FEATURES) as [FeatureName, Feature<unknown>][];

export const featureFields = Object.fromEntries(rows.map(([name, { option }]) => [name, option]));

export function featureSettings(options: { readonly [Name in FeatureName]?: unknown }): FeatureSettings {
  const settings = rows.map(([name, feature]) => {
    const option = options[name];
    return [name, option === undefined ? undefined : feature.settings(option as never)];
  });
  return Object.fromEntries(settings) as FeatureSettings;
}

export function featureGuards(handler: HandlerWithFeatures, parts: FeatureParts): readonly GuardStage[] {
  return rows.flatMap(([name, { guard }]) => {
    const settings = handler[name];
    return guard && settings ? [guard(handler, settings, parts)] : [];
  });
}

export function featureArounds(handler: FeatureSettings): readonly AroundStage[] {
  return rows.flatMap(([name, { around }]) => (around && handler[name] ? [around] : []));
}
