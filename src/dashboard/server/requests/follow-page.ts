import { HoplineError } from '../../../errors.js';
import { NotFound } from '../../pages/page.js';
import type { Site } from '../../site/site.js';
import { assetLinks } from '../assets/assets.js';
import { type Asking, faultOf, figuresOf, type Parts, problem } from './asking.js';

/**
 * Answers `live?page=/queues/mailer?sort=length` with server-sent events: `hello` with the script that pages of this version have and the word of this start, `model`
 * with each newer model, `same` when that has stayed the same, and `problem` when there is none to be had. 204, after which a browser does not ask again, for a page that does not
 * change by itself.
 */
export async function followPage(asking: Asking, site: Site, parts: Parts): Promise<Response> {
  const [path = '', ...rest] = (asking.req.query('page') ?? '').split('?');
  const there = parts.addresses.page(path);
  if (!there) return asking.notFound();
  const { found: page, params } = there;
  // Hono answers HEAD as GET, and nobody would read what follows.
  if (page.freshMs === undefined || asking.req.method !== 'GET') return asking.body(null, 204);
  const query = new URLSearchParams(rest.join('?'));
  query.sort();
  const followed = parts.live.follow({
    key: JSON.stringify([site.id, path, query.toString()]),
    // Behind a proxy, all have one address.
    who: parts.gate.asks ? `user ${asking.get('user').name}` : asking.env.peer,
    greeting: JSON.stringify({ script: assetLinks(parts.path).script, boot: parts.tokens.boot }),
    options: {
      freshMs: page.freshMs,
      clock: site.clock,
      figures: () => figuresOf(site),
      load: () => page.load({ site, params, query }),
      begin: () => site.watch.follow(() => {}),
      problemOf: (error) => problemOf(error, parts),
    },
  });
  if (followed) return followed;
  asking.header('retry-after', '30');
  const message = 'Too many pages are followed at once. Close some.';
  return problem(asking, parts, { status: 503, title: 'Too many', message });
}

/** Errors of ours are for whoever looks; others may hold anything. */
const problemOf = (error: unknown, parts: Parts): string =>
  error instanceof HoplineError || error instanceof NotFound ? error.message : faultOf(error, parts);
