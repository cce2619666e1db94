import type { INestApplicationContext } from '@nestjs/common';
import type { BusOptions } from '../../bus/options.js';
import { OptionsError } from '../../errors.js';
import type { TestKitOptions } from '../../testing/options.js';
import { callable, type Fields, isPlainObject, problemsOf, required, show, text } from '../../util/check.js';

/** What `Test.createTestingModule()` of `@nestjs/testing` returns, as far as a kit needs it. */
export interface ModuleBuilder<Module extends INestApplicationContext = INestApplicationContext> {
  overrideProvider(token: unknown): { useValue(value: unknown): ModuleBuilder<Module> };
  compile(): Promise<Module>;
}

/** Options of {@link nestTestKit}. */
export interface NestTestKitOptions<
  Module extends INestApplicationContext = INestApplicationContext,
  Application extends INestApplicationContext = Module,
> extends Pick<TestKitOptions, 'settleDeadline' | 'patience' | 'cascadeLimit'> {
  /**
   * Describes the application: `() => Test.createTestingModule({ imports: [AppModule] })`, with the providers that it overrides. Called
   * for each process: once, and again after each crash.
   */
  module: () => ModuleBuilder<Module>;
  /** Makes the application of its module: `(module) => module.createNestApplication()` for one with HTTP. @default the module itself */
  create?: (module: Module) => Application | Promise<Application>;
  /** Name of the bus under test, if the application has several. @default the one without a name */
  bus?: string;
  /**
   * Options of the bus in place of the application's own. Its `stores` are memory, and its `log` is silent, unless they are given here.
   * @default {}
   */
  options?: Partial<Omit<BusOptions, 'transport' | 'handlers'>>;
}

const FIELDS: Fields = {
  module: required(callable),
  create: callable,
  bus: text,
  options: { expected: 'the options of a bus', accepts: isPlainObject },
};

/** @throws OptionsError */
export function checkNestTestKitOptions(options: NestTestKitOptions): void {
  if (!isPlainObject(options))
    throw new OptionsError('nestTestKit', [`expected the options to be an object, got ${show(options)}`]);
  const { settleDeadline: _settle, patience: _patience, cascadeLimit: _limit, ...own } = options;
  const problems = problemsOf(own, '', FIELDS);
  if (problems.length > 0) throw new OptionsError('nestTestKit', problems);
}
