import { renderToString } from 'preact-render-to-string';
import type { View, ViewContext } from '../pages/view.js';
import { VIEWS } from '../pages/views.js';

/** A page as the browser gets it. */
export interface Drawn {
  readonly title: string;
  readonly page: string;
  readonly model: unknown;
  readonly context: ViewContext;
}

/** The whole document of a page. */
export function documentOf({ title, page, model, context }: Drawn): string {
  const View = VIEWS[page] as View<unknown>;
  const html = renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>{`${title} · Hopline`}</title>
      </head>
      <body>
        <main id="page">
          <View model={model} context={context} />
        </main>
      </body>
    </html>,
  );
  return `<!doctype html>${html}`;
}
