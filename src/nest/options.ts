import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { BusOptions } from '../bus/options.js';
import { OptionsError } from '../errors.js';
import { type Check, type Fields, flag, isPlainObject, problemsOf, show, text } from '../util/check.js';
import { DEFAULT_BUS } from './tokens.js';

/** Options of `HoplineModule.forRoot()`: those of a bus, and what is Nest's. Handlers are found among the application's providers. */
export interface HoplineModuleOptions extends Omit<BusOptions, 'handlers'>, HoplineModuleExtras {}

/** What `forRoot` and `forRootAsync` must know before there is anything to inject. */
export interface HoplineModuleExtras {
  /** Name of the bus, if the application has several: `@InjectBus(name)` injects it. @default none: `Bus` injects it */
  name?: string;
  /**
   * Modules whose handlers run on this bus, for an application with several buses. @default those that neither another bus nor
   * `forFeature` names, for the bus without a name; none for one with a name
   */
  include?: readonly Type[];
  /** Whether all modules can inject the bus without importing this one. @default true */
  global?: boolean;
  /**
   * Starts the bus when the application has bootstrapped. With false, `bus.start()` is the application's to call, for instance to
   * consume some queues only; the bus is stopped with the application in any case. @default true
   */
  autoStart?: boolean;
}

/** Options of `HoplineModule.forRootAsync()`: a factory of the options, and what is injected into it. */
export interface HoplineModuleAsyncOptions extends HoplineModuleExtras, Pick<ModuleMetadata, 'imports'> {
  /** Tokens of the factory's arguments. @default [] */
  inject?: FactoryProvider['inject'];
  /** Makes the options of the bus. */
  // biome-ignore lint/suspicious/noExplicitAny: what the tokens stand for
  useFactory: (...injected: any[]) => AsyncBusOptions | Promise<AsyncBusOptions>;
}

/** What the factory of `forRootAsync()` returns. */
export type AsyncBusOptions = Omit<BusOptions, 'handlers'>;

/** Options of `HoplineModule.forFeature()`. */
export interface HoplineFeatureOptions extends Pick<ModuleMetadata, 'imports'> {
  /** Name of the bus that the handlers run on. @default the bus without a name */
  bus?: string;
}

/** The extras with their defaults; in the container, what tells that there is a bus of this name. */
export class HoplineSettings {
  readonly name: string;
  readonly include: readonly Type[];
  readonly autoStart: boolean;

  /** @throws OptionsError */
  constructor(where: string, extras: HoplineModuleExtras) {
    const { name = DEFAULT_BUS, include = [], global, autoStart = true } = extras;
    const problems = problemsOf({ name, include, global, autoStart }, '', EXTRAS);
    if (problems.length > 0) throw new OptionsError(where, problems);
    this.name = name;
    this.include = include;
    this.autoStart = autoStart;
  }
}

const moduleClasses: Check = {
  expected: 'a list of module classes',
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'function'),
};

const EXTRAS: Fields = { name: text, include: moduleClasses, global: flag, autoStart: flag };

/** @throws OptionsError for handlers among the options, which Nest would not build */
export function withoutHandlers(options: AsyncBusOptions): AsyncBusOptions {
  if (!isPlainObject(options))
    throw new OptionsError('HoplineModule', [
      `expected the factory to return the options of a bus, got ${show(options)}`,
    ]);
  if ('handlers' in options)
    throw new OptionsError('HoplineModule', [
      'unknown option handlers: list the classes as providers of a module, and they are found; add functions by bus.handle()',
    ]);
  return options;
}
