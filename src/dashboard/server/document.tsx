import { renderToString } from 'preact-render-to-string';
import type { View, ViewContext } from '../pages/view.js';
import { VIEWS } from '../pages/views.js';
import type { Frame, PageState } from '../ui/layout/frame.js';
import { Layout } from '../ui/layout/layout.js';

/** A page as the browser gets it. */
export interface Drawn {
  readonly title: string;
  readonly page: string;
  readonly model: unknown;
  readonly context: ViewContext;
  readonly frame: Omit<Frame, 'page' | 'base' | 'now'>;
  /** Addresses of what the browser loads. */
  readonly assets: Assets;
  /** False for a page that doesn't change by itself. */
  readonly isLive: boolean;
}

export interface Assets {
  readonly script: string;
  readonly style: string;
}

/** The whole document of a page. */
export function documentOf({ title, page, model, context, frame, assets, isLive }: Drawn): string {
  const View = VIEWS[page] as View<unknown>;
  const state: PageState = { page, model, context, isLive };
  const html = renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${frame.nav.site.title} · Hopline`}</title>
        <link rel="stylesheet" href={assets.style} />
        {/* Sets the theme that the reader has chosen: without `blocking` the other would be seen for a moment. */}
        <script type="module" src={assets.script} {...{ blocking: 'render' }} />
      </head>
      <Layout frame={{ ...frame, page, base: context.base, now: context.now }}>
        <View model={model} context={context} />
      </Layout>
    </html>,
  );
  return `<!doctype html>${html.replace('</body>', () => `${stateOf(state)}</body>`)}`;
}

/** As a script that is never run. `<` is the only character by which its text could end it. */
const stateOf = (state: PageState): string =>
  `<script type="application/json" id="state">${JSON.stringify(state).replaceAll('<', '\\u003c')}</script>`;
