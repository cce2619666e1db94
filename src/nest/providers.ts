import { type InjectionToken, Logger, type Provider, Scope } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, ModulesContainer, REQUEST } from '@nestjs/core';
import type { BusOptions } from '../bus/options.js';
import { Bus } from '../bus.js';
import { ContextOutsideMessageError, OptionsError } from '../errors.js';
import { MessageContext } from '../message/context.js';
import { Publisher } from '../message/publisher.js';
import { Requester } from '../message/requests/requester.js';
import { nestLogger } from '../observe/logs/nest-logger.js';
import { HoplineHealthIndicator } from './health.js';
import {
  busOptions,
  type HoplineModuleAsyncOptions,
  type HoplineModuleSettings,
  HoplineSettings,
} from './options.js';
import { BusRunner } from './runner.js';
import { busMakerToken, busOptionsToken, DEFAULT_BUS, getBusToken, runnerToken } from './tokens.js';

/** Makes a bus of its options: what a test kit puts another in the place of. */
export type MakeBus = (options: BusOptions) => Bus;

/** @param where what is said to be wrong if the options are */
const busMaker =
  (where: string): MakeBus =>
  (options) => {
    try {
      return new Bus(options);
    } catch (error) {
      throw error instanceof OptionsError ? new OptionsError(where, error.problems) : error;
    }
  };

/**
 * Providers of a bus, and the tokens of those that other modules may inject.
 *
 * @throws OptionsError
 */
export function providersOf(
  where: string,
  extras: HoplineModuleSettings,
  { inject = [], useFactory }: Pick<HoplineModuleAsyncOptions, 'inject' | 'useFactory'>,
): { providers: Provider[]; tokens: InjectionToken[] } {
  const settings = new HoplineSettings(extras);
  const { name } = settings;
  const token = getBusToken(name);
  const injected: Provider[] = [
    {
      provide: token,
      useFactory: (make: MakeBus, options: BusOptions) => make(options),
      inject: [busMakerToken(name), busOptionsToken(name)],
    },
    perMessageContext,
    ...(name === DEFAULT_BUS ? ofDefaultBus : []),
  ];
  const within: Provider[] = [
    { provide: HoplineSettings, useValue: settings },
    { provide: busMakerToken(name), useValue: busMaker(where) },
    {
      provide: busOptionsToken(name),
      useFactory: async (...given: unknown[]) => optionsOf(where, await useFactory(...given)),
      inject,
    },
    {
      provide: runnerToken(name),
      useFactory: (
        bus: Bus,
        { log }: Required<BusOptions>,
        discovery: DiscoveryService,
        creator: ExternalContextCreator,
        modules: ModulesContainer,
      ) => new BusRunner({ bus, settings, log, discovery, creator, modules }),
      inject: [token, busOptionsToken(name), DiscoveryService, ExternalContextCreator, ModulesContainer],
    },
  ];
  return { providers: [...within, ...injected], tokens: injected.map(tokenOf) };
}

const ofDefaultBus: Provider[] = [
  // Within a handler with `publishes: 'after'` it is not the bus.
  { provide: Requester, useFactory: (bus: Bus) => bus.injected(), inject: [Bus] },
  { provide: Publisher, useExisting: Requester },
  {
    provide: HoplineHealthIndicator,
    useFactory: (bus: Bus) => new HoplineHealthIndicator(bus),
    inject: [Bus],
  },
];

const OF_NEST =
  'In Nest, inject it only into what handles messages: a request of HTTP, for instance, has none.';

const perMessageContext: Provider = {
  provide: MessageContext,
  scope: Scope.REQUEST,
  useFactory: (request: unknown) => {
    if (request instanceof MessageContext) return request;
    throw new ContextOutsideMessageError(undefined, OF_NEST);
  },
  inject: [REQUEST],
};

function optionsOf(where: string, given: Omit<BusOptions, 'handlers'>): BusOptions {
  const { log = nestLogger(new Logger('Hopline')), ...options } = busOptions(where, given);
  return { ...options, log };
}

const tokenOf = (provider: Provider): InjectionToken =>
  typeof provider === 'function' ? provider : provider.provide;
