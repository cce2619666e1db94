import { type Dashboard, type DashboardOptions, dashboard } from '../../src/dashboard/index.js';
import { memory } from '../../src/transport/memory/index.js';

/** Dashboards of one test, closed after it. */
export class Dashboards {
  private readonly opened: Dashboard[] = [];

  constructor() {
    afterEach(() => this.close());
  }

  /** Of an application called Shop, in memory. */
  make(options: Partial<DashboardOptions> = {}): Dashboard {
    const made = dashboard({ transport: memory(), name: 'Shop', ...options });
    this.opened.push(made);
    return made;
  }

  private async close(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((one) => one.close()));
  }
}

/** What comes with a request from this machine. */
export const FROM_HERE = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };

/** Asks for a path as a browser on this machine does. */
export function ask(
  { fetch }: Dashboard,
  path: string,
  { host = 'localhost:7700', ...init }: RequestInit & { readonly host?: string } = {},
): Promise<Response> {
  return fetch(new Request(`http://${host}${path}`, init), FROM_HERE);
}
