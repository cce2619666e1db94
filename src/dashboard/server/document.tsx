import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { View, ViewContext } from '../pages/view.js';
import { VIEWS } from '../pages/views.js';
import type { Frame, PageState } from '../ui/layout/frame.js';
import { ICON } from '../ui/layout/icon.js';
import { Layout } from '../ui/layout/layout.js';
import type { AssetLinks } from './assets/assets.js';

/** What is in the head of each document. */
export interface Head {
  readonly assets: AssetLinks;
  /** Word by which the answer's headers allow script and style. */
  readonly nonce: string;
}

/** A page as the browser gets it. */
export interface Drawn {
  readonly title: string;
  readonly page: string;
  readonly model: unknown;
  readonly context: ViewContext;
  readonly frame: Omit<Frame, 'page' | 'base' | 'now'>;
  readonly head: Head;
  /** False for a page that doesn't change by itself. */
  readonly isLive: boolean;
  /** Word of the server's start. */
  readonly boot: string;
}

/** The whole document of a page. */
export function documentOf({ title, page, model, context, frame, head, isLive, boot }: Drawn): string {
  const View = VIEWS[page] as View<unknown>;
  const html = htmlOf(
    `${title} · ${frame.nav.site.title}`,
    head,
    <Layout frame={{ ...frame, page, base: context.base, now: context.now }}>
      <View model={model} context={context} />
    </Layout>,
  );
  return html.replace('</body>', () => `${stateOf({ page, model, context, isLive, boot })}</body>`);
}

/** As a script that is never run. `<` is the only character by which its text could end it. */
const stateOf = (state: PageState): string =>
  `<script type="application/json" id="state">${JSON.stringify(state).replaceAll('<', '\\u003c')}</script>`;

/** A document that says what is wrong. */
export interface Problem {
  readonly title: string;
  readonly message: string;
  readonly help: string | undefined;
  /** Where to go on. */
  readonly back: string | undefined;
  /** Undefined for whoever is not let in: then nothing is told of what there is. */
  readonly frame: Omit<Frame, 'page'> | undefined;
  readonly head: Head;
}

export function problemDocument({ title, message, help, back, frame, head }: Problem): string {
  const text = (
    <section class="problem">
      <h1>{title}</h1>
      <p>{message}</p>
      {help === undefined ? null : <p>{help}</p>}
      {back === undefined ? null : (
        <p>
          <a href={back}>Back</a>
        </p>
      )}
    </section>
  );
  const body = frame ? (
    <Layout frame={{ ...frame, page: undefined }}>{text}</Layout>
  ) : (
    <body>
      <main id="main">{text}</main>
    </body>
  );
  return htmlOf(title, head, body);
}

/** The script sets the theme that the reader has chosen: else the other would be seen for a moment. An attribute that preact's types don't know. */
const BEFORE_DRAWING = { blocking: 'render' };

function htmlOf(title: string, { assets, nonce }: Head, body: VNode): string {
  const html = renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · Hopline`}</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={assets.style} nonce={nonce} />
        <script type="module" src={assets.script} nonce={nonce} {...BEFORE_DRAWING} />
      </head>
      {body}
    </html>,
  );
  return `<!doctype html>${html}`;
}
