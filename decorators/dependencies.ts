import 'reflect-metadata';
import { type DependencyContainer, type InjectionToken, injectable } from 'tsyringe';
import { HandlerResolutionError } from '../src/errors.js';
import { hasConstructor, parameterName } from './constructors.js';
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
  const seen = new Set<Class>();
  /** Behind `delay()` of tsyringe, which builds them at their first use: a circle may lead over them. */
  const later: Class[] = [];
  /** @param way the classes that are built while they wait for this one */
  const look = (at: Class, way: readonly Class[]): void => {
    if (way.includes(at)) refuseCircle([...way.slice(way.indexOf(at)), at]);
    if (seen.has(at)) return;
    seen.add(at);
    makeKnown(at, container, way.at(-1));
    for (const token of dependenciesOf(at)) {
      const delayed = delayedBy(token);
      const each = builtFor(delayed ?? token, container);
      if (each && delayed) later.push(each);
      else if (each) look(each, [...way, at]);
    }
  };
  look(target, []);
  for (const each of later) look(each, []);
  seen.delete(target);
  return [...seen];
}

function makeKnown(target: Class, container: DependencyContainer, neededBy: Class | undefined): void {
  const named = namedDependencies(target);
  if (!named) refuseUnknown(target, container, neededBy);
  if (named || !hasMetadata(target)) describe(target, named ?? []);
  else injectable()(target);
}

/** Whether metadata tell what its constructor takes: its own, or its base's if it has no constructor. */
function hasMetadata(target: Class): boolean {
  const own = [TYPES, TOKENS].some((key) => Reflect.hasOwnMetadata(key, target));
  return own || hasConstructor(target) === false;
}

/**
 * The class that tsyringe builds for a token; undefined if nothing is registered for it, or something that is
 * no class.
 */
function builtFor(token: unknown, container: DependencyContainer): Class | undefined {
  if (!container.isRegistered(token as InjectionToken, true)) return isClass(token) ? token : undefined;
  const { useClass, useToken } = providerOf(token, container);
  if (useToken !== undefined) return builtFor(useToken, container);
  // What tsyringe can't tell from a class is one to it: `{ useValue: undefined }`.
  return isClass(useClass) ? useClass : undefined;
}

/** The token that `delay()` of tsyringe holds back. It exports no class to know it by. */
function delayedBy(token: unknown): unknown {
  const { wrap } = (typeof token === 'object' && token !== null ? token : {}) as { wrap?: () => unknown };
  return typeof wrap === 'function' ? wrap() : undefined;
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
  if (!hasMetadata(target)) return [];
  const types: unknown[] = Reflect.getMetadata(TYPES, target) ?? [];
  const tokens: object = Reflect.getMetadata(TOKENS, target) ?? {};
  const all = [...types];
  // The type of such a parameter may be a class that nobody builds.
  for (const [position, kept] of Object.entries(tokens)) all[Number(position)] = tokenOf(kept);
  return all;
}

/** `@inject` and its like keep the token, or a description that holds it. */
function tokenOf(kept: unknown): unknown {
  return typeof kept === 'object' && kept !== null && 'token' in kept ? tokenOf(kept.token) : kept;
}

/**
 * Has tsyringe build the class from these tokens, whatever metadata it has. tsyringe reads them once, in
 * `injectable()`.
 */
function describe(target: Class, tokens: readonly unknown[]): void {
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
  const tokens: object = Reflect.getOwnMetadata(TOKENS, target) ?? {};
  // A class without a constructor of its own has length 0, and is built as its base is.
  for (let position = 0; position < target.length; position += 1) {
    if (position in tokens) continue;
    const why = whyUnknown(target, position, container);
    if (!why) continue;
    const needed = neededBy ? `, which ${neededBy.name} needs,` : '';
    const parameters = `${target.length} constructor parameter${target.length > 1 ? 's' : ''}`;
    throw new HandlerResolutionError(
      `class ${target.name}${needed} takes ${parameters}, but nothing says what to give as ${parameterName(target, position)}: ${why}`,
      neededBy ? `Register ${target.name} in the container. Or: ${CURES}` : CURES,
    );
  }
}

function refuseCircle(circle: readonly Class[]): never {
  throw new HandlerResolutionError(
    `none of these classes can be built, as each needs the next: ${circle.map(({ name }) => name).join(', ')}`,
    "Have one of them not need another, or name it there as tsyringe's delay(() => Class).",
  );
}

function whyUnknown(target: Class, position: number, container: DependencyContainer) {
  const types: readonly unknown[] | undefined = Reflect.getOwnMetadata(TYPES, target);
  const type = types?.[position];
  if (!types) return `${unnamed(target)}, and no parameter metadata`;
  if (type === undefined) return 'its type was not there yet, as when two modules import each other';
  if (!GONE.includes(type) || container.isRegistered(type as InjectionToken, true)) return undefined;
  return `of its type only ${(type as Class).name} is left at run time, as of an interface`;
}

function unnamed(target: Class): string {
  const inject: unknown = Object.hasOwn(target, 'inject')
    ? (target as { inject?: unknown }).inject
    : undefined;
  return inject === undefined ? 'it has no static inject' : 'its static inject is no list';
}

/** The types that compilers write for types that are no classes. */
const GONE: readonly unknown[] = [Object, Function, Array, Promise, String, Number, Boolean, Symbol, BigInt];

function isClass(token: unknown): token is Class & InjectionToken<object> {
  return typeof token === 'function' && token.prototype !== undefined;
}
