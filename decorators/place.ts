import { OptionsError } from '../src/errors.js';
import { show } from '../src/util/check.js';
import { type Class, holderOf } from './metadata.js';

/*
 * Compilers call decorators in two ways. TypeScript's legacy ones (`experimentalDecorators`) get a class, or
 * a prototype with a method's name and descriptor. Standard ones (TC39) get the class or the method itself,
 * and a context object that describes it.
 */

/** The target of a decorator: a class, or a method of it. */
export interface Place {
  /** The object that keeps the class's annotations. */
  readonly holder: object;
  /** The method's name; undefined for the class itself. */
  readonly method: string | symbol | undefined;
}

/**
 * Finds a decorator's target from the arguments of the compiler's call.
 *
 * @param decorator the decorator's name, for errors
 * @throws OptionsError for a target that no decorator of Hopline may have: a static or private method, a
 * field, an accessor, a parameter
 */
export function placeOf(decorator: string, [target, second, third]: readonly unknown[]): Place {
  if (isContext(second)) return standardPlace(decorator, second);
  if (typeof third === 'number') refuse(decorator, `parameter ${third}`, ONLY_THERE);
  if ((typeof second === 'string' || typeof second === 'symbol') && isObject(target))
    return { holder: holderOf(legacyClass(decorator, target, second)), method: second };
  if (typeof target === 'function' && second === undefined)
    return { holder: holderOf(target as Class), method: undefined };
  refuse(decorator, `${show(target)} and ${show(second)}`, ONLY_THERE);
}

/**
 * Refuses a decorator that is written without parentheses: the compiler then calls the decorator's factory
 * with the target.
 *
 * @throws OptionsError
 */
export function refuseUncalled(decorator: string, given: readonly unknown[]): void {
  if (typeof given[0] !== 'function' && !isContext(given[1]) && given.length < 3) return;
  throw new OptionsError('decorators', [`@${decorator} stands without parentheses: write @${decorator}(…)`]);
}

const ONLY_THERE = 'it stands on a class, or on a method of one';
const OF_AN_INSTANCE = 'a handler is a method of an instance';

/** The decorator context of the proposal of 2023-11. Older states of the proposal have no metadata. */
interface Context {
  readonly kind: string;
  readonly name: string | symbol | undefined;
  readonly static?: boolean;
  readonly private?: boolean;
  readonly metadata?: object;
}

function isContext(value: unknown): value is Context {
  return isObject(value) && typeof (value as { kind?: unknown }).kind === 'string';
}

function standardPlace(decorator: string, context: Context): Place {
  const { kind, metadata } = context;
  const name = context.name ?? '';
  if (kind !== 'class' && kind !== 'method') refuse(decorator, `${kind} ${String(name)}`, ONLY_THERE);
  if (kind === 'method') {
    if (context.static) refuse(decorator, `static method ${String(name)}`, OF_AN_INSTANCE);
    if (context.private)
      refuse(
        decorator,
        `private method ${String(name)}`,
        'who calls it is outside of its class, so it has no #',
      );
  }
  if (!isObject(metadata))
    refuse(
      decorator,
      `${kind} ${String(name)}`,
      'its compiler gives standard decorators no metadata, as TypeScript did before 5.2 and Babel before version 2023-05: take a newer one, or set experimentalDecorators (Babel: legacy)',
    );
  return { holder: metadata, method: kind === 'method' ? name : undefined };
}

function legacyClass(decorator: string, target: object, name: string | symbol): Class {
  if (typeof target === 'function')
    refuse(decorator, `static ${target.name}.${String(name)}`, OF_AN_INSTANCE);
  const owner: unknown = target.constructor;
  if (!isClassOf(owner, target))
    refuse(decorator, `${show(target)}, which is no class's prototype`, ONLY_THERE);
  // A field is on no prototype. The descriptor that the compiler passes is no evidence: in plain JavaScript
  // it can be anything.
  if (typeof descriptorOf(target, name)?.value !== 'function')
    refuse(decorator, `${owner.name}.${String(name)}, which is no method`, ONLY_THERE);
  return owner;
}

function isClassOf(owner: unknown, prototype: object): owner is Class {
  return typeof owner === 'function' && owner.prototype === prototype;
}

function descriptorOf(target: object, name: string | symbol): PropertyDescriptor | undefined {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor) return descriptor;
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function refuse(decorator: string, where: string, why: string): never {
  throw new OptionsError('decorators', [`@${decorator} on ${where}: ${why}`]);
}
