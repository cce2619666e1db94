import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { OptionsError } from '../errors.js';
import { systemClock } from '../util/clock.js';
import type { DashboardOptions } from './options.js';
import { appOf } from './server/app.js';
import { gateOf } from './server/auth/gate-of.js';
import { type Listened, listenerOf } from './server/listener.js';
import { Live } from './server/live/live.js';
import { Addresses } from './server/requests/addresses.js';
import type { Arrived } from './server/requests/asking.js';
import { Sayings } from './server/requests/sayings.js';
import { Hosts, isLoopback } from './server/security/hosts.js';
import { Tokens } from './server/security/tokens.js';
import { type DashboardSettings, dashboardSettings } from './settings.js';
import { openSite } from './site/open-site.js';

/** A dashboard. Its functions need no `this`: they may be handed on as they are. */
export interface Dashboard {
  /**
   * Answers a request, as `app.mount('/ops', dashboard.fetch)` of Hono calls it. Never rejects.
   *
   * @param context what `auth.authorize` gets with the request. From Hono's Node server it is known where the request came from; else it isn't, and without `auth` the request is refused
   */
  fetch(request: Request, context?: unknown): Promise<Response>;
  /** Answers a request of node:http, Express, Nest or Fastify. */
  listener(incoming: IncomingMessage, outgoing: import('node:http').ServerResponse): void;
  /**
   * Opens a server of its own.
   *
   * @returns its address
   * @throws OptionsError for an address that others can reach, without the option `auth`
   * @throws the system's error if it can't listen there
   */
  listen(at?: DashboardListenOptions): Promise<string>;
  /** Ends what it has begun: pages that are followed, servers, connections to brokers. Operations that run are taken on by the next dashboard. */
  close(): Promise<void>;
}

/** Where a dashboard listens. */
export interface DashboardListenOptions {
  /** 0 selects a free one. @default 7700 */
  port?: number;
  /** @default '127.0.0.1' */
  host?: string;
}

/**
 * Makes a dashboard of one or several applications, to mount in a server or to open one for. It connects to a broker when a page first needs it.
 *
 * @throws OptionsError with all problems at once
 */
export function dashboard(options: DashboardOptions): Dashboard {
  const settings = dashboardSettings(options);
  const { applications, auth, allowedHosts, path, allowActions, log, audit } = settings;
  const sites = applications.map((application) => openSite(application, settings));
  const live = new Live();
  const app = appOf({
    ...{ sites, path, allowActions, log, audit, live },
    addresses: new Addresses(),
    gate: gateOf(auth, systemClock, log),
    hosts: new Hosts({ allowed: allowedHosts, hasAuth: auth !== undefined }),
    tokens: new Tokens(),
    sayings: new Sayings(systemClock),
  });
  const fetch = async (request: Request, context?: unknown): Promise<Response> =>
    app.fetch(request, arrivedWith(context));
  const listener = listenerOf(fetch);
  const servers: Server[] = [];
  return {
    fetch,
    listener,
    listen: async (at = {}) => {
      const server = createServer(listener);
      const url = await listening(server, at, settings);
      servers.push(server);
      for (const site of sites) site.begin();
      return url;
    },
    close: async () => {
      live.close();
      await Promise.all(servers.splice(0).map(closed));
      await Promise.all(sites.map((site) => site.close()));
    },
  };
}

/** Time that answers under way have to end. */
const ANSWERS_MS = 1_000;

async function closed(server: Server): Promise<void> {
  const over = once(server, 'close');
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), ANSWERS_MS);
  await over;
  clearTimeout(timer);
}

/** What is known of where a request came from. Hono's Node server hands on the request of node:http, as a listener does. */
function arrivedWith(context: unknown): Arrived {
  const { incoming, mountedAt } = (
    typeof context === 'object' && context !== null ? context : {}
  ) as Partial<Listened>;
  return { context, peer: incoming?.socket?.remoteAddress, mountedAt };
}

async function listening(
  server: Server,
  { port = 7_700, host = '127.0.0.1' }: DashboardListenOptions,
  { auth, path }: DashboardSettings,
): Promise<string> {
  if (!auth && !isLoopback(host) && host !== 'localhost')
    throw new OptionsError('dashboard', [
      `expected auth beside host '${host}', which others can reach: without auth the dashboard listens at 127.0.0.1`,
    ]);
  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${taken}${path}/`;
}
