import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { BusOptions } from '../bus/options.js';
import { OptionsError } from '../errors.js';
import {
  type Check,
  callable,
  type Fields,
  flag,
  isPlainObject,
  problemsOf,
  required,
  show,
  text,
} from '../util/check.js';
import type { Logger } from '../util/logger.js';
import { DEFAULT_BUS } from './tokens.js';

/** Options of `HoplineModule.forRoot()`: those of a bus, and what is Nest's. Handlers are found among the application's providers. */
export interface HoplineModuleOptions extends Omit<BusOptions, 'handlers' | 'log'>, HoplineModuleSettings {
  /**
   * Logger for warnings and errors; a pino logger fits. The thrown value is in the field `err`. @default Nest's `Logger`, with the
   * context `Hopline`
   */
  log?: Logger;
}

/** What `forRoot` and `forRootAsync` must know before there is anything to inject. */
export interface HoplineModuleSettings {
  /** Name of the bus, if the application has several: `@InjectBus(name)` injects it. @default none: `Bus` injects it */
  name?: string;
  /**
   * Modules whose handlers run on this bus, for an application with several buses. @default those that neither another bus nor
   * `forFeature` names, for the bus without a name; none for one with a name
   */
  include?: readonly Type[];
  /** Whether all modules can inject the bus without importing this one. @default true */
  isGlobal?: boolean;
  /**
   * Starts the bus when the application has bootstrapped. With false, `bus.start()` is the application's to call, for instance to
   * consume some queues only; the bus is stopped with the application in any case. @default true
   */
  autoStart?: boolean;
}

/** Options of `HoplineModule.forRootAsync()`: a factory of the options, and what is injected into it. */
export interface HoplineModuleAsyncOptions extends HoplineModuleSettings, Pick<ModuleMetadata, 'imports'> {
  /** Tokens of the factory's arguments. @default [] */
  inject?: FactoryProvider['inject'];
  /** Makes the options of the bus. */
  // biome-ignore lint/suspicious/noExplicitAny: what the tokens stand for
  useFactory: (...injected: any[]) => Omit<BusOptions, 'handlers'> | Promise<Omit<BusOptions, 'handlers'>>;
}

/** Options of `HoplineModule.forFeature()`. */
export interface HoplineFeatureOptions extends Pick<ModuleMetadata, 'imports'> {
  /** Name of the bus that the handlers run on. @default the bus without a name */
  bus?: string;
}

/** The settings with their defaults; in the container, what tells that there is a bus of this name. */
export class HoplineSettings {
  readonly name: string;
  readonly include: readonly Type[];
  readonly autoStart: boolean;

  constructor({ name = DEFAULT_BUS, include = [], autoStart = true }: HoplineModuleSettings) {
    this.name = name;
    this.include = include;
    this.autoStart = autoStart;
  }
}

/** The buses of an application, by their settings. */
export const busesIn = (modules: ModulesContainer): HoplineSettings[] =>
  [...modules.values()].flatMap(({ providers }) => {
    const settings: unknown = providers.get(HoplineSettings)?.instance;
    return settings instanceof HoplineSettings ? [settings] : [];
  });

const list = (what: string, accepts: (value: unknown) => boolean = () => true): Check => ({
  expected: `a list of ${what}`,
  accepts: (value) => Array.isArray(value) && value.every(accepts),
});

const SETTINGS: Fields = {
  name: text,
  include: list('module classes', (each) => typeof each === 'function'),
  isGlobal: flag,
  autoStart: flag,
};

const ASYNC: Fields = {
  ...SETTINGS,
  imports: list('modules'),
  inject: list('tokens'),
  useFactory: required(callable),
};

const FEATURE: Fields = { bus: text, imports: list('modules') };

/** @throws OptionsError for wrong settings. The options of the bus beside them are checked by the bus. */
export function checkRoot(options: HoplineModuleOptions): void {
  const { name, include, isGlobal, autoStart } = object('HoplineModule.forRoot', options);
  check('HoplineModule.forRoot', { name, include, isGlobal, autoStart }, SETTINGS);
}

/** @throws OptionsError */
export function checkRootAsync(options: HoplineModuleAsyncOptions): void {
  check('HoplineModule.forRootAsync', object('HoplineModule.forRootAsync', options), ASYNC);
}

/** @throws OptionsError */
export function checkFeature(options: HoplineFeatureOptions): void {
  check('HoplineModule.forFeature', object('HoplineModule.forFeature', options), FEATURE);
}

function object<Options extends object>(where: string, options: Options): Options {
  if (isPlainObject(options)) return options;
  throw new OptionsError(where, [`expected the options to be an object, got ${show(options)}`]);
}

function check(where: string, options: object, fields: Fields): void {
  const problems = problemsOf(options, '', fields);
  if (problems.length > 0) throw new OptionsError(where, problems);
}

/**
 * What a factory has returned.
 *
 * @throws OptionsError for what is no option of a bus in Nest: handlers, which Nest would not build, and what stands beside the factory
 */
export function busOptions(
  where: string,
  options: Omit<BusOptions, 'handlers'>,
): Omit<BusOptions, 'handlers'> {
  if (!isPlainObject(options))
    throw new OptionsError(where, [
      `expected the factory to return the options of a bus, got ${show(options)}`,
    ]);
  const problems = Object.keys(SETTINGS)
    .filter((name) => name in options)
    .map((name) => `${name} is none of the options that the factory returns: put it beside useFactory`);
  if ('handlers' in options)
    problems.push(
      'unknown option handlers: list the classes as providers of a module, and they are found; add functions by bus.handle()',
    );
  if (problems.length > 0) throw new OptionsError(where, problems);
  return options;
}
