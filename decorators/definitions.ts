import type { HandlerDefinition } from '../src/consume/handlers/definition.js';
import { replyingDefaults } from '../src/message/requests/replying-options.js';
import type { HandlerFunction } from '../src/pipeline/handler.js';
import { show } from '../src/util/check.js';
import { decoratorName } from './annotation.js';
import type { Instances } from './instances.js';
import {
  type Annotations,
  annotationsOf,
  type Class,
  type ClassAnnotations,
  type HandlerScope,
  type WholeOptions,
} from './metadata.js';

/** An annotated class, or an annotated method of it. */
interface Handled {
  readonly method: string | symbol;
  readonly name: string;
  readonly annotations: Annotations;
}

/** The functions that run a handler. */
export type Running = Pick<HandlerDefinition, 'prepare' | 'handle' | 'failed'>;

/** A method that handles, and what `@Handles` says of how it is run. */
export interface HandlingMethod {
  readonly target: Class;
  readonly method: string | symbol;
  readonly scope: HandlerScope;
  /** Takes many messages in one call. */
  readonly isBulk: boolean;
  /** Has the option `inject`. */
  readonly injects: boolean;
}

/**
 * Builds the definitions of a class's handlers.
 *
 * @param run makes the functions that run a handler, on an instance that a container makes
 * @param problems receives the problems of the class, as sentences
 */
export function definitionsOf(
  target: Class,
  run: (handling: HandlingMethod) => Running,
  problems: string[],
): HandlerDefinition[] {
  if (typeof target !== 'function') {
    problems.push(`expected a class, got ${show(target)}`);
    return [];
  }
  const said = annotationsOf(target);
  const all = handledOf(target, said);
  problems.push(...problemsOf(target, all));
  const defaults = {
    ...wholeOptions(said),
    ...(said.retry ? { retry: said.retry } : {}),
    ...said.timeout,
  };
  const isMixed = handlesMessages(all);
  // What a class that handles messages, too, says for them is no affair of its responders.
  const ofResponders = isMixed ? replyingDefaults(defaults) : defaults;
  return all.flatMap(({ method, name, annotations }) =>
    annotations.handles.map(({ patterns, options: { scope = 'singleton', inject, ...options }, answers }) => {
      const isBeside = answers !== undefined && isMixed;
      const { retry, ...inherited } = isBeside ? ofResponders : defaults;
      const { failed, ...running } = run({
        target,
        method,
        scope,
        isBulk: options.bulk !== undefined,
        injects: inject !== undefined,
      });
      return {
        name,
        patterns,
        queue: { ...said.queue, ownName: target.name },
        ...(answers ? { answers } : {}),
        options: {
          ...inherited,
          ...wholeOptions(annotations),
          ...whereSet(options),
          retry: { ...retry, ...annotations.retry, ...options.retry },
          ...annotations.timeout,
        },
        ...running,
        ...(failed && !isBeside ? { failed } : {}),
      };
    }),
  );
}

const handlesMessages = (all: readonly Handled[]): boolean =>
  all.some(({ annotations }) => annotations.handles.some(({ answers }) => answers === undefined));

/** The class itself if it has `@Handles` or `@Replies`, then its annotated methods. */
function handledOf({ name }: Class, { handles, methods }: ClassAnnotations): Handled[] {
  const ofMethods = [...methods].map(([method, annotations]) => ({
    method,
    name: `${name}.${String(method)}`,
    annotations,
  }));
  return handles.length > 0
    ? [{ method: 'handle', name, annotations: { handles } }, ...ofMethods]
    : ofMethods;
}

function problemsOf(target: Class, all: readonly Handled[]): string[] {
  const lacksHandle =
    all.some(({ name }) => name === target.name) && typeof target.prototype.handle !== 'function';
  const silent = all.every(({ annotations }) => annotations.handles.length === 0);
  return [
    ...(lacksHandle
      ? [`class ${target.name} is annotated with @Handles or @Replies but has no handle() method`]
      : []),
    ...(silent
      ? [
          `class ${target.name} handles nothing: annotate it, or a method of it, with @Handles(pattern) or @Replies(request)`,
        ]
      : []),
    ...all.flatMap(scopeProblems),
    ...all.flatMap(injectProblems),
    ...all
      .filter(({ annotations }) => annotations.handles.length === 0)
      .map(({ name, annotations }) => `${name} has ${decoratorsOf(annotations)} but no @Handles or @Replies`),
  ];
}

const SCOPES: readonly unknown[] = [undefined, 'singleton', 'message'];

function scopeProblems({ name, annotations }: Handled): string[] {
  return annotations.handles.flatMap(({ options: { scope, bulk } }) => {
    if (!SCOPES.includes(scope))
      return [`expected the scope of ${name} to be 'singleton' or 'message', got ${show(scope)}`];
    if (scope === 'message' && bulk !== undefined)
      return [`${name} has scope 'message' and the option bulk: one instance can't belong to many messages`];
    return [];
  });
}

function injectProblems({ name, annotations }: Handled): string[] {
  return annotations.handles.flatMap(({ options: { inject } }) =>
    inject === undefined || Array.isArray(inject)
      ? []
      : [`expected inject of ${name} to be a list of tokens, [Mailer, TOKEN], got ${show(inject)}`],
  );
}

/** `@Retry and @Timeout`. */
function decoratorsOf({ handles: _, ...said }: Annotations): string {
  return Object.keys(said)
    .map((key) => `@${decoratorName(key)}`)
    .join(' and ');
}

/** Annotations that are no option, or that are merged part by part. */
const NOT_WHOLE = ['handles', 'methods', 'queue', 'retry', 'timeout'];

function wholeOptions(said: Annotations): WholeOptions {
  return Object.fromEntries(Object.entries(said).filter(([name]) => !NOT_WHOLE.includes(name)));
}

/** An option that is undefined is one that another place sets. */
function whereSet<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, option]) => option !== undefined),
  ) as Partial<Options>;
}

type Methods = Record<string | symbol, (...given: unknown[]) => unknown>;

/** Builds the functions that run a handler on its instance. `failed()` of a class serves all its methods. */
export function runningOn(instances: Instances, { target, method, scope }: HandlingMethod): Running {
  const instance = instances.of(target, scope);
  // In a handler of many messages, payload and context are lists, and the instance belongs to no single
  // message.
  const handle: HandlerFunction = (payload, context) =>
    instance.with(context, (it) => (it as Methods)[method]?.(payload, context));
  if (typeof target.prototype.failed !== 'function') return { prepare: instance.prepare, handle };
  return {
    prepare: instance.prepare,
    handle,
    failed: (error, payload, context) =>
      instance.with(context, (it) => (it as Methods).failed?.(error, payload, context)),
  };
}
