import type { Class } from './metadata.js';

/*
 * JavaScript tells how many parameters a constructor has before the first with a default, and nothing else.
 * Everything beyond that is read here from the text of the class: it makes errors better, and refuses only
 * what is certain.
 */

/** A constructor in the text of a class, and no call of a method of that name. */
const CONSTRUCTOR = /(?<![.\w$])constructor\s*\(/;
/** A constructor without parameters. */
const EMPTY_CONSTRUCTOR = /(?<![.\w$])constructor\s*\(\s*\)\s*\{/;
/** A constructor whose parameters are plain names. */
const PLAIN_CONSTRUCTOR = /(?<![.\w$])constructor\s*\(([\w$\s,]*)\)\s*\{/;

/**
 * A constructor that passes all its arguments on to its base. Compilers write it into a class without a constructor, for what its fields
 * and its decorated methods need: `super(...arguments)` of TypeScript and esbuild, `super(...args)` of Babel and swc.
 */
const PASSING_ON =
  /(?<![.\w$])constructor\s*\((?:\s*\)\s*\{\s*super\(\s*\.\.\.arguments\s*\)|\s*\.\.\.\s*([\w$]+)\s*\)\s*\{\s*super\(\s*\.\.\.\s*\1\s*\))/;

/**
 * Tells whether a class has a constructor of its own; `unclear` if the match may be in parentheses, or words in a comment.
 * A constructor that only passes its arguments on to its base doesn't count.
 */
export function hasConstructor(target: Class): boolean | 'unclear' {
  if (target.length > 0) return true;
  const text = textOf(target);
  if (PASSING_ON.test(text)) return false;
  if (EMPTY_CONSTRUCTOR.test(text)) return true;
  return CONSTRUCTOR.test(text) && 'unclear';
}

/** The class whose constructor runs: the nearest that has one. */
export function constructorOf(target: Class): Class {
  for (let at = target; ; at = baseOf(at) as Class) if (hasConstructor(at) || !baseOf(at)) return at;
}

/** The class that `target` extends. */
export function baseOf(target: Class): Class | undefined {
  const base: unknown = Object.getPrototypeOf(target);
  return typeof base === 'function' && base !== Function.prototype ? (base as Class) : undefined;
}

/**
 * The maximum number of a constructor's parameters: infinite if it has defaults or a rest parameter, or if
 * the class can't be read.
 */
export function mostParameters(target: Class): number {
  if (!textOf(target).startsWith('class')) return Number.POSITIVE_INFINITY;
  if (!hasConstructor(target)) return 0;
  return namesOf(target) ? target.length : Number.POSITIVE_INFINITY;
}

/** `#0 (mailer)`, or `#0` if the name can't be read. */
export function parameterName(target: Class, position: number): string {
  const name = namesOf(target)?.[position];
  return name ? `#${position} (${name})` : `#${position}`;
}

function namesOf(target: Class): string[] | undefined {
  const names = PLAIN_CONSTRUCTOR.exec(textOf(target))?.[1]
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names?.length === target.length ? names : undefined;
}

function textOf(target: Class): string {
  return Function.prototype.toString.call(target);
}
