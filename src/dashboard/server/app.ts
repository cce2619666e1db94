import { Hono } from 'hono';
import { NotFound } from '../pages/page.js';
import { PAGES } from '../pages/pages.js';
import type { Site } from '../site/site.js';
import type { NavSite } from '../ui/layout/frame.js';
import { documentOf } from './document.js';

/** What the server has of the dashboard. */
export interface AppOptions {
  readonly sites: readonly Site[];
  /** Where it is mounted, without a slash at its end; '' at the root. */
  readonly path: string;
}

/** The addresses of the dashboard: `PATH/SITE/…`. */
export function appOf({ sites, path }: AppOptions): Hono {
  const app = new Hono().basePath(path || '/');
  for (const site of sites) {
    for (const page of PAGES) {
      app.get(`/${site.id}${page.path}`, async (asked) => {
        const { searchParams } = new URL(asked.req.url);
        const model = await page.load({ site, params: asked.req.param(), query: searchParams });
        const context = {
          base: `${path}/${site.id}`,
          mayAct: false,
          token: '',
          links: site.links,
          now: site.clock.now(),
        };
        const nav = {
          site: navSite(site, path),
          sites: sites.map((each) => navSite(each, path)),
          pages: PAGES.filter((each) => !each.path.includes(':')),
          user: undefined,
        };
        const figures = { at: site.watch.seen?.at, reached: site.watch.seen?.reached ?? true };
        const assets = { script: `${path}/assets/client.js`, style: `${path}/assets/client.css` };
        return asked.html(
          documentOf({
            title: page.title(model),
            page: page.name,
            model,
            context,
            frame: { nav, figures },
            assets,
            isLive: page.freshMs !== undefined,
          }),
        );
      });
    }
  }
  app.onError((error, asked) => {
    if (error instanceof NotFound) return asked.text(error.message, 404);
    throw error;
  });
  return app;
}

const navSite = ({ id, title, broker }: Site, path: string): NavSite => ({
  id,
  title,
  broker,
  href: `${path}/${id}/`,
});
