import type { ExecutionContext, PipeTransform, Type } from '@nestjs/common';
import 'reflect-metadata';
import type { NestParts, PipeMetadata, Place } from './nest-parts.js';

/*
 * Nest's records of parameters: of each an entry in an object on the class, under the method's name. Its key is the kind of the
 * parameter, a colon, and the position. `createParamDecorator()` writes there, and so do the decorators of `@nestjs/microservices`,
 * whose kinds of payload and context are these.
 */
const PARAMETERS = '__routeArguments__';
const CUSTOM = '__customRouteArgs__';
const PAYLOAD = '3';
const CONTEXT = '4';

type CustomFactory = (data: unknown, context: ExecutionContext) => unknown;

interface Entry {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
  readonly factory?: CustomFactory;
  readonly schema?: unknown;
}

type Entries = Readonly<Record<string, Entry>>;

/**
 * Payload of the message, or one property of it. A handler whose parameters have no decorator gets payload and context, in this order.
 *
 * @param property name of the property; a pipe may stand here, too
 * @param pipes pipes of this parameter, after those of the method
 */
export function HoplinePayload(
  property?: string | PipeTransform | Type<PipeTransform>,
  ...pipes: (PipeTransform | Type<PipeTransform>)[]
): ParameterDecorator {
  const isProperty = property === undefined || typeof property === 'string';
  return recording(PAYLOAD, {
    data: isProperty ? property : undefined,
    pipes: isProperty ? pipes : [property, ...pipes],
  });
}

/** The `MessageContext` of the message. No pipe sees it. */
export const HoplineContext = (): ParameterDecorator => recording(CONTEXT, { pipes: [] });

function recording(kind: string, said: Omit<Entry, 'index'>): ParameterDecorator {
  return (target, method, index) => {
    const entries = entriesOf(target.constructor, method as string);
    const key = `${kind}:${index}`;
    Reflect.defineMetadata(
      PARAMETERS,
      { ...entries, [key]: { index, ...said } },
      target.constructor,
      method as string,
    );
  };
}

const entriesOf = (target: object, method: string): Entries =>
  Reflect.getMetadata(PARAMETERS, target, method) ?? {};

/** The pipes that the decorators of a method's parameters name. */
export const pipesOfParameters = (target: Type, name: string): unknown[] =>
  Object.values(entriesOf(target, name)).flatMap(({ pipes = [] }) => pipes);

/** Makes the arguments of a call from payload and context. `context()` makes what a custom decorator sees. */
export type MakeArguments = (args: readonly unknown[], context: () => ExecutionContext) => Promise<unknown[]>;

interface Parameter {
  readonly index: number;
  readonly take: (args: readonly unknown[], context: () => ExecutionContext) => unknown;
  readonly metadata: PipeMetadata;
  readonly pipes: PipeTransform[];
}

/** @param name name of the method that `place` has */
export function argumentsOf(parts: NestParts, target: Type, name: string, place: Place): MakeArguments {
  const [, , moduleKey, contextId, inquirerId] = place;
  const { pipesContextCreator: creator, pipesConsumer } = parts;
  const ofMethod = creator.create(...place);
  const types: readonly (Type | undefined)[] =
    Reflect.getMetadata('design:paramtypes', target.prototype, name) ?? [];
  creator.setModuleContext(moduleKey);
  const parameters = Object.entries(withDefaults(entriesOf(target, name))).map(([key, entry]): Parameter => {
    const { index, data, schema, pipes = [] } = entry;
    const kind = key.slice(0, key.lastIndexOf(':'));
    const own = creator.createConcreteContext(pipes, contextId, inquirerId);
    return {
      index,
      take: takingOf(kind, entry),
      metadata: { type: kind.includes(CUSTOM) ? kind : Number(kind), metatype: types[index], data, schema },
      pipes: kind === CONTEXT ? [] : [...ofMethod, ...own],
    };
  });
  const count = Math.max(...parameters.map(({ index }) => index)) + 1;
  return async (args, context) => {
    const made: unknown[] = new Array(count).fill(undefined);
    await Promise.all(
      parameters.map(async ({ index, take, metadata, pipes }) => {
        const taken = take(args, context);
        made[index] = pipes.length > 0 ? await pipesConsumer.apply(taken, metadata, pipes) : await taken;
      }),
    );
    return made;
  };
}

/** The first two parameters are payload and context, unless a decorator says otherwise. */
function withDefaults(entries: Entries): Entries {
  const taken = new Set(Object.values(entries).map(({ index }) => index));
  return {
    ...(taken.has(0) ? {} : { [`${PAYLOAD}:0`]: { index: 0 } }),
    ...(taken.has(1) ? {} : { [`${CONTEXT}:1`]: { index: 1 } }),
    ...entries,
  };
}

function takingOf(kind: string, { data, factory }: Entry): Parameter['take'] {
  if (factory) return (_args, context) => factory(data, context());
  if (kind === CONTEXT) return ([, context]) => context;
  if (kind !== PAYLOAD) return () => undefined;
  if (typeof data !== 'string') return ([payload]) => payload;
  return ([payload]) => (payload as Record<string, unknown> | null | undefined)?.[data];
}
