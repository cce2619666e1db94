import assert from 'node:assert/strict';
import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bus, memory, OptionsError } from '../../src/index.js';
import { HoplineModule, type HoplineModuleOptions } from '../../src/nest/index.js';
import { silentLogger } from '../../src/util/logger.js';

const open = new Set<INestApplicationContext>();

afterEach(async () => {
  for (const application of open) await application.close();
  open.clear();
});

/** An application with this root module, initialised; it is closed after the test. */
export async function application(root: ModuleMetadata): Promise<INestApplicationContext> {
  class Root {}
  Module(root)(Root);
  const made = await NestFactory.createApplicationContext(Root, { logger: false, abortOnError: false });
  open.add(made);
  return made;
}

/** Closes it before the end of the test: Nest calls the hooks again if it is closed again. */
export async function close(app: INestApplicationContext): Promise<void> {
  open.delete(app);
  await app.close();
}

/** An application with a bus on a broker of its own. */
export async function withBus(
  { imports = [], ...root }: ModuleMetadata,
  options: Partial<HoplineModuleOptions> = {},
): Promise<{ app: INestApplicationContext; bus: Bus }> {
  const app = await application({ imports: [busModule(options), ...imports], ...root });
  return { app, bus: app.get(Bus) };
}

/** The bus's module, without delays between attempts. */
export const busModule = (options: Partial<HoplineModuleOptions> = {}) =>
  HoplineModule.forRoot({
    service: 'app',
    transport: memory(),
    retry: { tries: 2, backoff: [0] },
    log: silentLogger,
    ...options,
  });

/** Names of the handlers of a bus. */
export const handlersOf = (bus: Bus): string[] =>
  bus
    .describe()
    .queues.flatMap(({ bindings }) => bindings.map(({ handler }) => handler))
    .toSorted();

/** Matches an OptionsError with this problem. */
export const problemsOf = (problem: RegExp) => (error: unknown) => {
  assert.ok(error instanceof OptionsError, String(error));
  assert.match(error.message, problem);
  return true;
};
