import type { InjectionToken } from 'tsyringe';

/**
 * What a parameter of a constructor is given by: a class, which may be abstract if something is registered for it; a string or
 * symbol, for which something is registered; or tsyringe's `delay(() => Class)`.
 */
// biome-ignore lint/suspicious/noExplicitAny: a class by its constructor, whatever that takes and makes
export type Token = InjectionToken | (abstract new (...dependencies: any[]) => any);

/** What the tokens of a list give. What is registered for a string or a symbol, nobody knows: it is as the constructor says. */
export type Injected<Tokens extends readonly Token[]> = {
  [At in keyof Tokens]: Tokens[At] extends abstract new (
    ...dependencies: never[]
  ) => infer Instance
    ? Instance
    : // biome-ignore lint/suspicious/noExplicitAny: any type that the constructor has there
      any;
};
