import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BusDescription } from '../consume/handlers/bus-description.js';
import type { WorkerBus } from '../worker/worker.js';
import { UsageError } from './usage-error.js';

/**
 * A bus that an application exports: any object with the methods, since the application may have another copy
 * of Hopline than this command.
 */
export interface ExportedBus extends WorkerBus {
  describe(): BusDescription;
}

/** An application, and how it is ended when its buses have stopped. */
export interface Application {
  readonly buses: readonly ExportedBus[];
  close(): Promise<void>;
}

/** The path in `hopline.app` of the nearest package.json. */
export function appOfPackage(directory: string): string | undefined {
  for (let at = resolve(directory); ; at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) {
      const { hopline } = JSON.parse(readFileSync(file, 'utf8')) as { hopline?: { app?: unknown } };
      return typeof hopline?.app === 'string' ? join(at, hopline.app) : undefined;
    }
    if (dirname(at) === at) return undefined;
  }
}

/**
 * Describes the buses of an application. The module is imported, and nothing is started.
 *
 * @param url broker's address, for an application that reads AMQP_URL as it is imported
 * @param instead alternative to the application that the command accepts, for the error's help
 * @throws UsageError
 */
export async function describeApplication(
  path: string,
  url: string,
  instead?: string,
): Promise<readonly BusDescription[]> {
  process.env.AMQP_URL ||= url;
  const { buses, close } = await loadApplication(path, instead);
  const described = buses.map((bus) => bus.describe());
  await close();
  return described;
}

/**
 * Imports an application and returns the buses that it exports, not started; with `{ bus, close }` also what ends the rest of it.
 *
 * @param instead as of {@link describeApplication}
 * @throws UsageError if the application can't be loaded, or exports no bus
 */
export async function loadApplication(path: string, instead?: string): Promise<Application> {
  const exported = await load(path, instead);
  const { bus, close } = isClosed(exported) ? exported : { bus: exported, close: () => {} };
  const buses = [bus].flat();
  if (buses.length > 0 && buses.every(isBus)) return { buses, close: async () => void (await close()) };
  throw new UsageError(
    `'${path}' exports no bus`,
    'Export a Bus that is not started, a list of them, or a function that makes one, as default or as bus; or { bus, close } in its place',
  );
}

async function load(path: string, instead: string | undefined): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown; bus?: unknown };
    const exported = module.default ?? module.bus;
    return typeof exported === 'function' ? await exported() : exported;
  } catch (error) {
    throw new UsageError(
      `the application '${path}' can't be loaded: ${(error as Error).message}`,
      ['Build it first, or mend what it throws', ...(instead === undefined ? [] : [instead])].join('; '),
      { cause: error },
    );
  }
}

interface Closed {
  readonly bus: unknown;
  close(): unknown;
}

/** True for `{ bus, close }`. A bus has no member of the first name. */
function isClosed(exported: unknown): exported is Closed {
  const { bus, close } = (exported ?? {}) as Partial<Closed>;
  return bus !== undefined && typeof close === 'function';
}

function isBus(bus: unknown): bus is ExportedBus {
  return typeof (bus as Partial<ExportedBus> | undefined)?.describe === 'function';
}
