import 'reflect-metadata';
import { type DependencyContainer, type InjectionToken, injectable } from 'tsyringe';
import { HandlerResolutionError } from '../src/errors.js';
import { parameterName } from './constructors.js';
import type { Class } from './metadata.js';
import { namedDependencies } from './named-dependencies.js';

/**
 * Metadata keys of tsyringe and compilers: the types of a constructor's parameters, and the tokens that
 * `@inject` names instead.
 */
const TYPES = 'design:paramtypes';
const TOKENS = 'injectionTokens';

/**
 * Registers a class in tsyringe with all classes that are built for it, at any depth, and returns the latter.
 *
 * @throws HandlerResolutionError if a constructor's dependencies are unknown, or can't be what is named
 */
export function introduce(target: Class, container: DependencyContainer): Class[] {
  const needs = new Set<Class>();
  const look = (at: Class): void => {
    for (const each of dependenciesOf(at).flatMap((token) => builtFor(token, container) ?? [])) {
      if (each === target || needs.has(each)) continue;
      needs.add(each);
      const named = namedDependencies(each);
      if (named) makeKnown(each, named);
      else refuseUnknown(each, container, at);
      look(each);
    }
  };
  const named = namedDependencies(target);
  if (named) makeKnown(target, named);
  else {
    refuseUnknown(target, container);
    injectable()(target);
  }
  look(target);
  return [...needs];
}

/**
 * The class that tsyringe builds for a token; undefined if nothing is registered for it, or something that is
 * no class.
 */
function builtFor(token: unknown, container: DependencyContainer): Class | undefined {
  if (!container.isRegistered(token as InjectionToken, true)) return isClass(token) ? token : undefined;
  const { useClass, useToken } = providerOf(token, container);
  return useToken === undefined ? useClass : builtFor(useToken, container);
}

/**
 * The registration of a token. tsyringe has no public method for it, so this calls a method of its container
 * that is not in its types. Without it, a class in `useClass` that names its dependencies would be unknown to
 * tsyringe, which reports that at `start()`.
 */
function providerOf(
  token: unknown,
  container: DependencyContainer,
): { useClass?: Class; useToken?: unknown } {
  const { getRegistration } = container as {
    getRegistration?(token: unknown): { provider: { useClass?: Class; useToken?: unknown } };
  };
  return getRegistration?.call(container, token)?.provider ?? {};
}

/**
 * The tokens of a constructor's parameters: those that the class names itself, else the parameters' types and
 * the tokens of `@inject`.
 */
function dependenciesOf(target: Class): readonly unknown[] {
  const named = namedDependencies(target);
  if (named) return named;
  const types: unknown[] = Reflect.getMetadata(TYPES, target) ?? [];
  const tokens: object = Reflect.getMetadata(TOKENS, target) ?? {};
  return [...types, ...Object.values(tokens).map(tokenOf)];
}

/** `@inject` and its like keep the token, or a description that holds it. */
function tokenOf(kept: unknown): unknown {
  return typeof kept === 'object' && kept !== null && 'token' in kept ? tokenOf(kept.token) : kept;
}

/**
 * Has tsyringe build the class from these tokens, whatever metadata it has. tsyringe reads them once, in
 * `injectable()`.
 */
function makeKnown(target: Class, tokens: readonly unknown[]): void {
  const before = [TYPES, TOKENS].map((key) => [key, Reflect.getOwnMetadata(key, target)] as const);
  Reflect.defineMetadata(TYPES, [...tokens], target);
  Reflect.deleteMetadata(TOKENS, target);
  injectable()(target as never);
  for (const [key, value] of before)
    if (value === undefined) Reflect.deleteMetadata(key, target);
    else Reflect.defineMetadata(key, value, target);
}

/** The remedies for a parameter whose dependency is unknown. */
export const CURES =
  'Name what each parameter is given in the class: static inject = [Mailer, TOKEN], or in @Handles(key, { inject: [Mailer, TOKEN] }). Or have the ' +
  'compiler write metadata: experimentalDecorators and emitDecoratorMetadata in tsconfig.json (swc: legacyDecorator and decoratorMetadata; Babel: ' +
  'babel-plugin-transform-typescript-metadata), and a decorator on the class itself (@Handles, @Queue, or injectable() of tsyringe). esbuild and tsx ' +
  'write none, nor does any compiler with standard decorators.';

/**
 * Refuses a class whose dependencies are unknown: without metadata tsyringe would call the constructor
 * without arguments.
 */
function refuseUnknown(target: Class, container: DependencyContainer, neededBy?: Class): void {
  const types: unknown[] | undefined = Reflect.getOwnMetadata(TYPES, target);
  const tokens: object = Reflect.getOwnMetadata(TOKENS, target) ?? {};
  // A class without a constructor of its own has length 0, and is built as its base is.
  for (let position = 0; position < target.length; position += 1) {
    if (position in tokens) continue;
    const why = whyUnknown(types, position, container);
    if (!why) continue;
    const needed = neededBy ? `, which ${neededBy.name} needs,` : '';
    const parameters = `${target.length} constructor parameter${target.length > 1 ? 's' : ''}`;
    throw new HandlerResolutionError(
      `class ${target.name}${needed} takes ${parameters}, but nothing says what to give as ${parameterName(target, position)}: ${why}`,
      neededBy ? `Register ${target.name} in the container. Or: ${CURES}` : CURES,
    );
  }
}

function whyUnknown(types: readonly unknown[] | undefined, position: number, container: DependencyContainer) {
  const type = types?.[position];
  if (!types) return 'it has no static inject, and no parameter metadata';
  if (type === undefined) return 'its type was not there yet, as when two modules import each other';
  if (!GONE.includes(type) || container.isRegistered(type as InjectionToken, true)) return undefined;
  return `of its type only ${(type as Class).name} is left at run time, as of an interface`;
}

/** The types that compilers write for types that are no classes. */
const GONE: readonly unknown[] = [Object, Function, Array, Promise, String, Number, Boolean, Symbol, BigInt];

function isClass(token: unknown): token is Class & InjectionToken<object> {
  return typeof token === 'function' && token.prototype !== undefined;
}
