import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** What prom-client exports. */
export type PromClient = typeof import('prom-client');

/**
 * Loads prom-client, the application's own if it has one: its registry is the one that the application uses.
 *
 * @param app path of the application's module
 * @throws the system's error if it is not installed
 */
export async function loadPromClient(app: string): Promise<PromClient> {
  const { default: client } = await import(resolved(app));
  return client as PromClient;
}

function resolved(app: string): string {
  try {
    return pathToFileURL(createRequire(app).resolve('prom-client')).href;
  } catch {
    return 'prom-client';
  }
}
