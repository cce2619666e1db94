import { type InjectionToken, Logger, type Provider, Scope } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, ModulesContainer, REQUEST } from '@nestjs/core';
import type { BusOptions } from '../bus/options.js';
import { Bus } from '../bus.js';
import { ContextOutsideMessageError } from '../errors.js';
import { MessageContext } from '../message/context.js';
import { Publisher } from '../message/publisher.js';
import { Requester } from '../message/requests/requester.js';
import { nestLogger } from '../observe/logs/nest-logger.js';
import { HoplineHealthIndicator } from './health.js';
import {
  type AsyncBusOptions,
  type HoplineModuleAsyncOptions,
  type HoplineModuleExtras,
  HoplineSettings,
  withoutHandlers,
} from './options.js';
import { BusRunner } from './runner.js';
import { busMakerToken, busOptionsToken, DEFAULT_BUS, getBusToken, runnerToken } from './tokens.js';

/** Makes a bus of its options: what a test kit puts another in the place of. */
export type MakeBus = (options: BusOptions) => Bus;

const makeBus: MakeBus = (options) => new Bus(options);

/**
 * Providers of a bus, and the tokens of those that other modules may inject.
 *
 * @throws OptionsError
 */
export function providersOf(
  where: string,
  extras: HoplineModuleExtras,
  { inject = [], useFactory }: Pick<HoplineModuleAsyncOptions, 'inject' | 'useFactory'>,
): { providers: Provider[]; tokens: InjectionToken[] } {
  const settings = new HoplineSettings(where, extras);
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
    { provide: busMakerToken(name), useValue: makeBus },
    {
      provide: busOptionsToken(name),
      useFactory: async (...given: unknown[]) => optionsOf(await useFactory(...given)),
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

const perMessageContext: Provider = {
  provide: MessageContext,
  scope: Scope.REQUEST,
  useFactory: (request: unknown) => {
    if (request instanceof MessageContext) return request;
    throw new ContextOutsideMessageError();
  },
  inject: [REQUEST],
};

function optionsOf(options: AsyncBusOptions): BusOptions {
  return { log: nestLogger(new Logger('Hopline')), ...withoutHandlers(options) };
}

const tokenOf = (provider: Provider): InjectionToken =>
  typeof provider === 'function' ? provider : provider.provide;
