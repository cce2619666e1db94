import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BusDescription } from '../consume/describe.js';
import { UsageError } from './usage-error.js';

/** Whatever has the method: the application may have another copy of Hopline than this command. */
interface Describes {
  describe(): BusDescription;
}

/** `hopline.app` of the nearest package.json, as a path. */
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
 * What the buses of an application are made of. The module is imported, and nothing is started.
 *
 * @param url for an application that reads AMQP_URL as it is imported
 * @throws UsageError
 */
export async function describeApplication(path: string, url: string): Promise<readonly BusDescription[]> {
  const exported = await load(path, url);
  const buses = [exported].flat();
  if (buses.length === 0 || !buses.every(describes)) {
    throw new UsageError(
      `'${path}' exports no bus`,
      'Export a Bus that is not started, a list of them, or a function that makes one, as default or as bus',
    );
  }
  return buses.map((bus) => bus.describe());
}

async function load(path: string, url: string): Promise<unknown> {
  process.env.AMQP_URL ||= url;
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown; bus?: unknown };
    const exported = module.default ?? module.bus;
    return typeof exported === 'function' ? await exported() : exported;
  } catch (error) {
    throw Object.assign(
      new UsageError(
        `the application '${path}' can't be loaded: ${(error as Error).message}`,
        'Build it first; or name the queues with --queue and the prefix with --prefix',
      ),
      { cause: error },
    );
  }
}

function describes(bus: unknown): bus is Describes {
  return typeof (bus as Partial<Describes> | undefined)?.describe === 'function';
}
