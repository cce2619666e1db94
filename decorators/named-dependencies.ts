import { HandlerResolutionError } from '../src/errors.js';
import { show } from '../src/util/check.js';
import { baseOf, constructorOf, hasConstructor, mostParameters, parameterName } from './constructors.js';
import { type Class, ownAnnotations } from './metadata.js';

/**
 * The tokens that a class names itself for the parameters of its constructor: `static inject`, or `inject` of
 * its `@Handles`. A class that has neither, and no constructor of its own, is built as its base is. A class
 * with a constructor needs its own.
 *
 * @returns undefined if the class names none
 * @throws HandlerResolutionError if the tokens don't fit the constructor, hold what is no token, or are given
 * twice and differ
 */
export function namedDependencies(target: Class): readonly unknown[] | undefined {
  let unclear: Class | undefined;
  for (let at: Class | undefined = target; at; at = baseOf(at)) {
    const named = ownList(at);
    if (named && unclear && named.tokens.length > 0) refuseUnclear(unclear, at);
    if (named) {
      check(at, named);
      return named.tokens;
    }
    const own = hasConstructor(at);
    if (own === true) return undefined;
    if (own === 'unclear') unclear ??= at;
  }
  return undefined;
}

interface Named {
  readonly tokens: readonly unknown[];
  /** The place of the tokens, for errors: `static inject` or `@Handles`. */
  readonly where: string;
}

function ownList(target: Class): Named | undefined {
  const said = ownAnnotations(target);
  const handles = [
    ...(said?.handles ?? []),
    ...[...(said?.methods.values() ?? [])].flatMap((each) => each.handles),
  ];
  const named: Named[] = handles.flatMap(({ options: { inject } }) =>
    Array.isArray(inject) ? [{ tokens: inject, where: 'inject of @Handles' }] : [],
  );
  const own: unknown = Object.hasOwn(target, 'inject') ? (target as { inject?: unknown }).inject : undefined;
  // A static `inject` that is no list is a method of the class, or belongs to another library.
  if (Array.isArray(own)) named.unshift({ tokens: own, where: 'static inject' });
  const [first, ...others] = named;
  const other = others.find(({ tokens }) => !isSame(tokens, first?.tokens ?? []));
  if (first && other)
    throw new HandlerResolutionError(
      `class ${target.name} names its dependencies twice, and not the same: ${first.where} and ${other.where}`,
      'Name them once, static inject = [Mailer, TOKEN]: a class has one constructor, whichever of its methods handles.',
    );
  return first;
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((token, at) => token === other[at]);
}

function check(target: Class, { tokens, where }: Named): void {
  const maker = constructorOf(target);
  const least = maker.length;
  const most = mostParameters(maker);
  if (tokens.length < least || tokens.length > most)
    throw new HandlerResolutionError(
      `class ${target.name} takes ${least}${most > least ? ' or more' : ''} constructor parameter${least === 1 && most === 1 ? '' : 's'}, and its ${where} names ${tokens.length}`,
      'Name one for each parameter, in their order; those with defaults may be left out at the end. A class with a constructor of its own names its own: static inject is not inherited then.',
    );
  tokens.forEach((token, at) => {
    if (isToken(token)) return;
    throw new HandlerResolutionError(
      `${where} of class ${target.name} names ${show(token)} for parameter ${parameterName(maker, at)}`,
      token === undefined
        ? 'The name is misspelt where it is imported; or the two modules import each other, and its module had not run yet. Then write static get inject() { return [Mailer]; }, which is read when the bus starts, or have them not import each other.'
        : "Name a class, or a string or symbol for which something is registered in the container, or tsyringe's delay(() => Class).",
    );
  });
}

function isToken(token: unknown): boolean {
  if (typeof token === 'string' || typeof token === 'symbol') return true;
  if (typeof token === 'function') return token.prototype !== undefined;
  // An object of tsyringe's delay(), whose class it doesn't export.
  return typeof token === 'object' && token !== null && 'createProxy' in token;
}

function refuseUnclear(target: Class, base: Class): never {
  throw new HandlerResolutionError(
    `class ${target.name} has a constructor of its own with defaults, and extends ${base.name}, which names its dependencies`,
    `Name those of ${target.name} itself: static inject = [Mailer, TOKEN], or static inject = [] if it takes none.`,
  );
}
