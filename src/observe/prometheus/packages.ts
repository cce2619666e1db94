import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/*
 * Packages of an application, which a worker process finds from the application's module.
 */

/** What prom-client exports. */
export type PromClient = typeof import('prom-client');

/**
 * Loads prom-client, the application's own if it has one: its registry is the one that the application uses.
 *
 * @param app path of the application's module
 * @throws the system's error if it is not installed
 */
export async function loadPromClient(app: string): Promise<PromClient> {
  const { default: client } = await import(resolved(app, 'prom-client'));
  return client as PromClient;
}

/** Function that returns the active trace as labels of an exemplar, if it is sampled; undefined if the application has no OpenTelemetry API. */
export async function traceOf(app: string): Promise<(() => { trace_id: string } | undefined) | undefined> {
  try {
    const api = await import(resolved(app, '@opentelemetry/api'));
    const { trace } = api.default as typeof import('@opentelemetry/api');
    return () => {
      const { traceId = '', traceFlags = 0 } = trace.getActiveSpan()?.spanContext() ?? {};
      return traceFlags & SAMPLED ? { trace_id: traceId } : undefined;
    };
  } catch {
    return undefined;
  }
}

/** Flag of the W3C's trace context. */
const SAMPLED = 1;

/** The application's own copy of a package, and else whatever is there. */
function resolved(app: string, name: string): string {
  try {
    return pathToFileURL(createRequire(app).resolve(name)).href;
  } catch {
    return name;
  }
}
