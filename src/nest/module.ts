import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { isHandlerClass } from '../../decorators/handler-classes.js';
import { OptionsError } from '../errors.js';
import { show } from '../util/check.js';
import { HoplineFeature } from './feature.js';
import {
  checkFeature,
  checkRoot,
  checkRootAsync,
  type HoplineFeatureOptions,
  type HoplineModuleAsyncOptions,
  type HoplineModuleOptions,
  type HoplineModuleSettings,
} from './options.js';
import { providersOf } from './providers.js';
import { DEFAULT_BUS } from './tokens.js';

/**
 * A bus in a Nest application. Its handlers are the providers and controllers with `@Handles` or `@Replies`, in whichever module; it starts when the
 * application has bootstrapped, and stops with it. `Bus`, `Publisher`, `Requester` and `HoplineHealthIndicator` can be injected, and
 * `MessageContext` into what is made for each message.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: what Nest calls a module
export class HoplineModule {
  /**
   * Registers a bus.
   *
   * @throws OptionsError
   */
  static forRoot(options: HoplineModuleOptions): DynamicModule {
    checkRoot(options);
    const { name, include, isGlobal, autoStart, ...bus } = options;
    return rootModule('forRoot', options, { useFactory: () => bus });
  }

  /**
   * Registers a bus whose options a factory makes of what is injected into it.
   *
   * @throws OptionsError
   */
  static forRootAsync(options: HoplineModuleAsyncOptions): DynamicModule {
    checkRootAsync(options);
    return rootModule('forRootAsync', options, options);
  }

  /**
   * Provides handler classes in a module of their own, and says on which bus they run. What they need comes from `imports` and from
   * global modules. A class that needs what another module keeps for itself is rather a provider of that module, and is found there.
   *
   * @throws OptionsError
   */
  static forFeature(classes: readonly Type<object>[], options: HoplineFeatureOptions = {}): DynamicModule {
    if (!Array.isArray(classes))
      throw new OptionsError('HoplineModule.forFeature', [
        `expected a list of handler classes, got ${show(classes)}`,
      ]);
    checkFeature(options);
    const { bus = DEFAULT_BUS, imports = [] } = options;
    const problems = classes
      .filter((each) => !isHandlerClass(each))
      .map(
        (each) => `${nameOf(each)} handles nothing: annotate it, or a method of it, with @Handles(pattern)`,
      );
    if (problems.length > 0) throw new OptionsError('HoplineModule.forFeature', problems);
    const names = classes.map((each) => each.name);
    return {
      module: HoplineModule,
      imports: [...imports],
      providers: [
        ...classes,
        {
          provide: HoplineFeature,
          useFactory: (modules: ModulesContainer) => new HoplineFeature(bus, names, modules),
          inject: [ModulesContainer],
        },
      ],
      exports: [...classes],
    };
  }
}
Module({})(HoplineModule);

const nameOf = (value: unknown): string =>
  typeof value === 'function' ? `class ${value.name}` : show(value);

type OptionsSource = Pick<HoplineModuleAsyncOptions, 'imports' | 'inject' | 'useFactory'>;

function rootModule(method: string, extras: HoplineModuleSettings, source: OptionsSource): DynamicModule {
  const { providers, tokens } = providersOf(`HoplineModule.${method}`, extras, source);
  return {
    module: HoplineModule,
    global: extras.isGlobal ?? true,
    imports: [DiscoveryModule, ...(source.imports ?? [])],
    providers,
    exports: tokens,
  };
}
