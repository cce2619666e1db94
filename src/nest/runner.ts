import type {
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common';
import type { DiscoveryService, ExternalContextCreator, ModulesContainer } from '@nestjs/core';
import { definitionsOf } from '../../decorators/definitions.js';
import type { Bus } from '../bus.js';
import { OptionsError } from '../errors.js';
import { deferred } from '../util/deferred.js';
import type { Logger } from '../util/logger.js';
import { partsOf } from './calls/nest-parts.js';
import { handlersOfBus } from './handlers/claims.js';
import { findHandlers } from './handlers/found.js';
import { runningInNest } from './handlers/running.js';
import type { HoplineSettings } from './options.js';
import { runnerToken } from './tokens.js';

/** What a runner needs of the application. */
export interface RunnerParts {
  readonly bus: Bus;
  readonly settings: HoplineSettings;
  readonly log: Logger;
  readonly discovery: DiscoveryService;
  readonly creator: ExternalContextCreator;
  readonly modules: ModulesContainer;
}

/**
 * Runs a bus with its application, by Nest's hooks: starts it when all else has bootstrapped, and stops it in stages. Handlers end
 * before any provider is destroyed that they may need. Then HTTP servers and all else end, which may publish; the bus closes last.
 */
export class BusRunner
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  private readonly applicationEnded = deferred();
  private stopped: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RunnerParts) {
    this.beLast();
  }

  /** Finds the handlers. All providers are made, so none is missed. */
  onModuleInit(): void {
    const { bus, settings, log, discovery, creator, modules } = this.parts;
    const found = handlersOfBus(settings.name, findHandlers(discovery), modules);
    const nest = partsOf(creator);
    const problems: string[] = [];
    const definitions = found.flatMap((each) =>
      definitionsOf(each.target, (handling) => runningInNest(each, handling, nest, problems), problems),
    );
    if (problems.length > 0) throw new OptionsError('handlers', problems);
    bus.addHandlers(definitions);
    // A class that no module lists is missed by nobody but who reads this.
    const handlers = definitions.map(({ name }) => name);
    log.info({ service: bus.service, handlers }, `${handlers.length} handlers found`);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.parts.settings.autoStart) await this.parts.bus.start();
  }

  /** Ends when no handler runs any more. What an operator does about work that is left behind is not to be stopped by it. */
  async onModuleDestroy(): Promise<void> {
    const { bus, log } = this.parts;
    const handlersEnded = deferred();
    const afterHandlers = () => {
      handlersEnded.resolve();
      return this.applicationEnded.promise;
    };
    this.stopped = bus.stop({ afterHandlers }).catch((err: unknown) => {
      log.error({ service: bus.service, err }, 'stopped, and left work behind');
    });
    await Promise.race([handlersEnded.promise, this.stopped]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.applicationEnded.resolve();
    await this.stopped;
  }

  /**
   * Nest calls the hooks of a start from the farthest module to the root, and those of a shutdown the other way; a global module would
   * be the first to start and the last to be destroyed. Nearer than the root, this one is the last to start and the first to stop.
   */
  private beLast(): void {
    const { modules, settings } = this.parts;
    for (const module of modules.values())
      if (module.providers.has(runnerToken(settings.name))) module.distance = -1;
  }
}
