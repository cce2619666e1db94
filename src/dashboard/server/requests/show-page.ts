import { NotFound, type Page } from '../../pages/page.js';
import type { Site } from '../../site/site.js';
import { documentOf } from '../document.js';
import { type Asking, frameOf, headOf, type Parts, problem } from './asking.js';

/** Parameter of an address: the word for what an action has said. */
export const SAID = 'said';

/** Answers with a page. */
export async function showPage(asking: Asking, site: Site, parts: Parts): Promise<Response> {
  const below = pathIn(asking, site);
  const there = parts.addresses.page(below);
  if (!there) return asking.notFound();
  const { found: page, params } = there;
  const query = new URL(asking.req.url).searchParams;
  try {
    const model = await page.load({ site, params, query });
    return asking.html(drawn(asking, site, parts, page, model));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    const back = `${parts.path}/${site.id}/`;
    return problem(asking, parts, { status: 404, title: 'Not found', message: error.message, back }, site);
  }
}

function drawn(asking: Asking, site: Site, parts: Parts, page: Page<never>, model: never): string {
  const user = asking.get('user');
  const { path, allowActions, tokens, sayings } = parts;
  const mayAct = allowActions && user.mayAct;
  return documentOf({
    title: page.title(model),
    page: page.name,
    model,
    context: {
      base: `${path}/${site.id}`,
      mayAct,
      token: mayAct ? tokens.of(user.name, site.id) : '',
      links: site.links,
      now: site.clock.now(),
    },
    frame: {
      ...frameOf(asking, parts, site),
      said: sayings.of(new URL(asking.req.url).searchParams.get(SAID)),
    },
    head: headOf(asking, parts),
    isLive: page.freshMs !== undefined,
    boot: tokens.boot,
  });
}

/** The path below the application's, percent-encoded. */
export function pathIn(asking: Asking, site: Site): string {
  return asking.req.path.slice(site.id.length + 1) || '/';
}
