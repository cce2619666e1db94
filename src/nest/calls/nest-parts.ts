import type { CanActivate, ExecutionContext, NestInterceptor, PipeTransform, Type } from '@nestjs/common';
import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import { HandlerResolutionError } from '../../errors.js';

/** A handler's method, and where its guards and the like are found: what Nest's creators take. */
export type Place = readonly [
  instance: object,
  method: Method,
  moduleKey: string,
  contextId: ContextId | undefined,
  inquirerId: string | undefined,
];

export type Method = (...given: unknown[]) => unknown;

interface Creator<Made> {
  create(...place: Place): Made;
}

/** What Nest makes around a method, of its decorators, its class's and the global ones. */
export interface NestParts {
  readonly guardsContextCreator: Creator<CanActivate[]>;
  readonly guardsConsumer: {
    createContext(args: readonly unknown[], instance: object, method: Method): TypedContext;
    tryActivate(
      guards: CanActivate[],
      args: readonly unknown[],
      instance: object,
      method: Method,
      type: string,
    ): Promise<boolean>;
  };
  readonly interceptorsContextCreator: Creator<NestInterceptor[]>;
  readonly interceptorsConsumer: {
    intercept(
      interceptors: NestInterceptor[],
      args: readonly unknown[],
      instance: object,
      method: Method,
      next: () => Promise<unknown>,
      type: string,
    ): Promise<unknown>;
  };
  readonly pipesContextCreator: Creator<PipeTransform[]> & {
    setModuleContext(moduleKey: string): void;
    createConcreteContext(
      pipes: readonly unknown[],
      contextId: ContextId | undefined,
      inquirerId: string | undefined,
    ): PipeTransform[];
  };
  readonly pipesConsumer: {
    apply(value: unknown, metadata: PipeMetadata, pipes: PipeTransform[]): Promise<unknown>;
  };
  readonly filtersContextCreator: Creator<{
    invokeCustomFilters(error: unknown, host: ExecutionContext): unknown;
  }>;
}

/** What pipes are told of a parameter. */
export interface PipeMetadata {
  /** The number of Nest's kind of parameter, or the key of a custom one. */
  readonly type: number | string;
  readonly metatype: Type | undefined;
  readonly data: unknown;
  readonly schema: unknown;
}

export interface TypedContext extends ExecutionContext {
  setType(type: string): void;
}

const PARTS = [
  'guardsContextCreator',
  'guardsConsumer',
  'interceptorsContextCreator',
  'interceptorsConsumer',
  'pipesContextCreator',
  'pipesConsumer',
  'filtersContextCreator',
] as const satisfies readonly (keyof NestParts)[];

/**
 * The parts that `ExternalContextCreator` is made of, as `@nestjs/microservices` has them for its entry points. Its own `create()` puts
 * a pipe of the method before the context as well, and writes a line with a stack for each attempt that fails.
 *
 * @throws HandlerResolutionError if this version of Nest has others
 */
export function partsOf(creator: ExternalContextCreator): NestParts {
  const parts = creator as unknown as NestParts;
  const missing = PARTS.filter((name) => typeof parts[name] !== 'object');
  if (missing.length > 0)
    throw new HandlerResolutionError(
      `ExternalContextCreator of @nestjs/core has no ${missing.join(', ')}`,
      'Use a version of Nest that hopline/nest is made for: 11 or 12.',
    );
  return parts;
}
