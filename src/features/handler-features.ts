import type { BulkFunction, HandlerFunction, PlannedHandler } from '../pipeline/handler.js';
import type { AroundStage, GuardStage } from '../pipeline/stage.js';
import type { Fields } from '../util/check.js';
import type { Feature, FeatureBus, FeatureParts, HandlerCode } from './feature.js';
import { type DeclaredHandler, FEATURES } from './features.js';

/* The list of features, gone through for one handler. */

type Features = typeof FEATURES;
type FeatureName = keyof Features;

/** Settings of a handler's features; undefined for those that it doesn't ask for. */
export type FeatureSettings = {
  readonly [Name in FeatureName]: ReturnType<Features[Name]['settings']> | undefined;
};

const rows = Object.entries(FEATURES) as [FeatureName, Feature<DeclaredHandler>][];

export const FEATURE_FIELDS: Fields = Object.fromEntries(
  rows.flatMap(([name, { check }]) => (check ? [[name, check]] : [])),
);

export function featureSettings(options: DeclaredHandler['options']): FeatureSettings {
  const settings = rows.map(([name, feature]) => {
    const option = options[name];
    return [name, option === undefined ? undefined : feature.settings(option as never)];
  });
  return Object.fromEntries(settings) as FeatureSettings;
}

/** Problems of options that are right each by itself, as sentences without the handler's name. */
export function featureProblems(handler: DeclaredHandler, bus: FeatureBus): string[] {
  return rows.flatMap(([name, { problems }]) =>
    problems && handler.options[name] !== undefined ? problems(handler, bus) : [],
  );
}

/** Problems of the handlers of one queue with each other, as sentences. */
export function featureQueueProblems(queue: string, handlers: readonly DeclaredHandler[]): string[] {
  return rows.flatMap(([, { queueProblems }]) => queueProblems?.(queue, handlers) ?? []);
}

/** Problems of all handlers of a bus with each other, as sentences. */
export function featureBusProblems(handlers: readonly DeclaredHandler[]): string[] {
  return rows.flatMap(([, { busProblems }]) => busProblems?.(handlers) ?? []);
}

/** Minimum slots of a queue with these handlers; 0 if none of them needs more than one. */
export function slotsNeeded(handlers: readonly FeatureSettings[]): number {
  const needed = handlers.flatMap((handler) =>
    rows.map(([name, { slots }]) => {
      const settings = handler[name];
      return slots && settings ? slots(settings as never) : 0;
    }),
  );
  return Math.max(0, ...needed);
}

/** Problem of a number of slots that is too low for these handlers, as a sentence. */
export function slotsProblem(handlers: readonly FeatureSettings[], slots: number): string | undefined {
  const needed = slotsNeeded(handlers);
  if (slots >= needed) return undefined;
  return `expected the concurrency to be at least ${needed}, the messages that a handler takes in one call; got ${slots}`;
}

/** Guards of the handler's features, its rate limit as it is in force now. */
export function featureGuards(
  handler: PlannedHandler & FeatureSettings,
  parts: FeatureParts,
): readonly GuardStage[] {
  const rateLimit = parts.limits.rateLimitOf(handler);
  return rows.flatMap(([name, { guard }]) => {
    const settings = name === 'rateLimit' ? rateLimit : handler[name];
    return guard && settings ? [guard(handler, settings as never, parts)] : [];
  });
}

export function featureArounds(handler: FeatureSettings): readonly AroundStage[] {
  return rows.flatMap(([name, { around }]) => {
    const settings = handler[name];
    return around && settings ? [around(settings as never)] : [];
  });
}

/** The handler's code: its function, unless a feature calls that. */
export function handlerCode(
  handler: FeatureSettings & { readonly handle: HandlerFunction | BulkFunction },
  parts: FeatureParts,
): HandlerCode {
  for (const [name, { code }] of rows) {
    const settings = handler[name];
    if (code && settings) return code(handler.handle as never, settings as never, parts);
  }
  return { run: handler.handle as HandlerFunction };
}
