import type { Context } from 'hono';
import type { Logger } from '../../../util/logger.js';
import type { Site } from '../../site/site.js';
import { assetLinks } from '../assets/assets.js';
import type { Gate } from '../auth/gate.js';
import type { DashboardUser } from '../auth/options.js';
import { type Frame, problemDocument } from '../document.js';
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
  Variables: { nonce: string; user: Required<DashboardUser> };
}

/** A request on its way. */
export type Asking = Context<Known>;

/** An answer that says what is wrong, as a page. */
export function problem(
  asking: Asking,
  parts: Parts,
  { status, title, message, help, back }: ProblemAnswer,
): Response | Promise<Response> {
  const frame = frameOf(asking, parts, undefined);
  return asking.html(problemDocument({ title, message, help, back, frame }), status);
}

export interface ProblemAnswer {
  readonly status: 401 | 403 | 404 | 409 | 413 | 415 | 429 | 500 | 503;
  readonly title: string;
  readonly message: string;
  readonly help?: string | undefined;
  /** Address to go on at. */
  readonly back?: string | undefined;
}

/** What is around a page. */
export function frameOf(asking: Asking, { path, sites, gate }: Parts, site: Site | undefined): Frame {
  const user = asking.get('user') as DashboardUser | undefined;
  return {
    assets: assetLinks(path),
    nonce: asking.get('nonce'),
    nav: {
      site: site?.id,
      // Whoever is not let in is not told what there is.
      sites: user ? sites.map(({ id, title }) => ({ id, title, href: `${path}/${id}/` })) : [],
      user: gate.asks ? user?.name : undefined,
    },
  };
}
