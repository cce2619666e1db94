import type { InjectionToken } from 'tsyringe';

/**
 * The key of a constructor's argument: a class, which may be abstract if something is registered for it; a
 * string or symbol, for which something is registered; or tsyringe's `delay(() => Class)`.
 */
// biome-ignore lint/suspicious/noExplicitAny: a class by its constructor, whatever that takes and makes
export type Token = InjectionToken | (abstract new (...dependencies: any[]) => any);

/**
 * Types of the values that a list of tokens resolves to. The value of a string or a symbol has no known type:
 * the constructor's parameter decides.
 */
export type Injected<Tokens extends readonly Token[]> = {
  [At in keyof Tokens]: Tokens[At] extends abstract new (
    ...dependencies: never[]
  ) => infer Instance
    ? Instance
    : // biome-ignore lint/suspicious/noExplicitAny: any type that the constructor has there
      any;
};
