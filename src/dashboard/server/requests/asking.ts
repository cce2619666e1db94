import type { Context } from 'hono';
import type { Logger } from '../../../util/logger.js';
import { PAGES } from '../../pages/pages.js';
import type { Site } from '../../site/site.js';
import type { Figures, Frame, NavSite } from '../../ui/layout/frame.js';
import { assetLinks } from '../assets/assets.js';
import type { Gate } from '../auth/gate.js';
import type { DashboardUser } from '../auth/options.js';
import { type Head, problemDocument } from '../document.js';
import type { Live } from '../live/live.js';
import type { Hosts } from '../security/hosts.js';
import type { Tokens } from '../security/tokens.js';
import type { Addresses } from './addresses.js';
import type { Sayings } from './sayings.js';

/** What answers requests. */
export interface Parts {
  readonly sites: readonly Site[];
  /** Where the dashboard is mounted, without a slash at its end; '' at the root. */
  readonly path: string;
  readonly addresses: Addresses;
  readonly gate: Gate;
  readonly hosts: Hosts;
  readonly tokens: Tokens;
  readonly sayings: Sayings;
  readonly live: Live;
  readonly allowActions: boolean;
  readonly log: Logger;
  /** Of actions that were done: written whatever the level of other lines. */
  readonly audit: Pick<Logger, 'info'>;
}

/** What comes with a request. */
export interface Arrived {
  /** Address that it comes from; undefined if that is not known. */
  readonly peer: string | undefined;
  readonly context: unknown;
  /** Path at which a router has mounted the dashboard; undefined if none tells. */
  readonly mountedAt: string | undefined;
}

/** What is known of a request, for Hono. The user is there behind the gate. */
export interface Known {
  Bindings: Arrived;
  Variables: { nonce: string; user: Required<DashboardUser>; isOfApplication?: boolean };
}

/** A request on its way. */
export type Asking = Context<Known>;

/**
 * An answer that says what is wrong, as a page.
 *
 * @param site the application that it is about; the first one if it is about none
 */
export function problem(
  asking: Asking,
  parts: Parts,
  { status, ...problem }: ProblemAnswer,
  site = parts.sites[0],
): Response | Promise<Response> {
  const { title, message, help, back } = problem;
  const isLetIn = asking.get('user') !== undefined;
  const frame = isLetIn && site ? frameOf(asking, parts, site) : undefined;
  return asking.html(
    problemDocument({ title, message, help, back, frame, head: headOf(asking, parts) }),
    status,
  );
}

export interface ProblemAnswer {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 429 | 500 | 503;
  readonly title: string;
  readonly message: string;
  readonly help?: string | undefined;
  /** Address to go on at. */
  readonly back?: string | undefined;
}

export const headOf = (asking: Asking, { path }: Parts): Head => ({
  assets: assetLinks(path),
  nonce: asking.get('nonce'),
});

/** What is around a page of an application. */
export function frameOf(asking: Asking, { path, sites, gate }: Parts, site: Site): Omit<Frame, 'page'> {
  return {
    base: `${path}/${site.id}`,
    now: site.clock.now(),
    nav: {
      site: navSite(site, path),
      sites: sites.map((each) => navSite(each, path)),
      pages: PAGES.filter((page) => !page.path.includes(':')).map(({ name, path }) => ({ name, path })),
      user: gate.asks ? asking.get('user').name : undefined,
    },
    figures: figuresOf(site),
  };
}

export const figuresOf = ({ watch: { seen } }: Site): Figures => ({
  at: seen?.at,
  reached: seen?.reached ?? true,
});

const navSite = ({ id, title, broker }: Site, path: string): NavSite => ({
  id,
  title,
  broker,
  href: `${path}/${id}/`,
});

/** What is said of an error that is none of ours, which may hold anything: the log has it. */
export function faultOf(error: unknown, { log }: Pick<Parts, 'log'>): string {
  log.error({ error }, 'a page of the dashboard failed');
  return 'This is a fault of the dashboard: its log says more.';
}
